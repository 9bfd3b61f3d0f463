import { expect, test } from 'vitest';
import { play } from './play.js';
import type { ClientKind } from './sim-client.js';
import { story } from './story.js';

const long = process.env['HOLDFAST_LONG'] === '1';
const BLOCK = 200;
const BLOCKS_IN_FILE = long ? { whole: 50, lite: 50 } : { whole: 5, lite: 1 };

/** What was wrong in these runs. */
export async function violations(seeds: Iterable<number>, client: ClientKind = 'whole'): Promise<string[]> {
  const wrong: string[] = [];
  for (const seed of seeds) {
    const { found } = await play(seed, { client });
    const [first] = found;
    if (!first) continue;
    // One story is enough to read.
    const told = wrong.length === 0 ? `\n${await story(seed, client)}` : '';
    wrong.push(`seed ${seed}, invariant ${first.invariant}: ${first.text}${told}`);
  }
  return wrong;
}

/**
 * Everything at once, by the dice of a seed, and the invariants of the protocol after each step. `file`: 0, 1 and so on; in
 * several, so that each core has one. More seeds: npm run sim -- --seeds 100000; all that happened in one: npm run sim -- --seed N.
 * Of small clients: the same with --client lite.
 */
export function testSeeds(file: number, client: ClientKind = 'whole'): void {
  const count = BLOCKS_IN_FILE[client];
  const blocks = Array.from({ length: count }, (_, block) => file * count + block);
  test.each(blocks.map((block) => block * BLOCK + 1))(
    `no invariant is violated in the ${BLOCK} seeds from %i on`,
    async (from) => {
      const seeds = Array.from({ length: BLOCK }, (_, index) => from + index);
      expect(await violations(seeds, client)).toEqual([]);
    },
    // Some ten seconds where nothing else runs.
    BLOCK * 1_000,
  );
}
