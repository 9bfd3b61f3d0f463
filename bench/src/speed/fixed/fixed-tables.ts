import { markdownTable } from '../../markdown.js';
import { shown } from '../tables.js';
import type { ClientSize } from './client-size.js';
import type { CodecCost } from './codec-cost.js';
import { BATCH, type Bytes, type WireBytes } from './wire-bytes.js';

const bytesOf = (bytes: Bytes | undefined): string =>
  bytes === undefined ? '–' : `${Math.round(bytes.up)} + ${Math.round(bytes.down)}`;

export const wireTable = (rows: ReadonlyMap<string, WireBytes>): string =>
  markdownTable(
    ['bytes up + down', 'a message up, alone', 'a request and its answer', `one of ${BATCH} up at once`],
    [...rows].map(([key, { event, request, batched }]) => [key, ...[event, request, batched].map(bytesOf)]),
  );

export const codecTable = (costs: readonly CodecCost[]): string =>
  markdownTable(
    ['codec', 'payload, bytes of JSON', 'on the wire', 'encode, µs', 'decode, µs'],
    costs.map(({ codec, bytes, encodedBytes, encodeMicros, decodeMicros }) => [
      codec,
      bytes.toLocaleString('en'),
      encodedBytes.toLocaleString('en'),
      shown(encodeMicros),
      shown(decodeMicros),
    ]),
  );

export const sizeTable = (rows: ReadonlyMap<string, ClientSize>): string =>
  markdownTable(
    ['client in a page', 'bytes, minified', 'gzip'],
    [...rows].map(([key, { bytes, gzipBytes }]) => [
      key,
      ...[bytes, gzipBytes].map((count) => count.toLocaleString('en')),
    ]),
  );
