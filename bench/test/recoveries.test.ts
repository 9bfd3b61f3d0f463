import { expect, test } from 'vitest';
import { ArrivalLog } from '../src/speed/arrivals.js';
import { recoveries } from '../src/speed/recoveries.js';

test('what was said before a cut and comes after it is no recovery', () => {
  // Said each 10 ms from 100 on, cut at 115: the second was under way, the third is lost, the fourth is kept until 150.
  expect(recoveries([115], [100, 110, 120, 130], [101, 116, null, 150])).toEqual([35]);
});

test('the first to arrive counts, whatever was said first', () => {
  expect(recoveries([5], [10, 20], [40, 30])).toEqual([25]);
});

test('a cut after which nothing has arrived has no time', () => {
  expect(recoveries([0, 50], [10, 60], [12, null])).toEqual([12]);
});

test('an arrival counts when it comes first, and again as doubled; what is skipped stays empty', () => {
  const log = new ArrivalLog();
  for (const n of [1, 3, 3]) log.hear(n);
  const { heardAt, doubled } = log.arrivals();
  expect([heardAt.map((at) => at === null), doubled, log.heard]).toEqual([[false, true, false], 1, 2]);
});
