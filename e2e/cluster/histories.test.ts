import { expect, test } from 'vitest';
import { EXACT, judge, longestSilence } from './histories.js';

const came = (...numbers: readonly number[]) => numbers.map((n) => ({ n, redelivered: false }));
const again = (n: number) => ({ n, redelivered: true });

test.each([
  ['all of it', came(1, 2, 3, 4), {}],
  ['one is missing', came(1, 2, 4), { lost: 1, examples: ['lost: ada 3'] }],
  ['the last is missing', came(1, 2, 3), { lost: 1, examples: ['lost: ada 4'] }],
  ['one comes twice', came(1, 2, 3, 2, 4), { doubled: 1, examples: ['doubled: ada 2'] }],
  ['one comes twice, and says so', [...came(1, 2, 3), again(2), ...came(4)], { redelivered: 1 }],
  ['two have changed places', came(1, 3, 2, 4), { outOfOrder: 1, examples: ['outOfOrder: ada 2'] }],
  [
    'one comes late, and says that it may have come',
    [...came(1, 3), again(2), ...came(4)],
    { outOfOrder: 1, examples: ['outOfOrder: ada 2'] },
  ],
  ['one was never sent', came(1, 2, 3, 4, 5), { invented: 1, examples: ['invented: ada 5'] }],
])('the judge of histories: %s', (_what, heard, wrong) => {
  const stream = { name: 'ada', sent: [1, 2, 3, 4], came: heard };
  const other = { name: 'ben', sent: [1], came: came(1) };
  expect(judge([stream, other])).toEqual({ messages: 5, ...EXACT, ...wrong });
});

test('the longest silence of a series', () => {
  expect(longestSilence([])).toBe(0);
  expect(longestSilence([5])).toBe(0);
  expect(longestSilence([0, 100, 350, 400])).toBe(250);
});
