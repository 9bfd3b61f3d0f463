import { seededRandom } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { backoffDelay, delayBefore } from '../../src/core/backoff.js';

const settings = { baseMs: 500, capMs: 30_000 };

describe('backoff', () => {
  test('the whole step is random, with a tenth of the first as floor', () => {
    expect(backoffDelay(settings, 1, 0)).toBe(50);
    expect(backoffDelay(settings, 1, 0.999_999)).toBe(500);
    expect(backoffDelay(settings, 3, 0.999_999)).toBe(2_000);
    expect(backoffDelay(settings, 3, 0)).toBe(50);
  });

  test('steps double up to the cap, and stay there however long it takes', () => {
    const tops = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((attempt) =>
      backoffDelay(settings, attempt, 0.999_999_99),
    );
    expect(tops).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('a cap below the first step is the only step', () => {
    expect(backoffDelay({ baseMs: 500, capMs: 20 }, 5, 0.5)).toBe(20);
  });

  test('at the cap no delay is drawn by more than 2 % of the clients', () => {
    const { fraction } = seededRandom(7);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 10_000; draw++) {
      const delay = backoffDelay(settings, 12, fraction());
      counts.set(delay, (counts.get(delay) ?? 0) + 1);
    }
    expect(Math.max(...counts.values())).toBeLessThan(200);
    // And they are spread over all of it.
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const [delay, count] of counts) {
      const tenth = Math.min(9, Math.floor(delay / 3_000));
      tenths[tenth] = (tenths[tenth] ?? 0) + count;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(800);
  });
});

describe('the delay before an attempt', () => {
  const all = [0, 0.25, 0.5, 0.75, 0.999_999];

  test('is the word of the server, within 5 %, whatever else there is', () => {
    for (const attempt of [1, 5, 100]) {
      for (const fraction of all) {
        const delay = delayBefore(settings, { attempt, spreadMs: 900_000, retryAfterMs: 60_000 }, fraction);
        expect(delay).toBe(Math.round(60_000 * (0.95 + 0.1 * fraction)));
      }
    }
  });

  test('a word of the server that makes a tight loop is a tenth of the step', () => {
    const delays = [1, 2, 3, 7, 100].map((attempt) =>
      delayBefore(settings, { attempt, spreadMs: 0, retryAfterMs: 0 }, 0),
    );
    expect(delays).toEqual([50, 100, 200, 3_000, 3_000]);
  });

  test('after a loss is spread over what the server asked for; the backoff is the least', () => {
    for (const fraction of all) {
      const backoff = backoffDelay(settings, 1, fraction);
      expect(delayBefore(settings, { attempt: 1, spreadMs: 0 }, fraction)).toBe(backoff);
      expect(delayBefore(settings, { attempt: 1, spreadMs: 10 }, fraction)).toBe(backoff);
      const spread = delayBefore(settings, { attempt: 1, spreadMs: 200_000 }, fraction);
      expect(spread).toBe(Math.max(backoff, Math.round(200_000 * fraction)));
    }
  });

  test('without an end is no delay that a timer would take for none', () => {
    const never = { baseMs: Infinity, capMs: Infinity };
    for (const fraction of all) {
      expect(delayBefore(never, { attempt: 1, spreadMs: 0 }, fraction)).toBe(Infinity);
      expect(backoffDelay({ ...never, baseMs: 1e305 }, 50, fraction)).toBe(Infinity);
    }
  });

  test('a spread is even: each tenth of it gets a tenth of the clients', () => {
    const { fraction } = seededRandom(11);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) {
      const tenth = Math.floor(delayBefore(settings, { attempt: 1, spreadMs: 100_000 }, fraction()) / 10_000);
      tenths[Math.min(9, tenth)] = (tenths[Math.min(9, tenth)] ?? 0) + 1;
    }
    for (const count of tenths) {
      expect(count).toBeGreaterThan(900);
      expect(count).toBeLessThan(1_100);
    }
  });
});
