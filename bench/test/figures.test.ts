import { expect, test } from 'vitest';
import { compare, median, quantile } from '../src/slow/figures.js';

test('quantiles are those of the nearest rank, in whatever order the values come', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
  expect([median([3, 1, 2]), median([10, 9]), quantile([], 0.5)]).toEqual([2, 9, 0]);
});

test('rounds are compared one by one: what slows a whole round down changes no ratio', () => {
  const figures = (p50Ms: number) => ({ perSecond: 1, p50Ms, p99Ms: 1, cpuMicros: 1, memoryMiB: 1 });
  const pairs = [
    { quick: figures(1), stalled: figures(2) },
    { quick: figures(100), stalled: figures(100) },
    { quick: figures(10), stalled: figures(15) },
  ];
  expect(compare(pairs, 'p50Ms')).toEqual({ quick: 10, stalled: 15, ratio: 1.5, least: 1, most: 2 });
});
