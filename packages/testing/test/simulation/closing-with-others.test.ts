import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { backTo, bareServer } from './bare.js';

// A server that is closed while others share its store, and that has not been drained before.

/** What `cluster` takes; its connection to the store goes a moment later than the last socket. */
function clusterOf(store: SessionStore, clock: VirtualClock): never {
  let isOpen = true;
  const gone = (): Promise<never> => Promise.reject(new Error('closed'));
  const own = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'listen') return value.bind(target);
      return async (...call: unknown[]) => (isOpen ? value.apply(target, call) : gone());
    },
  });
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 200));
    isOpen = false;
  };
  return { connect: () => ({ store: own, close }) } as never;
}

test('what a closing server has not begun is handled once, by the server that has the session then', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const [here, there] = [1, 2].map((seed) =>
    bareServer({ concurrency: 1, cluster: clusterOf(store, clock) }, { shared: { clock, store }, seed }),
  );
  if (!here || !there) throw new Error('no servers');
  const begun: unknown[] = [];
  for (const [name, { server }] of Object.entries({ here, there })) {
    server.on('slow', async (n, { redelivered }) => {
      begun.push([name, n, redelivered]);
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 300));
    });
  }
  const first = here.dial();
  first.hello();
  await clock.advance(10);
  first.frame([0, 1, ...[1, 2, 3].map((n) => [2, 'slow', n])]);
  await clock.advance(299);
  // The handler of the first one ends while this server is closing.
  void here.server.close();
  const second = there.dial();
  await clock.advance(100);
  second.hello(backTo(first, 2));
  await clock.advance(30_000);
  expect(begun).toEqual([
    ['here', 1, false],
    ['there', 2, false],
    ['there', 3, false],
  ]);
});
