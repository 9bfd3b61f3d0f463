import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryGround } from '../storage-suite/memory.js';
import { wrongly, wrongStores } from '../storage-suite/mutants.js';
import { ProcessGround } from '../storage-suite/processes.js';
import { exclusiveCases, runStorageCases, sharedCases } from '../storage-suite/suite.js';

// The suite of stores over what Node has; e2e/browser/storage-suite.test.ts has the browsers.

describe('memory', () => {
  test.each(sharedCases)('$name', async (one) => {
    expect(await runStorageCases([one], new MemoryGround(), '')).toEqual([{ name: one.name }]);
  });
});

describe('a file, of processes that are killed', () => {
  let ground: ProcessGround;
  beforeAll(async () => {
    ground = await ProcessGround.open();
  });
  afterAll(() => ground?.close());

  test.each(exclusiveCases)('$name', { timeout: 60_000 }, async (one) => {
    expect(await runStorageCases([one], ground, join(ground.folder, 'outbox-'))).toEqual([
      { name: one.name },
    ]);
  });
});

test.each(Object.entries(wrongStores))('the suite notices a store that %s', async (_name, wrong) => {
  const results = await runStorageCases(sharedCases, new MemoryGround(wrongly(wrong)), '');
  expect(results.filter(({ why }) => why !== undefined)).not.toEqual([]);
});
