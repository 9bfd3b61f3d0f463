import { crc32 } from 'node:zlib';
import type { StoredMessage } from '../../ports/storage.js';

/** What a line says. */
export type FileRecord =
  | { readonly put: { readonly userId: string; readonly message: StoredMessage } }
  | { readonly remove: readonly string[] };

export interface FileContent {
  readonly records: readonly FileRecord[];
  /** Up to where the file can be read from its beginning. */
  readonly wellBytes: number;
  /** `end`: the last line is torn, as a crash leaves it. `middle`: there is more behind what cannot be read. */
  readonly damage: 'none' | 'end' | 'middle';
}

/** `<checksum> <JSON>` and a line feed, which JSON never holds. Bytes stand in base64. */
export function linesOf(records: readonly FileRecord[]): Buffer {
  return Buffer.from(records.map((record) => lineOf(JSON.stringify(record, withBase64))).join(''));
}

const lineOf = (text: string): string => `${checksum(text)} ${text}\n`;
const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');

/** Reads what can be read: lines behind a damaged one, too. */
export function recordsIn(bytes: Buffer): FileContent {
  const records: FileRecord[] = [];
  let wellBytes = 0;
  let damage: FileContent['damage'] = 'none';
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    const record = feed < 0 ? undefined : recordOf(bytes.toString('utf8', start, feed));
    if (record) records.push(record);
    if (record && damage === 'none') wellBytes = end;
    else if (record) damage = 'middle';
    else if (damage === 'none') damage = 'end';
    start = end;
  }
  return { records, wellBytes, damage };
}

function recordOf(line: string): FileRecord | undefined {
  const text = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(text)} `) return undefined;
  return JSON.parse(text, fromBase64) as FileRecord;
}

/** Of the values in a record only `encoded` may be bytes; by then `toJSON` has made an array-like object of a Buffer. */
function withBase64(key: string, value: unknown): unknown {
  return key === 'encoded' && typeof value !== 'string'
    ? { base64: Buffer.from(value as Uint8Array).toString('base64') }
    : value;
}

function fromBase64(key: string, value: unknown): unknown {
  if (key !== 'encoded' || typeof value === 'string') return value;
  return new Uint8Array(Buffer.from((value as { base64: string }).base64, 'base64'));
}
