import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import type { Visitor } from '../support/visitor.js';
import { liveInWorker } from '../support/worker-life.js';
import { type WorkerLine, type WorkerSeen, WorkerSite } from '../support/worker-site.js';

// The same import where there is no window; e2e/sockets/worker-thread.test.ts has a worker thread of Node.

inEachEngine(({ open }) => {
  let visitor: Visitor;
  let site: WorkerSite;
  /** The worker answers each word. */
  const line: WorkerLine = {
    async ask(word) {
      await visitor.read(`void (seen = undefined, post(${JSON.stringify(word)}))`);
      let seen: WorkerSeen | undefined;
      await eventually(async () => {
        seen = (await visitor.read<WorkerSeen | null>('seen ?? null')) ?? undefined;
        return seen !== undefined;
      }).toBe(true);
      return seen as WorkerSeen;
    },
  };

  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());
  beforeEach(async () => {
    site = await WorkerSite.open();
    await visitor.goTo(site.url);
  });
  afterEach(async () => {
    await visitor.goTo('about:blank');
    await site.close();
  });

  test('in a dedicated worker', async () => {
    await visitor.read('void inWorker({})');
    await liveInWorker(site, line);
  });

  test('in a dedicated worker that is a module', async () => {
    await visitor.read(`void inWorker({ type: 'module' })`);
    await liveInWorker(site, line);
  });

  test('in a service worker', async () => {
    await visitor.read('void inServiceWorker()');
    await eventually(() => visitor.read('typeof post')).toBe('function');
    await liveInWorker(site, line);
  });
});
