import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByNumber } from '../../src/by-number.js';

type Step = { readonly do: 'set' | 'delete' | 'again'; readonly key: number };
const step = fc.record({
  do: fc.constantFrom('set', 'delete', 'again'),
  key: fc.integer({ min: 1, max: 60 }),
}) as fc.Arbitrary<Step>;

describe('entries by rising numbers', () => {
  test('are what a map would hold, in ascending order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const [ours, model] = [new ByNumber<object>(), new Map<number, object>()];
        let highest = 0;
        for (const { do: what, key } of steps) {
          // New ones rise, nearly always; what is there is set again or deleted wherever it stands.
          const known = [...model.keys()][key % Math.max(1, model.size)] ?? key;
          const value = {};
          if (what === 'delete') expect(ours.delete(known)).toBe(model.delete(known));
          else {
            if (what === 'set') highest += key;
            const at = what === 'again' ? known : highest;
            ours.set(at, value);
            model.set(at, value);
          }
          expect(ours.size).toBe(model.size);
          expect(ours.get(known)).toBe(model.get(known));
          expect(ours.has(known)).toBe(model.has(known));
        }
        const sorted = [...model].sort(([one], [other]) => one - other);
        expect([...ours]).toEqual(sorted);
        const visited: (readonly [number, object])[] = [];
        const found = ours.some((value, at) => visited.push([at, value]) === 3);
        expect(found).toBe(sorted.length >= 3);
        expect(visited).toEqual(sorted.slice(0, 3));
        expect([...ours.keys()]).toEqual(sorted.map(([at]) => at));
        for (const [at, value] of [...ours.values()].entries()) expect(value).toBe(sorted[at]?.[1]);
      }),
      { numRuns: 500 },
    );
  });

  test('may be deleted and added while they are gone through', () => {
    const all = new ByNumber<{ n: number }>();
    for (let n = 0; n < 200; n++) all.set(n, { n });
    const seen: number[] = [];
    for (const [key] of all) {
      seen.push(key);
      all.delete(key);
      all.delete(key + 1);
      if (key === 100) all.set(1_000, { n: 1_000 });
    }
    expect(seen).toEqual([...Array.from({ length: 100 }, (_, at) => 2 * at), 1_000]);
    expect(all.size).toBe(0);
  });
});
