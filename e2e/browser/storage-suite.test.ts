import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openShelf } from '../storage-suite/shelf.js';
import { type StorageResult, sharedCases } from '../storage-suite/suite.js';
import { type Engine, engines } from '../support/engines.js';
import type { Visitor } from '../support/visitor.js';

// The suite of stores over IndexedDB in real browsers; e2e/sockets/storage-suite.test.ts has Node and memory.

const SLOW_MS = 120_000;

const resultsOf = (visitor: Visitor): Promise<readonly StorageResult[]> =>
  vi.waitFor(
    async () => {
      const all = await visitor.read<readonly StorageResult[] | null>('results ?? null');
      if (!all) throw new Error('the suite is not through yet');
      return all;
    },
    { timeout: SLOW_MS, interval: 100 },
  );

describe.each(engines)('$name', ({ name, isThere, open }: Engine) => {
  if (!isThere) {
    test.skip(`${name} is not on this machine`, () => undefined);
    return;
  }
  let visitor: Visitor;
  let shelf: Awaited<ReturnType<typeof openShelf>>;
  beforeAll(async () => {
    visitor = await open();
    shelf = await openShelf();
  });
  afterAll(async () => {
    await visitor?.close();
    await shelf?.close();
  });

  describe.each([
    ['pages, which are closed', 'frames'],
    ['dedicated workers, which are terminated', 'workers'],
  ])('%s', (_what, kind) => {
    let results: readonly StorageResult[] = [];
    beforeAll(async () => {
      await visitor.goTo(shelf.url);
      await visitor.read(`void start('${kind}')`);
      results = await resultsOf(visitor);
    }, 2 * SLOW_MS);

    test.each(sharedCases)('$name', ({ name: wanted }) => {
      expect(results.find((result) => result.name === wanted)).toEqual({ name: wanted });
    });
  });
});
