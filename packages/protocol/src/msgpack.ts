/** The `msgpack()` codec, an entry of its own: who speaks JSON only does not load it. */
import { Decoder, Encoder } from '@msgpack/msgpack';
import { MAX_DEPTH } from './bounds.js';
import type { Codec } from './codec.js';
import { type Item, Type } from './frame.js';
import { plain } from './msgpack-plain.js';
import { scan } from './msgpack-scan.js';
import { FrameError } from './parse-frame.js';
import type { WireData } from './ports.js';

/**
 * MessagePack in binary frames: smaller than JSON, and it carries bytes. Both ends need it: `codec: msgpack()` at the
 * client, `codecs: [msgpack(), json()]` at the server.
 *
 * A payload arrives as it would with `json()`: a `Date`, or whatever has a `toJSON`, as what that returns; a field that
 * is `undefined` is left out, an `undefined` in an array becomes `null`. It differs in this:
 *
 * - a `Uint8Array` (a `Buffer` is one) arrives as a `Uint8Array` of its own; an `ArrayBuffer` or another view is refused.
 *   A room's member who speaks JSON gets of it what `JSON.stringify` makes: an object of numbers, one element each;
 * - `NaN` and the infinities arrive as they are;
 * - functions and symbols are refused wherever they stand, not only as a whole payload;
 * - half of a surrogate pair, for which UTF-8 has no word, may arrive as U+FFFD.
 *
 * The bounds are those of `json()`: 64 levels, 10,000 elements, keys of 256 bytes, no key `__proto__`. Extension types
 * are refused.
 */
export function msgpack(): Codec {
  // To the encoder the item and the innermost values are levels, too. The bound itself is checked by `plain`.
  const encoder = new Encoder({
    extensionCodec: noExtensions,
    ignoreUndefined: true,
    maxDepth: MAX_DEPTH + 2,
  });
  const decoder = new Decoder({ extensionCodec: noExtensions });
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

/** None goes out, and `scan` lets none in. */
const noExtensions = { tryToEncode: () => null, decode: () => null };

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function plainItem(item: Item): unknown[] {
  // An absent last element is `undefined` at the other end; MessagePack would make it `null`.
  const used = item.findLastIndex((part) => part !== undefined) + 1;
  return item.slice(0, used).map((part) => plain(part));
}

/** What was decoded points into the frame, which may lie in a buffer that the platform uses again. */
function withOwnBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value !== 'object' || value === null) return value;
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
