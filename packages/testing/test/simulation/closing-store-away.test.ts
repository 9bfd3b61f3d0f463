import type { HoldfastServer, ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer } from './bare.js';

// What the application waits for when its server is closed, and the store it shares with others cannot be reached.

/** How it answers when it is away: it throws, not at all, or in 50 ms. */
type How = 'fails' | 'silent' | 'late';

function away(how: How) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  let isAway = false;
  const own: SessionStore = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'listen') return value.bind(target);
      return async (...call: unknown[]): Promise<unknown> => {
        if (!isAway) return Reflect.apply(value, target, call);
        if (how === 'fails') throw new Error('away');
        return new Promise((resolve) => {
          if (how === 'late') clock.setTimer(() => resolve(Reflect.apply(value, target, call)), 50);
        });
      };
    },
  });
  const close = () => new Promise<void>((resolve) => void clock.setTimer(resolve, 200));
  const cluster = { connect: () => ({ store: own, close }) } as never;
  const auth = (token: string | undefined) => ({ user: { id: token ?? '' } });
  const bare = bareServer({ cluster, auth }, { shared: { clock, store } });
  return {
    ...bare,
    goAway: () => {
      isAway = true;
    },
  };
}

type Waiting = (server: HoldfastServer, session: ServerSession) => Promise<unknown>;
const WAITING: Readonly<Record<string, Waiting>> = {
  'to(room).send()': (server) => server.to('room').send('note', 1),
  'to(room, room).send()': (server) => server.to('room', 'other').send('note', 1),
  'toUser().send()': (server) => server.toUser('ada').send('note', 1),
  'toUser().sessions()': (server) => server.toUser('ada').sessions(),
  'toUser().join()': (server) => server.toUser('ada').join('other'),
  'toUser().leave()': (server) => server.toUser('ada').leave('room'),
  'toUser().end()': (server) => server.toUser('ada').end(),
  'session.send()': (_, session) => session.send('note', 1),
  'session.request()': (_, session) => session.request('ask', 1, { timeoutMs: Infinity }),
  'session.join()': (_, session) => session.join('other'),
  'session.leave()': (_, session) => session.leave('room'),
  'session.end()': (_, session) => session.end(),
};

async function outcomes(how: How, waiting: Waiting, ms = 10_000) {
  const place = away(how);
  const { server, clock, dial } = place;
  const sessions: ServerSession[] = [];
  server.onSession((session) => sessions.push(session));
  const ada = dial('ada', 'ada');
  ada.hello();
  await clock.advance(100);
  ada.frame([0, 1, [3, '$join', { room: 'room' }]]);
  await clock.advance(100);
  place.goAway();
  const ends: unknown[] = [];
  const wait = (): void => {
    waiting(server, sessions[0] as ServerSession).then(
      () => ends.push('ok'),
      ({ code, delivery }) => ends.push(`${code} ${delivery}`),
    );
  };
  wait();
  await clock.advance(ms);
  const before = [...ends];
  await clock.until(server.close());
  await clock.advance(100);
  // And what is asked of a server that is closed.
  wait();
  await clock.advance(100);
  return { before, after: ends };
}

const OVER = /^ERR_(CLOSED|SESSION_LOST) (unknown|unsent)$/;

test.each(Object.keys(WAITING))('%s ends with its server', async (what) => {
  for (const how of ['fails', 'silent'] as const) {
    const { before, after } = await outcomes(how, WAITING[what] as Waiting);
    expect(before).toEqual([]);
    expect(after).toEqual([expect.stringMatching(OVER), expect.stringMatching(OVER)]);
  }
});

test('what nobody looks at harms nobody', async () => {
  const { before, after } = await outcomes('fails', async (server, session) => {
    for (const waiting of Object.values(WAITING)) void waiting(server, session);
    return new Promise(() => undefined);
  });
  expect([...before, ...after]).toEqual([]);
});

test('what the store answers before its connection is closed has been done', async () => {
  const { after } = await outcomes('late', (server) => server.to('room').send('note', 1), 10);
  expect(after[0]).toBe('ok');
});
