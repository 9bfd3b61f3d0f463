import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Engine, engines } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import type { Visitor } from '../support/visitor.js';
import { Peers } from '../transport-suite/peers.js';
import { socketCases, type TransportResult } from '../transport-suite/suite.js';

// The suite of transports in real browsers; e2e/sockets/transport-suite.test.ts has Node and the memory network.

const SLOW_MS = 120_000;

/** Ended by `inPage()` or `inWorker()` of the page. */
const resultsOf = (visitor: Visitor): Promise<readonly TransportResult[]> =>
  vi.waitFor(
    async () => {
      const all = await visitor.read<readonly TransportResult[] | null>('results ?? null');
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
    let results: readonly TransportResult[] = [];
    beforeAll(async () => {
      peers = await Peers.open();
      await visitor.goTo(peers.where.http);
      await visitor.read(`void ${start}`);
      results = await resultsOf(visitor);
    }, 2 * SLOW_MS);
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
