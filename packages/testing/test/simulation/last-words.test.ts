import { Type } from '@holdfast/protocol';
import type { HoldfastServer, ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';
import { openBed } from './people.js';

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

test.each([
  ['answers at once', atOnce],
  ['answers later', laterBy],
])('so do those to its user, with a store that %s', async (_, place) => {
  const heard = await heardOf(place, ({ user }, server) => {
    for (const n of [1, 2, 3]) void server.toUser(user.id).send('said', n);
  });
  expect(heard).toEqual([1, 2, 3, 'ERR_SESSION_ENDED']);
});

test('what was published in its room does, too, where the store answers at once', async () => {
  const heard = await heardOf(atOnce, (_session, server) => server.to('lobby').send('said', 'to all'));
  expect(heard).toEqual(['to all', 'ERR_SESSION_ENDED']);
});

const toIt = (session: ServerSession | undefined, text: string): unknown =>
  session?.send('said', text).catch(() => undefined);
const toItsUser = (session: ServerSession | undefined, text: string, server: HoldfastServer): unknown =>
  server.toUser(session?.user.id ?? '').send('said', text);

test.each([
  ['of messages', 'short', 3_000, toIt],
  ['of bytes', 'x'.repeat(400_000), 8, toIt],
  ['of messages, to its user,', 'short', 3_000, toItsUser],
  ['of bytes, to its user,', 'x'.repeat(400_000), 8, toItsUser],
])('what a window %s does not hold at once arrives before its end', async (_, text, count, say) => {
  const begun: ServerSession[] = [];
  const bed = openBed({
    outbox: { maxMessages: 10_000, maxBytes: 10_000_000 },
    setup: (server) => server.onSession((session) => begun.push(session)),
  });
  const client = bed.createClient();
  let heard = 0;
  client.on('said', () => heard++);
  await bed.until(client.connect());
  const [session] = begun;
  for (let n = 0; n < count; n++) say(session, text, bed.server);
  await bed.until(session?.end('enough') ?? Promise.reject());
  await bed.advance(100);
  expect(heard).toBe(count);
  expect(client.getState()).toMatchObject({ status: 'failed', error: { code: 'ERR_SESSION_ENDED' } });
});

test('a window that stays closed keeps nobody for longer than a moment', async () => {
  const { server, clock, dial } = bareServer();
  const begun = new Promise<ServerSession>((resolve) => server.onSession(resolve));
  const peer = dial();
  peer.hello({ w: [1, 1_000] });
  const session = await clock.until(begun);
  for (const n of [1, 2]) session.send('said', n).catch(() => undefined);
  void session.end('enough');
  await clock.advance(900);
  expect(peer.closed).toBeUndefined();
  await clock.advance(200);
  expect(peer.closed).toBe('4401 ERR_SESSION_ENDED');
  expect(itemsOf(peer, Type.EVT)).toHaveLength(1);
});

describe('to a client that does not read', () => {
  /** Its socket is full, and a word for it waits, when its session is ended. */
  async function slow() {
    const bare = bareServer();
    const begun = new Promise<ServerSession>((resolve) => bare.server.onSession(resolve));
    const peer = bare.dial();
    peer.hello();
    const session = await bare.clock.until(begun);
    peer.bufferedBytes = 10_000_000;
    session.send('said', 1).catch(() => undefined);
    await bare.clock.advance(10);
    session.send('said', 2).catch(() => undefined);
    const ended = session.end('enough');
    await bare.clock.advance(500);
    expect(peer.closed).toBeUndefined();
    return { ...bare, peer, ended };
  }

  test('its end waits a moment, and is told behind what it has not read', async () => {
    const { clock, peer, ended } = await slow();
    peer.reads();
    await clock.until(ended);
    expect(itemsOf(peer, Type.EVT).map(([, , n]) => n)).toEqual([1, 2]);
    expect(peer.closed).toBe('4401 ERR_SESSION_ENDED');
  });

  test('but no longer', async () => {
    const { clock, peer, ended } = await slow();
    await clock.advance(500);
    expect(peer.closed).toBe('4401 ERR_SESSION_ENDED');
    await clock.until(ended);
  });

  test('nor if its connection goes', async () => {
    const { clock, peer, ended } = await slow();
    const at = clock.now();
    peer.leave();
    await clock.until(ended);
    expect(clock.now()).toBe(at);
  });
});

test('whoever is ended right before the server goes is told of its end, not of the server', async () => {
  const heard = await heardOf(laterBy, (session, server) => {
    session.send('said', 1).catch(() => undefined);
    void session.end('enough');
    void server.close();
  });
  expect(heard).toEqual([1, 'ERR_SESSION_ENDED']);
});

test('a store that does not answer holds up nobody who goes', async () => {
  const clock = new VirtualClock();
  const store = laterBy(new MemoryStore({ clock, random: seededRandom(1) }));
  let isDeaf = false;
  const deaf = new Proxy(store, {
    get: (target, name) => (isDeaf ? () => new Promise(() => undefined) : Reflect.get(target, name, target)),
  });
  const { server, dial } = bareServer({}, { shared: { clock, store: deaf } });
  const begun = new Promise<ServerSession>((resolve) => server.onSession(resolve));
  const peer = dial();
  peer.hello();
  const session = await clock.until(begun);
  isDeaf = true;
  session.send('said', 1).catch(() => undefined);
  void session.end('enough');
  const closed = server.close();
  await clock.advance(2_000);
  await clock.until(closed);
  expect(peer.closed).toBe('1012 the server is going down');
});
