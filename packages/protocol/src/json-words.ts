/**
 * How JSON says what it has no word for: an object with one key, which begins with `$`. An application's own object of
 * that form gets one `$` more, and loses it again at the other end. PROTOCOL.md, section 2.
 */
import { bytesOf, DIGITS, digitsOf, MAX_DEPTH, TOO_DEEP, timeOf } from './bounds.js';

type Fields = Record<string, unknown>;

/**
 * False for a text that `JSON.stringify` has made and in which no key begins with `$`. The first question is the fast one: a
 * text has many quotes and few dollars.
 */
export const mayNeedWords = (text: string): boolean => text.includes('$') && text.includes('"$');

/** As this, for a text of whatever writer, who may spell a `$` otherwise. */
export const mayHoldWords = (text: string): boolean => mayNeedWords(text) || text.includes('\\u0024');

/** `Infinity` for what `JSON.stringify` alone does not make what it should, or for what a `toJSON` decides. */
export function weighOdd(value: unknown): number | undefined {
  if (typeof value === 'object' && value !== null) {
    const isOdd = typeof (value as Fields)['toJSON'] === 'function' || isBinary(value);
    return isOdd ? Infinity : undefined;
  }
  return typeof value === 'boolean' || value == null ? 0 : Infinity;
}

/** What `revive` has made is one value, and no container. */
export const weighWord = (value: unknown): number | undefined =>
  value instanceof Uint8Array || value instanceof Date ? 0 : undefined;

/** For `JSON.stringify`. Throws a `TypeError` that says what cannot be said. */
export function sayWord(this: Fields, key: string, given: unknown): unknown {
  // First as it is, before a `toJSON` has made something else of it: of a `Date`, a `Buffer` or, where somebody has added one,
  // a bigint.
  const word = wordFor(this[key]) ?? wordFor(given);
  if (word) return word;
  if (typeof given === 'function' || typeof given === 'symbol') {
    throw new TypeError(`JSON has no word for a ${typeof given}`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const fields = given as Fields;
  const [only = '', ...others] = Object.keys(fields).filter((name) => fields[name] !== undefined);
  return others.length === 0 && only.startsWith('$') ? { [`$${only}`]: fields[only] } : fields;
}

function wordFor(value: unknown): Fields | undefined {
  if (typeof value === 'bigint') return { $bigint: digitsOf(value) };
  if (value instanceof Date) return { $date: timeOf(value) };
  if (!isBinary(value)) return undefined;
  return { $bytes: toBase64(bytesOf(value, 'JSON')) };
}

const isBinary = (value: unknown): value is object =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

/**
 * Puts back, in what `JSON.parse` has made, what the words stand for. A word that means nothing is left as it is: a
 * client that knows none of this may have said it. Throws a `TypeError` at what is nested too deep.
 */
export function revive(value: unknown, level: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // At the last level there may still be a word.
  if (level > MAX_DEPTH + 1) throw new TypeError(TOO_DEEP);
  const fields = value as Fields;
  const keys = Object.keys(fields);
  for (const key of keys) fields[key] = revive(fields[key], level + 1);
  const [only = ''] = keys;
  return keys.length === 1 && only.startsWith('$') ? meaningOf(fields, only) : value;
}

function meaningOf(fields: Fields, key: string): unknown {
  const said = fields[key];
  // More than that no `Date` can be (ECMA-262, 21.4.1.1).
  if (key === '$date' && Number.isInteger(said) && Math.abs(said as number) <= 8.64e15) {
    return new Date(said as number);
  }
  if (typeof said === 'string') {
    if (key === '$bytes') return fromBase64(said) ?? fields;
    if (key === '$bigint' && DIGITS.test(said)) return BigInt(said);
  }
  return key.startsWith('$$') ? { [key.slice(1)]: said } : fields;
}

/** So many arguments every stack has room for. */
const CHUNK = 8_192;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}

function fromBase64(base64: string): Uint8Array | undefined {
  try {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  } catch {
    return undefined;
  }
}
