import { type ClusterPort, MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { backTo, bareServer } from './bare.js';

/** The store as a server sees it whose claims come to it late. */
function claimingLate(store: SessionStore, clock: VirtualClock, ms: number): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'claim') return value.bind(target);
      return (call: unknown) =>
        new Promise((resolve) => clock.setTimer(() => resolve(Reflect.apply(value, target, [call])), ms));
    },
  });
}

test('a server that is closed while it asks for a message that another one has keeps no timer for that', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const near = bareServer({}, { shared: { clock, store } });
  // Where servers share a store, one that goes away ends no session.
  const cluster = {
    name: 'memory',
    connect: () => ({ store: claimingLate(store, clock, 200), close: async () => undefined }),
  } satisfies ClusterPort;
  const late = bareServer({ cluster }, { shared: { clock, store }, seed: 2 });
  for (const { server } of [near, late]) {
    server.on('work', () => new Promise<void>((resolve) => clock.setTimer(resolve, 400)));
  }
  const old = late.dial('old');
  old.hello();
  await clock.settle();
  old.frame([0, 1, [2, 'work', 1, { i: 'one' }]]);
  await clock.advance(50);
  const newer = near.dial('newer');
  newer.hello(backTo(old, 2));
  await clock.advance(50);
  const closing = late.server.close();
  await clock.advance(500);
  await closing;
  await clock.until(near.server.close());
  await clock.advance(1_000);
  expect(clock.timers).toBe(0);
});
