/** The `msgpack()` codec, an entry of its own: who speaks JSON only does not load it. */
import {
  Decoder,
  decodeTimestampExtension,
  Encoder,
  EXT_TIMESTAMP,
  ExtData,
  encodeDateToTimeSpec,
  encodeTimeSpecToTimestamp,
} from '@msgpack/msgpack';
import { DIGITS, MAX_DEPTH } from './bounds.js';
import type { Codec } from './codec.js';
import { FrameError, type Item, Type } from './frame.js';
import { messageOf } from './message-of.js';
import { plain, type Words } from './msgpack-plain.js';
import { EXT_BIGINT, scan } from './msgpack-scan.js';
import type { WireData } from './ports.js';

/**
 * MessagePack in binary frames: smaller than JSON, and it carries bytes. Both ends need it: `codec: msgpack()` at the
 * client, `codecs: [msgpack(), json()]` at the server.
 *
 * A payload arrives as it would with `json()`, with the same refusals and bounds. On the wire a `Uint8Array` is `bin`, a
 * `Date` the extension type for timestamps, a `bigint` extension type 1 with its digits; other extension types are
 * refused. It differs in this:
 *
 * - `NaN` and the infinities arrive as they are;
 * - half of a surrogate pair, for which UTF-8 has no word, may arrive as U+FFFD.
 */
export function msgpack(): Codec {
  // To the encoder the item and the innermost values are levels, too. The bound itself is checked by `plain`.
  const encoder = new Encoder({
    extensionCodec: extensions,
    ignoreUndefined: true,
    maxDepth: MAX_DEPTH + 2,
  });
  const decoder = new Decoder({ extensionCodec: extensions });
  return {
    name: 'msgpack',
    encode(item) {
      const parts = plainItem(item);
      try {
        return encoder.encode(parts);
      } catch (cause) {
        // Only of what changes while it is looked at.
        throw new TypeError(`MessagePack cannot encode it: ${messageOf(cause)}`, { cause });
      }
    },
    frame,
    publication,
    decode(data) {
      if (typeof data === 'string') {
        throw new FrameError('MessagePack comes in binary frames, not in text ones');
      }
      const hasBytes = scan(data);
      try {
        const value = decoder.decode(data);
        return hasBytes ? withOwnBytes(value) : value;
      } catch (cause) {
        throw new FrameError(`not MessagePack: ${messageOf(cause)}`);
      }
    },
  };
}

const words: Words = {
  date: (value) => new ExtData(EXT_TIMESTAMP, encodeTimeSpecToTimestamp(encodeDateToTimeSpec(value))),
  bigint: (digits) => new ExtData(EXT_BIGINT, new TextEncoder().encode(digits)),
};

const extensions = {
  tryToEncode: (value: unknown) => (value instanceof ExtData ? value : null),
  /** `scan` lets no other types in. */
  decode(data: Uint8Array, type: number): unknown {
    if (type === EXT_BIGINT) {
      const digits = String.fromCharCode(...data);
      if (DIGITS.test(digits)) return BigInt(digits);
      throw new TypeError('a bigint that is no number');
    }
    const date = decodeTimestampExtension(data);
    if (Number.isNaN(date.getTime())) throw new TypeError('a time that no Date can be');
    return date;
  },
};

function plainItem(item: Item): unknown[] {
  // An absent last element is `undefined` at the other end; MessagePack would make it `null`.
  const used = item.findLastIndex((part) => part !== undefined) + 1;
  return item.slice(0, used).map((part) => plain(part, words));
}

/** What was decoded points into the frame, which may lie in a buffer that the platform uses again. */
function withOwnBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const container = value as Record<string, unknown>;
  for (const key of Object.keys(container)) container[key] = withOwnBytes(container[key]);
  return value;
}

/** Where what stands before the items is put together: an array's header and two numbers, 21 bytes at most. */
const head = new Uint8Array(21);

function frame(ack: number, firstSeq: number, items: readonly WireData[]): Uint8Array {
  const start = putUint(putUint(putArray(0, items.length + 2), ack), firstSeq);
  let size = start;
  for (const item of items) size += bytesOf(item).length;
  const all = new Uint8Array(size);
  let position = start;
  for (const item of items) {
    all.set(bytesOf(item), position);
    position += item.length;
  }
  return withHead(all, start);
}

function publication(data: WireData, room: number, offset: number): Uint8Array {
  const event = bytesOf(data);
  // An event is a short array: its header is one byte with the length in it, its type is another.
  const length = (event[0] ?? 0) & 0x0f;
  const start = putUint(putUint(putUint(putArray(0, length + 2), Type.PUB), room), offset);
  const all = new Uint8Array(start + event.length - 2);
  all.set(event, start - 2);
  return withHead(all, start);
}

function bytesOf(data: WireData): Uint8Array {
  if (typeof data === 'string') throw new TypeError('this item was encoded by another codec');
  return data;
}

function withHead(all: Uint8Array, size: number): Uint8Array {
  for (let index = 0; index < size; index++) all[index] = head[index] as number;
  return all;
}

/** Returns the position after it. A frame has at most 256 items, so two bytes of length are enough. */
function putArray(position: number, length: number): number {
  if (length < 16) return putBytes(position, 0x90 | length, 1);
  return putBytes(putBytes(position, 0xdc, 1), length, 2);
}

/** A whole number from 0 to 2⁵³−1, in as few bytes as it takes. */
function putUint(position: number, value: number): number {
  if (value < 0x80) return putBytes(position, value, 1);
  if (value < 0x100) return putBytes(putBytes(position, 0xcc, 1), value, 1);
  if (value < 0x1_0000) return putBytes(putBytes(position, 0xcd, 1), value, 2);
  if (value < 0x1_0000_0000) return putBytes(putBytes(position, 0xce, 1), value, 4);
  return putBytes(putBytes(position, 0xcf, 1), value, 8);
}

/** The lowest `width` bytes of a number, the highest of them first. */
function putBytes(position: number, value: number, width: number): number {
  for (let index = position + width - 1, rest = value; index >= position; index--) {
    head[index] = rest;
    rest = Math.floor(rest / 0x100);
  }
  return position + width;
}
