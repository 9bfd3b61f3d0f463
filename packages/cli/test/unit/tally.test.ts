import { expect, test } from 'vitest';
import { Tally, table } from '../../src/bench/tally.js';

test('every message has its end: acknowledged and back, failed, lost, doubled', () => {
  const tally = new Tally();
  for (const id of ['good', 'lost', 'unknown', 'unknown, but back', 'unsent', 'doubled', 'early'])
    tally.sent(id, 0);
  tally.echoed('early', 1);
  for (const id of ['good', 'lost', 'doubled', 'early']) tally.acknowledged(id);
  tally.failed('unknown', 'ERR_SESSION_LOST', 'unknown');
  tally.failed('unknown, but back', 'ERR_SESSION_LOST', 'unknown');
  tally.failed('unsent', 'ERR_OUTBOX_FULL', 'unsent');
  for (const id of ['good', 'unknown, but back', 'doubled', 'doubled', 'doubled', 'nobody knows'])
    tally.echoed(id, 5);
  tally.reconnected();
  expect(tally.figures(3, 1.5)).toEqual({
    clients: 3,
    seconds: 1.5,
    sent: 7,
    acknowledged: 4,
    failed: 3,
    lost: 2,
    doubled: 2,
    reconnects: 1,
    latencyMs: { p50: 5, p95: 5, p99: 5 },
    errors: { ERR_SESSION_LOST: 2, ERR_OUTBOX_FULL: 1 },
  });
});

test('it is open until everything has settled and come back', () => {
  const tally = new Tally();
  expect(tally.isOpen).toBe(false);
  tally.sent('a', 0);
  tally.echoed('a', 1);
  expect(tally.isOpen).toBe(true);
  tally.acknowledged('a');
  expect(tally.isOpen).toBe(false);
  tally.sent('b', 0);
  tally.acknowledged('b');
  expect(tally.isOpen).toBe(true);
  tally.echoed('b', 1);
  expect(tally.isOpen).toBe(false);
  tally.sent('c', 0);
  tally.failed('c', 'ERR_REJECTED', 'rejected');
  expect(tally.isOpen).toBe(false);
});

test('percentiles are of the nearest rank, and of numbers, not of texts', () => {
  const tally = new Tally();
  for (let ms = 1; ms <= 150; ms++) {
    tally.sent(`${ms}`, 0);
    tally.echoed(`${ms}`, ms);
  }
  expect(tally.figures(1, 1).latencyMs).toEqual({ p50: 75, p95: 143, p99: 149 });
});

test('a table with a row for each figure, and with what failed', () => {
  const tally = new Tally();
  expect(table(tally.figures(1, 0))).toContain('latency p50   -');
  tally.sent('a', 0);
  tally.failed('a', 'ERR_REJECTED', 'rejected');
  expect(table(tally.figures(1, 0)).split('\n')).toContain('failed        1 (ERR_REJECTED × 1)');
});

test('what failed and came back all the same, before or after, is not lost', () => {
  const tally = new Tally();
  tally.sent('after', 0);
  tally.failed('after', 'ERR_REJECTED', 'rejected');
  tally.echoed('after', 1);
  tally.sent('before', 0);
  tally.echoed('before', 1);
  tally.failed('before', 'ERR_REJECTED', 'rejected');
  tally.sent('lost', 0);
  tally.acknowledged('lost');
  expect(tally.figures(1, 1)).toMatchObject({ sent: 3, failed: 2, lost: 1 });
});
