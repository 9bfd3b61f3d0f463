import type { WireData } from '@holdfast/protocol';

// How things are written in Redis.

/** Text or bytes, behind one letter that says which. */
export function fromData(data: WireData): string | Buffer {
  return typeof data === 'string' ? `t${data}` : Buffer.concat([Buffer.from('b'), data]);
}

export function toData(blob: Buffer): WireData {
  const data = blob.subarray(1);
  return blob[0] === 0x74 ? data.toString() : new Uint8Array(data);
}

/** An object with this key is not what it looks like; one that really has it is written as its entries. */
const MARK = '$';
type Marked = readonly [kind: string, ...rest: readonly unknown[]];

/** JSON that also says what JSON has no word for: all that an item may carry. */
export function fromValue(value: unknown): string {
  return JSON.stringify(isPlain(value) ? value : marked(value));
}

export function toValue(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes(`"${MARK}":`) ? unmarked(value) : value;
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object' || value instanceof Uint8Array || value instanceof Date) return false;
  return !Object.hasOwn(value, MARK) && Object.values(value).every(isPlain);
}

function marked(value: unknown): unknown {
  if (isPlain(value)) return value;
  const mark = (...what: Marked): unknown => ({ [MARK]: what });
  if (value === undefined) return mark('undefined');
  if (typeof value === 'bigint') return mark('bigint', value.toString());
  if (typeof value === 'number') return mark('number', Object.is(value, -0) ? '-0' : String(value));
  if (Array.isArray(value)) return value.map(marked);
  if (value instanceof Uint8Array) return mark('bytes', Buffer.from(value).toString('base64'));
  if (value instanceof Date) return mark('date', value.getTime());
  if (typeof value !== 'object' || value === null) throw new TypeError(`a ${typeof value} cannot be stored`);
  return mark('object', ...Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (first?.[0] !== MARK) return Object.fromEntries(entries.map(([key, inner]) => [key, unmarked(inner)]));
  const [kind, ...rest] = first[1] as Marked;
  const [one] = rest;
  if (kind === 'bigint') return BigInt(String(one));
  if (kind === 'number') return Number(one);
  if (kind === 'bytes') return new Uint8Array(Buffer.from(String(one), 'base64'));
  if (kind === 'date') return new Date(Number(one));
  if (kind === 'undefined') return undefined;
  return Object.fromEntries(rest.map((entry) => unmarkedEntry(entry as readonly [string, unknown])));
}

const unmarkedEntry = ([key, inner]: readonly [string, unknown]): [string, unknown] => [key, unmarked(inner)];
