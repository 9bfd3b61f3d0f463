import { seededRandom } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { ByAge } from '../../src/by-age.js';

test('keeps what a Map keeps, and knows what was set the longest ago', () => {
  const random = seededRandom(7);
  const dice = (sides: number): number => Math.floor(random.fraction() * sides);
  const [byAge, model] = [new ByAge<number, number>(), new Map<number, number>()];
  for (let step = 0; step < 5_000; step++) {
    const key = dice(12);
    if (dice(3) > 0) {
      model.delete(key);
      model.set(key, step);
      byAge.set(key, step);
    } else expect(byAge.delete(key)).toBe(model.delete(key));
    const [oldest] = model;
    expect([byAge.oldest?.key, byAge.oldest?.value]).toEqual(oldest ?? [undefined, undefined]);
    expect([byAge.size, byAge.get(key), byAge.has(key)]).toEqual([
      model.size,
      model.get(key),
      model.has(key),
    ]);
  }
});
