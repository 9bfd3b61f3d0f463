import { expect, test } from 'vitest';
import { OutboxMarks } from '../../../src/store/outbox-marks.js';

const DAY = 86_400_000;
/** Whether these numbers of the outbox were accepted. */
const known = (marks: OutboxMarks, outbox: string, ...numbers: number[]) =>
  numbers.filter((n) => marks.has('ada', [outbox, n]));

test('knows the highest number of each outbox, and with it all below', () => {
  const marks = new OutboxMarks(DAY);
  marks.note('ada', ['a', 3], 0);
  marks.note('ada', ['b', 1], 1);
  marks.note('ada', ['a', 5], 2);
  expect([known(marks, 'a', 1, 3, 4, 5, 6), known(marks, 'b', 1, 2), known(marks, 'c', 1)]).toEqual([
    [1, 3, 4, 5],
    [1],
    [],
  ]);
});

test('an outbox of the same name, of another user, is another one', () => {
  const marks = new OutboxMarks(DAY);
  marks.note('ada', ['a', 3], 0);
  marks.note('a', ['da', 3], 0);
  expect([marks.has('bob', ['a', 1]), marks.has('ad', ['aa', 1]), marks.has('a', ['da', 3])]).toEqual([
    false,
    false,
    true,
  ]);
});

test('an outbox that was not used for the window goes, one that was stays', () => {
  const marks = new OutboxMarks(DAY);
  marks.note('ada', ['old', 1], 0);
  marks.note('ada', ['used', 1], 0);
  marks.note('ada', ['used', 2], DAY);
  marks.note('ada', ['new', 1], DAY + 1);
  expect([known(marks, 'old', 1), known(marks, 'used', 1, 2), known(marks, 'new', 1)]).toEqual([
    [],
    [1, 2],
    [1],
  ]);
  // Nobody was dropped before the time that was promised.
  expect(marks.window(DAY + 1)).toBe(DAY);
});

test('beyond the bound the longest unused goes, and the window that is told is no longer than what is known', () => {
  const marks = new OutboxMarks(DAY, 3);
  for (const [at, outbox] of ['a', 'b', 'c'].entries()) marks.note('ada', [outbox, 1], at * 1_000);
  marks.note('ada', ['a', 2], 3_000);
  expect(marks.window(3_000)).toBe(DAY);
  marks.note('ada', ['d', 1], 10_000);
  expect(['a', 'b', 'c', 'd'].filter((outbox) => marks.has('ada', [outbox, 1]))).toEqual(['a', 'c', 'd']);
  // `b` was used at 1,000: of what was accepted then, nothing is sure any more.
  expect([marks.window(10_000), marks.window(12_000)]).toEqual([9_000, 11_000]);
  expect([marks.window(1_000 + 2 * DAY), marks.window(500)]).toEqual([DAY, 0]);
});
