import { describe, expect, test } from 'vitest';
import { MessageRates } from '../../../src/limits/message-rate.js';
import { TokenBucket, TokenBuckets } from '../../../src/limits/token-bucket.js';

describe('a bucket', () => {
  test('is full at first, fills at its rate, and no further', () => {
    const bucket = new TokenBucket(10, 3);
    const taken = (now: number) => Array.from({ length: 5 }, () => bucket.take(now)).filter(Boolean).length;
    expect([taken(0), taken(99), taken(100), taken(350), taken(60_000)]).toEqual([3, 0, 1, 2, 3]);
    expect([bucket.msUntil(1, 60_000), bucket.msUntil(5, 60_050)]).toEqual([100, 450]);
  });

  test('a clock that jumps back earns nothing, and costs nothing for long', () => {
    const bucket = new TokenBucket(10, 1);
    expect(bucket.take(1_000_000)).toBe(true);
    expect(bucket.take(0)).toBe(false);
    expect(bucket.take(100)).toBe(true);
  });

  test('without a limit there is always one', () => {
    const bucket = new TokenBucket(Infinity, 2);
    expect(Array.from({ length: 9 }, () => bucket.take(0))).not.toContain(false);
    expect(new TokenBucket(1, Infinity).take(0)).toBe(true);
  });

  test('of many keys: those that are full are forgotten, the others are not', () => {
    const buckets = new TokenBuckets(1, 1);
    buckets.of('busy', 0).take(0);
    for (let key = 0; key < 100_000; key++) buckets.of(`key ${key}`, 500);
    expect(buckets.size).toBeLessThan(1_100);
    expect(buckets.of('busy', 500).take(500)).toBe(false);
  });
});

describe('the messages of a session', () => {
  const settings = { messagesPerSecond: 10, burst: 4, userMessagesPerSecond: 15 };

  test('one that comes again is not charged again', () => {
    const rate = new MessageRates(settings).of('ann');
    for (let seq = 1; seq <= 4; seq++) expect(rate.charge(seq, 0)).toBeUndefined();
    for (let seq = 1; seq <= 4; seq++) expect(rate.charge(seq, 0)).toBeUndefined();
    expect(rate.charge(5, 0)).toEqual({ retryAfterMs: 100, flood: false });
  });

  test('those that are refused are told to come one after the other', () => {
    const rate = new MessageRates(settings).of('ann');
    const told = Array.from({ length: 8 }, () => rate.charge(0, 0)?.retryAfterMs);
    expect(told).toEqual([undefined, undefined, undefined, undefined, 100, 200, 300, 400]);
  });

  test('when as many are refused as may be saved up it is a flood, until that has passed', () => {
    const rate = new MessageRates(settings).of('ann');
    const floods = (now: number) =>
      Array.from({ length: 9 }, () => rate.charge(0, now)).filter((one) => one?.flood);
    expect(floods(0)).toEqual([{ retryAfterMs: 400, flood: true }]);
    expect(floods(400)).toHaveLength(4);
    expect(new Set(floods(401).map((one) => one?.flood))).toEqual(new Set([true]));
  });

  test('the sessions of one user share what is theirs; others have their own', () => {
    const rates = new MessageRates(settings);
    const [one, two, other] = [rates.of('ann'), rates.of('ann'), rates.of('ben')];
    const passed = (rate: typeof one) => [1, 2, 3, 4].filter(() => rate.charge(0, 0) === undefined).length;
    expect([passed(one), passed(two), passed(other)]).toEqual([4, 2, 4]);
    expect(two.charge(0, 0)?.retryAfterMs).toBeGreaterThan(0);
  });
});
