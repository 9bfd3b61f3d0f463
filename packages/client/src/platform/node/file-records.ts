import { createHash } from 'node:crypto';
import type { OutboxPlace } from '@holdfast/protocol';
import type { StoredMessage } from '../../ports/storage.js';

/** What a line says: all of it counts, or nothing. */
export type FileRecord =
  | { readonly userId: string; readonly put: readonly StoredMessage[] }
  | { readonly remove: readonly OutboxPlace[] };

export interface FileContent {
  readonly records: readonly FileRecord[];
  /** Up to where the file can be read from its beginning. */
  readonly wellBytes: number;
  /** How many whole lines cannot be read. A crash leaves at most an end without a line feed. */
  readonly damagedLines: number;
}

/** `<checksum> <JSON>` and a line feed, which JSON never holds. Bytes stand in base64. */
export function linesOf(records: readonly FileRecord[]): Buffer {
  return Buffer.from(records.map((record) => lineOf(JSON.stringify(record, withBase64))).join(''));
}

const CHECKSUM_CHARACTERS = 16;
const lineOf = (text: string): string => `${checksum(text)} ${text}\n`;
const checksum = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, CHECKSUM_CHARACTERS);

/** Reads what can be read: lines behind a damaged one, too. */
export function recordsIn(bytes: Buffer): FileContent {
  const records: FileRecord[] = [];
  let wellBytes = 0;
  let damagedLines = 0;
  for (let start = 0; ; ) {
    const feed = bytes.indexOf(0x0a, start);
    if (feed < 0) return { records, wellBytes, damagedLines };
    const record = recordOf(bytes.toString('utf8', start, feed));
    start = feed + 1;
    if (record) records.push(record);
    else damagedLines++;
    if (damagedLines === 0) wellBytes = start;
  }
}

function recordOf(line: string): FileRecord | undefined {
  const text = line.slice(CHECKSUM_CHARACTERS + 1);
  if (line.slice(0, CHECKSUM_CHARACTERS + 1) !== `${checksum(text)} `) return undefined;
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
