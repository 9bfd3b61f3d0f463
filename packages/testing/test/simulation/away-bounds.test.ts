import type { ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';
import { type Ending, endOf } from './people.js';

// What a server keeps in memory while its store answers nobody has bounds.

/** A store that answers at once until it is away: then it fails at once. */
function leaving() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const state = { away: false };
  const shared: SessionStore = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'listen') return value.bind(target);
      return async (...call: unknown[]) => {
        if (state.away) throw new Error('away');
        return value.apply(target, call);
      };
    },
  });
  return { clock, shared, state };
}

async function withOne() {
  const { clock, shared, state } = leaving();
  const bare = bareServer({ outbox: { maxMessages: 20_000 } }, { shared: { clock, store: shared } });
  const begun = new Promise<ServerSession>((resolve) => bare.server.onSession(resolve));
  const peer = bare.dial();
  peer.hello();
  const session = await clock.until(begun);
  await clock.advance(100);
  return { ...bare, clock, state, session, peer };
}

test('what is said to one session waits for a store that is away, up to 5,000 messages', async () => {
  const { clock, state, session, peer } = await withOne();
  state.away = true;
  const first = endOf(session.send('tell', 0));
  await clock.advance(2_000);
  const ends: Ending[] = [];
  for (let n = 1; n <= 6_000; n++) ends.push(endOf(session.send('tell', n)));
  const asked = endOf(session.request('ask', 1));
  await clock.advance(10);
  expect(asked.end).toBe('ERR_OUTBOX_FULL unsent');
  expect(ends.filter(({ end }) => end === 'ERR_OUTBOX_FULL unsent')).toHaveLength(1_001);
  state.away = false;
  await clock.advance(10_000);
  expect(first.end).toBe('open');
  const said = itemsOf(peer, 2).map(([, , n]) => n);
  expect(said).toEqual(Array.from({ length: said.length }, (_, n) => n));
});
