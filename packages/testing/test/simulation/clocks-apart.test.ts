import { MemoryStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, type Peer } from './bare.js';

// Servers that share a store, of which one has a clock that is ten minutes ahead.

function ahead(clock: VirtualClock, ms: number): VirtualClock {
  return new Proxy(clock, {
    get(target, name) {
      if (name === 'now') return () => target.now() + ms;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function two() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const fast = bareServer({}, { shared: { clock: ahead(clock, 600_000), store } });
  const slow = bareServer({}, { shared: { clock, store }, seed: 2 });
  return { clock, fast, slow };
}

/** What it was told of members, the newest last. */
const toldOf = (peer: Peer): unknown[] =>
  itemsOf(peer, 6).flatMap(([, , , name, change]) => (name === '$member' ? [change] : []));

test('what a member tells about itself counts at the server with the slower clock as well', async () => {
  const { clock, fast, slow } = two();
  const watcher = slow.dial('watcher');
  watcher.hello();
  watcher.frame([0, 1, [3, '$join', { room: 'lobby' }]]);
  const first = fast.dial();
  first.hello();
  first.frame([0, 1, [3, '$join', { room: 'lobby', presence: 'at the fast one' }]]);
  await clock.advance(1_000);
  const second = slow.dial();
  second.hello(backTo(first, 2, { y: 1 }));
  await clock.advance(1_000);
  second.frame([1, 2, [3, '$presence', { room: 'lobby', presence: 'at the slow one' }]]);
  await clock.advance(1_000);
  expect(JSON.stringify(toldOf(watcher).at(-1))).toContain('at the slow one');
});
