/**
 * What a payload may be, whatever the codec: both ends hold to it when they encode and when they decode, so what may
 * be sent may be received. Hostile frames are refused before anything walks through them or grows with them.
 */
import { sizeOf } from './codec.js';

/** How deep arrays and objects may be nested in a payload. */
export const MAX_DEPTH = 64;

/** Most elements of a payload: the entries of all its arrays and objects together. */
export const MAX_ELEMENTS = 10_000;

/**
 * Most elements of a frame, with all that is in it. An element has at least one byte, so no frame of several items
 * breaks this as long as it has no more bytes than this.
 */
export const MAX_FRAME_ELEMENTS = 65_536;

/** Longest key of an object in a payload, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 256;

export const TOO_DEEP = `nested more than ${MAX_DEPTH} deep`;
export const TOO_MANY = `more than ${MAX_ELEMENTS} elements`;

/** Most digits of a bigint, without its sign: more take a receiver longer than they are worth. */
const MAX_DIGITS = 4_096;
/** A bigint on the wire. */
export const DIGITS = new RegExp(`^-?\\d{1,${MAX_DIGITS}}$`);

/** Throws a `TypeError` unless a payload may have it. */
export function digitsOf(value: bigint): string {
  const digits = String(value);
  if (!DIGITS.test(digits)) throw new TypeError(`a bigint with more than ${MAX_DIGITS} digits`);
  return digits;
}

/** Throws a `TypeError` unless a payload may have it. */
export function timeOf(date: Date): number {
  if (Number.isNaN(date.getTime())) throw new TypeError('an invalid Date');
  return date.getTime();
}

/** Bytes are a `Uint8Array`, from whichever realm; what else a view means would be lost on the way. Throws a `TypeError`. */
export function bytesOf(value: object, format: string): Uint8Array {
  const { [Symbol.toStringTag]: kind } = value as { readonly [Symbol.toStringTag]?: string };
  if (kind === 'Uint8Array') return value as Uint8Array;
  throw new TypeError(`${format} carries bytes in a Uint8Array, not in a ${kind}`);
}

export const LONG_KEY = `a key with more than ${MAX_KEY_BYTES} bytes`;

/**
 * Throws a `TypeError` unless a payload may have this key. `__proto__` is harmless where it arrives, but no longer
 * once an application merges it into an object of its own.
 */
export function checkKey(key: string): void {
  if (key === '__proto__') throw new TypeError('the key __proto__');
  // No UTF-16 unit makes more than three bytes.
  if (key.length > MAX_KEY_BYTES / 3 && sizeOf(key) > MAX_KEY_BYTES) throw new TypeError(LONG_KEY);
}

/**
 * The number of elements in what JSON has made or is to make: a frame (level -1), an item (0) or what is in one (1).
 * `Infinity` if a part of an item has too many. Throws a `TypeError` that names the bound if keys or depth are not what
 * a payload may have. `weigh` may say of an object, or of what is neither a text nor a number, how many elements it has,
 * before anybody looks into it.
 */
export function countElements(
  value: unknown,
  level: number,
  weigh?: (value: unknown) => number | undefined,
): number {
  if (typeof value === 'string' || typeof value === 'number') return 0;
  const weight = weigh?.(value);
  if (weight !== undefined) return weight;
  if (typeof value !== 'object' || value === null) return 0;
  if (level > MAX_DEPTH) throw new TypeError(TOO_DEEP);
  let count = 0;
  if (Array.isArray(value)) {
    for (const entry of value) {
      const inside = countElements(entry, level + 1, weigh);
      count += level === 0 && inside > MAX_ELEMENTS ? Infinity : 1 + inside;
    }
  } else {
    for (const key in value) {
      checkKey(key);
      count += 1 + countElements((value as Record<string, unknown>)[key], level + 1, weigh);
    }
  }
  return count;
}
