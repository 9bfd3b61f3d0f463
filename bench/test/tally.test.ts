import { expect, test } from 'vitest';
import { Tally } from '../src/tally.js';

const tallyOf = (numbers: readonly number[]) => {
  const tally = new Tally();
  for (const number of numbers) tally.hear(number);
  const { heard, doubled, outOfOrder } = tally;
  return { heard, doubled, outOfOrder, missing: tally.missing(5) };
};

test('all of it, once and in order', () => {
  expect(tallyOf([1, 2, 3, 4, 5])).toEqual({ heard: 5, doubled: 0, outOfOrder: 0, missing: [] });
});

test('what is skipped is missing, and nothing else', () => {
  expect(tallyOf([2, 5])).toEqual({ heard: 2, doubled: 0, outOfOrder: 0, missing: [1, 3, 4] });
});

test('what comes again counts each time, and is not out of order', () => {
  expect(tallyOf([1, 2, 3, 2, 3, 3])).toMatchObject({ heard: 3, doubled: 3, outOfOrder: 0, missing: [4, 5] });
});

test('what comes late is out of order once, and not missing', () => {
  expect(tallyOf([1, 4, 2, 3, 5, 2])).toMatchObject({ heard: 5, doubled: 1, outOfOrder: 2, missing: [] });
});

test('many', () => {
  const tally = new Tally();
  for (let number = 1; number <= 200_000; number++) if (number !== 123_456) tally.hear(number);
  expect([tally.heard, tally.doubled, tally.missing(200_000)]).toEqual([199_999, 0, [123_456]]);
});

test('what is no number is an error of the measurement', () => {
  for (const number of [0, -1, 0.5, Number.NaN]) expect(() => new Tally().hear(number)).toThrow(TypeError);
});
