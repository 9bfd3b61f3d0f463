import { VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';

test('timers fire by time, those of one moment in the order in which they were set, cancelled ones never', async () => {
  const clock = new VirtualClock(0);
  const fired: string[] = [];
  const delays = Array.from({ length: 200 }, (_, index) => (index * 7_919) % 50);
  const cancels = delays.map((ms, index) => clock.setTimer(() => fired.push(`${ms} ${index}`), ms));
  for (const [index, cancel] of cancels.entries()) if (index % 3 === 0) cancel();
  const expected = delays
    .map((ms, index) => ({ ms, index }))
    .filter(({ index }) => index % 3 !== 0)
    .sort((a, b) => a.ms - b.ms || a.index - b.index)
    .map(({ ms, index }) => `${ms} ${index}`);
  expect(clock.timers).toBe(expected.length);
  await clock.advance(49);
  expect(fired).toEqual(expected);
  expect(clock.timers).toBe(0);
});

test('a timer that is set or cancelled by another counts at once', async () => {
  const clock = new VirtualClock(0);
  const fired: string[] = [];
  clock.setTimer(() => {
    fired.push('first');
    cancelSecond();
    clock.setTimer(() => fired.push('new'), 0);
  }, 5);
  const cancelSecond = clock.setTimer(() => fired.push('second'), 5);
  clock.setTimer(() => fired.push('third'), 5);
  await clock.advance(5);
  expect(fired).toEqual(['first', 'third', 'new']);
});

test('fireNext() fires one at a time, and goes to the end when there is none', () => {
  const clock = new VirtualClock(0);
  const fired: number[] = [];
  for (const ms of [30, 10, 20]) clock.setTimer(() => fired.push(ms), ms);
  expect([clock.fireNext(20), clock.now(), fired]).toEqual([true, 10, [10]]);
  expect([clock.fireNext(20), clock.now(), fired]).toEqual([true, 20, [10, 20]]);
  expect([clock.fireNext(25), clock.now(), fired]).toEqual([false, 25, [10, 20]]);
  expect(clock.timers).toBe(1);
});
