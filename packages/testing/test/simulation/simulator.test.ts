import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../simulator/mutants.js';
import { mutated } from '../simulator/mutate.js';
import { play } from '../simulator/play.js';
import { LITE_REGRESSIONS, REGRESSIONS } from '../simulator/regressions.js';
import { violations } from '../simulator/violations.js';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

// Those of which something was learned; many more are in seeds-1.test.ts, seeds-2.test.ts and seeds-lite.test.ts.
test.each(REGRESSIONS)('no invariant is violated in seed $seed: $story', async ({ seed }) => {
  expect(await violations([seed])).toEqual([]);
});

test.each(LITE_REGRESSIONS)('small clients violate no invariant in seed $seed: $story', async ({ seed }) => {
  expect(await violations([seed], 'lite')).toEqual([]);
});

test('the same seed is the same run', async () => {
  const [one, other] = [await play(7, { tracing: true }), await play(7, { tracing: true })];
  expect(one.trace.length).toBeGreaterThan(100);
  expect(one.trace).toEqual(other.trace);
});

describe('wrong rules', () => {
  test.each(MUTANTS.flatMap(({ name, edits }) => edits.map((edit) => ({ name, ...edit }))))(
    '$name: its place in $file is there, once',
    ({ file, ...edit }) => {
      const path = join(packages, file);
      expect(existsSync(path)).toBe(true);
      const text = readFileSync(path, 'utf8');
      expect(mutated(text, [{ file, ...edit }])).not.toBe(text);
    },
  );
});
