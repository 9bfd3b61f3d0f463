import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../simulator/mutants.js';
import { mutated } from '../simulator/mutate.js';
import { play } from '../simulator/play.js';
import { REGRESSIONS } from '../simulator/regressions.js';
import { story } from '../simulator/story.js';

// Everything at once, by the dice of a seed, and the invariants of the protocol after each step. More of them:
// npm run sim -- --seeds 100000; all that happened in one: npm run sim -- --seed N.

const long = process.env['HOLDFAST_LONG'] === '1';
const BLOCK = 200;
const BLOCKS = long ? 100 : 10;
const packages = fileURLToPath(new URL('../../../', import.meta.url));

async function violations(seeds: Iterable<number>): Promise<string[]> {
  const wrong: string[] = [];
  for (const seed of seeds) {
    const { found } = await play(seed);
    const [first] = found;
    if (!first) continue;
    // One story is enough to read.
    const told = wrong.length === 0 ? `\n${await story(seed)}` : '';
    wrong.push(`seed ${seed}, invariant ${first.invariant}: ${first.text}${told}`);
  }
  return wrong;
}

describe('no invariant is violated', () => {
  test.each(Array.from({ length: BLOCKS }, (_, block) => block * BLOCK + 1))(
    `in the ${BLOCK} seeds from %i on`,
    async (from) => {
      expect(await violations(Array.from({ length: BLOCK }, (_, index) => from + index))).toEqual([]);
    },
    // Some ten seconds where nothing else runs.
    BLOCK * 1_000,
  );

  test.each(REGRESSIONS)('in seed $seed: $story', async ({ seed }) => {
    expect(await violations([seed])).toEqual([]);
  });
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
