import { expect, test } from 'vitest';
import { payloadOf } from '../src/speed/fixed/codec-cost.js';
import { codecTable, sizeTable, wireTable } from '../src/speed/fixed/fixed-tables.js';

const bodyOf = (table: string): string[] => table.split('\n').slice(2);

test('bytes stand up + down in whole numbers; what a system has nothing for is a dash', () => {
  const rows = new Map([
    ['one', { event: { up: 137, down: 0 }, request: { up: 1, down: 2 }, batched: { up: 130.4, down: 0.6 } }],
    ['other', { event: { up: 1, down: 1 }, batched: { up: 1, down: 1 } }],
  ]);
  expect(bodyOf(wireTable(rows))).toEqual([
    '| one | 137 + 0 | 1 + 2 | 130 + 1 |',
    '| other | 1 + 1 | – | 1 + 1 |',
  ]);
});

test('codecs and clients have a row each', () => {
  const cost = {
    codec: 'json',
    bytes: 1_000,
    encodedBytes: 1_020,
    encodeMicros: 0.51234,
    decodeMicros: 123.4,
  };
  expect(bodyOf(codecTable([cost]))).toEqual(['| json | 1,000 | 1,020 | 0.512 | 123 |']);
  expect(bodyOf(sizeTable(new Map([['it', { bytes: 83_382, gzipBytes: 29_567 }]])))).toEqual([
    '| it | 83,382 | 29,567 |',
  ]);
});

test('what is encoded has at most the size that was asked for, and nearly that', () => {
  for (const size of [100, 1_000, 64_000]) {
    const bytes = JSON.stringify(payloadOf(size)).length;
    expect([bytes <= size, bytes > size - 90]).toEqual([true, true]);
  }
});
