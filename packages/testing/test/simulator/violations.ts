import { expect, test } from 'vitest';
import { play } from './play.js';
import { story } from './story.js';

const long = process.env['HOLDFAST_LONG'] === '1';
const BLOCK = 200;
const BLOCKS_IN_FILE = long ? 50 : 5;

/** What was wrong in these runs. */
export async function violations(seeds: Iterable<number>): Promise<string[]> {
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

/**
 * Everything at once, by the dice of a seed, and the invariants of the protocol after each step. `file`: 0, 1 and so on; in
 * several, so that each core has one. More seeds: npm run sim -- --seeds 100000; all that happened in one: npm run sim -- --seed N.
 */
export function testSeeds(file: number): void {
  const blocks = Array.from({ length: BLOCKS_IN_FILE }, (_, block) => file * BLOCKS_IN_FILE + block);
  test.each(blocks.map((block) => block * BLOCK + 1))(
    `no invariant is violated in the ${BLOCK} seeds from %i on`,
    async (from) => {
      expect(await violations(Array.from({ length: BLOCK }, (_, index) => from + index))).toEqual([]);
    },
    // Some ten seconds where nothing else runs.
    BLOCK * 1_000,
  );
}
