import {
  LONG_KEY,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_FRAME_ELEMENTS,
  MAX_KEY_BYTES,
  TOO_DEEP,
  TOO_MANY,
} from './bounds.js';
import { FrameError } from './frame.js';

/** What a type byte begins. */
const VALUE = 1;
const TEXT = 2;
const BYTES = 3;
const LIST = 4;
const MAP = 5;
const EXTENSION = 6;

/** For each type byte from 0xc0 to 0xdf, what it begins; 0 is refused: 0xc1, which is nothing, and extensions of 64 KiB. */
const KINDS = Uint8Array.from('10113336601111111111666662224455', Number);
/** How many bytes follow it: those of a value, or else those that hold the length. */
const WIDTHS = Uint8Array.from('00001241204812481248000001242424', Number);

/** The format's own extension type, as it stands there: -1. */
const TIMESTAMP = 0xff;
/** Ours, for a bigint. */
export const EXT_BIGINT = 1;

/** The frame and the item are no levels of the payload. */
const ENVELOPE = 2;

/**
 * For what is open around the innermost list or map: how many values are still to come. In a map keys count, too, and
 * it counts up to 0. One for all scans: nothing interrupts them.
 */
const outer = new Int32Array(MAX_DEPTH + ENVELOPE + 1);

/** Its digits and a sign. */
const MAX_BIGINT_BYTES = 4_097;

const CUT_OFF = 'not MessagePack: it ends too early';

/**
 * Walks over the headers of a frame and makes nothing of them: a decoder makes room for what a header promises, so
 * nine thousand bytes of nested headers can cost it gigabytes. Throws a `FrameError` at what breaks a bound, promises
 * more than is there, or is no MessagePack of ours. True if there are bytes among the values.
 */
export function scan(bytes: Uint8Array): boolean {
  const end = bytes.length;
  let position = 0;
  let level = 0;
  let due = 1;
  let elements = 0;
  /** Elements before the part of an item, such as the payload, that is being read. */
  let before = 0;
  let hasBytes = false;
  for (;;) {
    while (due === 0) {
      if (level === 0) {
        if (position < end) throw new FrameError('not MessagePack: more than one value');
        return hasBytes;
      }
      due = outer[--level] as number;
    }
    const isKey = due < 0 && due % 2 === 0;
    due += due < 0 ? 1 : -1;
    if (level === ENVELOPE) before = elements;
    if (position >= end) throw new FrameError(CUT_OFF);

    const type = bytes[position++] as number;
    const kind = kindOf(type);
    let length = lengthIn(type);
    if (type >= 0xc0 && type < 0xe0) {
      const width = WIDTHS[type & 0x1f] as number;
      length = kind === VALUE ? width : readLength(bytes, position, width);
      if (kind !== VALUE) position += width;
    }
    if (isKey) checkKeyHeader(kind, length);
    if (kind === EXTENSION) {
      if (type >= 0xd4) length = 1 << (type - 0xd4);
      checkExtension(bytes[position++], length);
    }
    if (kind < LIST || kind === EXTENSION) {
      if (kind === BYTES) hasBytes = true;
      position += length;
      if (position > end) throw new FrameError(CUT_OFF);
      continue;
    }

    elements += length;
    outer[level++] = due;
    due = kind === MAP ? -2 * length : length;
    // Each of them takes a byte or more.
    if (Math.abs(due) > end - position) throw new FrameError(CUT_OFF);
    if (level > MAX_DEPTH + ENVELOPE) throw new FrameError(TOO_DEEP);
    if (elements > MAX_FRAME_ELEMENTS) throw new FrameError(TOO_MANY);
    if (level > ENVELOPE && elements - before > MAX_ELEMENTS) throw new FrameError(TOO_MANY);
  }
}

function kindOf(type: number): number {
  if (type < 0x80 || type >= 0xe0) return VALUE;
  if (type < 0xc0) return type < 0x90 ? MAP : type < 0xa0 ? LIST : TEXT;
  const kind = KINDS[type & 0x1f] as number;
  if (kind === 0) throw new FrameError(`not MessagePack of ours: the type 0x${type.toString(16)}`);
  return kind;
}

/** The length that a type byte holds itself. */
function lengthIn(type: number): number {
  if (type < 0x80 || type >= 0xc0) return 0;
  return type < 0xa0 ? type & 0x0f : type & 0x1f;
}

function readLength(bytes: Uint8Array, position: number, width: number): number {
  let length = 0;
  for (let index = position; index < position + width; index++) length = length * 0x100 + (bytes[index] ?? 0);
  return length;
}

function checkKeyHeader(kind: number, length: number): void {
  if (kind !== TEXT) throw new FrameError('a key must be a text');
  if (length > MAX_KEY_BYTES) throw new FrameError(LONG_KEY);
}

function checkExtension(type: number | undefined, length: number): void {
  if (type === TIMESTAMP && (length === 4 || length === 8 || length === 12)) return;
  if (type === EXT_BIGINT && length <= MAX_BIGINT_BYTES) return;
  throw new FrameError(`not MessagePack of ours: an extension of type ${type} with ${length} bytes`);
}
