import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShelf } from '../storage-suite/shelf.js';
import { sharedCases } from '../storage-suite/suite.js';
import { inEachEngine } from '../support/engines.js';
import { type CaseResult, resultsOf, SUITE_MS } from '../support/suite-in-page.js';
import type { Visitor } from '../support/visitor.js';

// The suite of stores over IndexedDB in real browsers; e2e/sockets/storage-suite.test.ts has Node and memory.

inEachEngine(({ open }) => {
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
    let results: readonly CaseResult[] = [];
    beforeAll(async () => {
      await visitor.goTo(shelf.url);
      await visitor.read(`void start('${kind}')`);
      results = await resultsOf(visitor);
    }, 2 * SUITE_MS);

    test.each(sharedCases)('$name', ({ name: wanted }) => {
      expect(results.find((result) => result.name === wanted)).toEqual({ name: wanted });
    });
  });
});
