import { expect, test } from 'vitest';
import { Aborter } from '../../src/aborter.js';

test('whoever looks later finds it aborted, with the first reason', () => {
  const aborter = new Aborter();
  expect(aborter.aborted).toBe(false);
  const [first, second] = [new Error('first'), new Error('second')];
  aborter.abort(first);
  aborter.abort(second);
  expect(aborter.aborted).toBe(true);
  expect(aborter.signal.aborted).toBe(true);
  expect(aborter.signal.reason).toBe(first);
});

test('whoever has looked is told', () => {
  const aborter = new Aborter();
  const { signal } = aborter;
  expect(aborter.signal).toBe(signal);
  const told: unknown[] = [];
  signal.addEventListener('abort', () => told.push(signal.reason));
  const reason = new Error('enough');
  aborter.abort(reason);
  aborter.abort(new Error('again'));
  expect(told).toEqual([reason]);
});
