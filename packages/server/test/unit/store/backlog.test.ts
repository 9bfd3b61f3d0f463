import { expect, test } from 'vitest';
import { Backlog } from '../../../src/store/backlog.js';

const never = () => new Promise<number>(() => undefined);

test('while the store is in trouble, so much waits for it and no more', async () => {
  const health = { degraded: true };
  const backlog = new Backlog(health);
  expect(backlog.holds(3)).toBe(3);
  let answer: (value: number) => void = () => undefined;
  const one = backlog.holds(
    new Promise<number>((resolve) => {
      answer = resolve;
    }),
  );
  for (let n = 1; n < 4_999; n++) void backlog.holds(never());
  expect(backlog.refusal('m')).toBeUndefined();
  const failed = Promise.resolve(backlog.holds(Promise.reject(new Error('away')))).catch(() => 'failed');
  expect(backlog.refusal('m')).toMatchObject({ code: 'ERR_OUTBOX_FULL', delivery: 'unsent', messageId: 'm' });
  // A burst is no trouble.
  health.degraded = false;
  expect(backlog.refusal('m')).toBeUndefined();
  health.degraded = true;
  await failed;
  expect(backlog.refusal('m')).toBeUndefined();
  void backlog.holds(never());
  expect(backlog.refusal('m')).toBeDefined();
  answer(1);
  await one;
  expect(backlog.refusal('m')).toBeUndefined();
});
