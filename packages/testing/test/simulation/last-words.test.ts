import { Type } from '@holdfast/protocol';
import type { HoldfastServer, ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer } from './bare.js';

// What a server says to a client right before it ends the session, as one says why and hangs up.

/** The same store, a turn of the event loop away; its notes come at once. */
function laterBy(store: SessionStore): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'listen') return value.bind(target);
      return async (...call: unknown[]) => value.apply(target, call);
    },
  });
}

/** All that a client of one session hears until it is ended. */
async function heardOf(
  place: (store: SessionStore) => SessionStore,
  says: (session: ServerSession, server: HoldfastServer) => void,
): Promise<unknown[]> {
  const clock = new VirtualClock();
  const store = place(new MemoryStore({ clock, random: seededRandom(1) }));
  const { server, dial } = bareServer({}, { shared: { clock, store } });
  const begun = new Promise<ServerSession>((resolve) => server.onSession(resolve));
  const peer = dial();
  peer.hello();
  const session = await clock.until(begun);
  await clock.until(session.join('lobby'));
  says(session, server);
  void session.end('enough');
  await clock.advance(100);
  return peer.heard.flatMap(([type, first, second, third, payload]) => {
    if (type === Type.EVT) return [second];
    if (type === Type.PUB) return third === 'said' ? [payload] : [];
    return type === Type.BYE ? [first] : [];
  });
}

const atOnce = (store: SessionStore): SessionStore => store;

test.each([
  ['answers at once', atOnce],
  ['answers later', laterBy],
])('messages to a session arrive before its end, with a store that %s', async (_, place) => {
  const heard = await heardOf(place, (session) => {
    for (const n of [1, 2, 3]) session.send('said', n).catch(() => undefined);
  });
  expect(heard).toEqual([1, 2, 3, 'ERR_SESSION_ENDED']);
});

test('what was published in its room does, too, where the store answers at once', async () => {
  const heard = await heardOf(atOnce, (_session, server) => server.to('lobby').send('said', 'to all'));
  expect(heard).toEqual(['to all', 'ERR_SESSION_ENDED']);
});
