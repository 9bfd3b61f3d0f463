import { seededRandom } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { planOf } from '../src/cutter.js';

test('the same seed makes the same cuts, of every kind', () => {
  const plan = planOf(200, seededRandom(1));
  expect(planOf(200, seededRandom(1))).toEqual(plan);
  expect(planOf(200, seededRandom(2))).not.toEqual(plan);
  expect(new Set(plan.map(({ how }) => how))).toEqual(new Set(['reset', 'end']));
  expect(new Set(plan.map(({ direction }) => direction))).toEqual(new Set([undefined, 'up', 'down']));
  for (const early of [true, false]) expect(plan.some(({ peaceMs }) => (peaceMs === 0) === early)).toBe(true);
  for (const silent of [true, false])
    expect(plan.some(({ silenceMs }) => silenceMs > 0 === silent)).toBe(true);
});
