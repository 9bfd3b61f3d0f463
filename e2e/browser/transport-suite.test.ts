import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import { type CaseResult, resultsOf, SUITE_MS } from '../support/suite-in-page.js';
import type { Visitor } from '../support/visitor.js';
import { Peers } from '../transport-suite/peers.js';
import { socketCases } from '../transport-suite/suite.js';

// The suite of transports in real browsers; e2e/sockets/transport-suite.test.ts has Node and the memory network.

inEachEngine(({ name, open }) => {
  // Firefox hangs up on a dial that was given up only when its own deadline for it has passed.
  const kept = name === 'Firefox' ? ['silent'] : [];
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());

  describe.each([
    ['in a page', 'inPage()'],
    ['in a dedicated worker', 'inWorker()'],
  ])('%s', (_place, start) => {
    let peers: Peers;
    let results: readonly CaseResult[] = [];
    beforeAll(async () => {
      peers = await Peers.open();
      await visitor.goTo(peers.where.http);
      await visitor.read(`void ${start}`);
      results = await resultsOf(visitor);
    }, 2 * SUITE_MS);
    afterAll(async () => {
      await visitor.goTo('about:blank');
      await peers?.close();
    });

    test.each(socketCases)('$name', ({ name: wanted }) => {
      expect(results.find((result) => result.name === wanted)).toEqual({ name: wanted });
    });

    test('no connection is left', async () => {
      await eventually(() => peers.held).toEqual(kept);
    });
  });
});
