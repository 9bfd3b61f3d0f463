import type { ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// What one server has said to a client, or runs for it, while the client's connection is on another one.

async function greeted({ dial, clock }: Bare, name: string, fields: object = {}): Promise<Peer> {
  const peer = dial(name);
  peer.hello(fields);
  await clock.settle();
  return peer;
}

/** Two servers with one store, and a client that has come to the first of them. */
async function twoServers() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const first = bareServer({}, { shared: { clock, store } });
  const second = bareServer({}, { shared: { clock, store }, seed: 2 });
  const sessions: ServerSession[] = [];
  first.server.onSession((session) => void sessions.push(session));
  const old = await greeted(first, 'old');
  const [session] = sessions;
  if (!session) throw new Error('no session');
  const movedTo = (fields: object) => greeted(second, 'newer', backTo(old, 2, fields));
  return { clock, first, second, old, session, movedTo };
}

/** What a promise has come to by now. */
function watched(sending: PromiseLike<unknown>): unknown[] {
  const outcomes: unknown[] = [];
  sending.then(
    (value) => outcomes.push(value),
    (error: unknown) => outcomes.push(error),
  );
  return outcomes;
}

describe('what a server has sent is acknowledged on another one', () => {
  test('written here, and again there', async () => {
    const { clock, session, old, movedTo } = await twoServers();
    const sent = watched(session.send('news', 'one'));
    await clock.settle();
    expect(itemsOf(old, 2).map(([, , data]) => data)).toEqual(['one']);
    const newer = await movedTo({});
    expect([itemsOf(newer, 2).map(([, , data]) => data), sent]).toEqual([['one'], []]);
    newer.frame([1, 0]);
    await clock.settle();
    expect(sent).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  test('said when the client was there already, in order', async () => {
    const { clock, session, movedTo } = await twoServers();
    const newer = await movedTo({});
    const sent = ['one', 'two', 'three'].map((text) => watched(session.send('news', text)));
    await clock.settle();
    expect(itemsOf(newer, 2).map(([, , data]) => data)).toEqual(['one', 'two', 'three']);
    newer.frame([2, 0]);
    await clock.settle();
    expect(sent).toMatchObject([[{ outcome: 'acknowledged' }], [{ outcome: 'acknowledged' }], []]);
  });

  test('by the HELLO itself', async () => {
    const { clock, session, movedTo } = await twoServers();
    const sent = watched(session.send('news', 'one'));
    await clock.settle();
    await movedTo({ x: 1 });
    expect(sent).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  test('what was never acknowledged ends with the session: nobody knows', async () => {
    const { clock, session, second, movedTo } = await twoServers();
    const [written, waiting] = [watched(session.send('news', 'one')), await movedTo({})];
    const sent = watched(session.send('news', 'two'));
    await clock.settle();
    expect(itemsOf(waiting, 2)).toHaveLength(2);
    await clock.until(second.server.toSession(session.id).end('over'));
    await clock.settle();
    expect([written, sent]).toMatchObject([[{ delivery: 'unknown' }], [{ delivery: expect.any(String) }]]);
  });
});

test('a request that runs here is cancelled there: its signal tells', async () => {
  const { clock, first, old, movedTo } = await twoServers();
  const told: string[] = [];
  first.server.handle(
    'long',
    (_input, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          told.push('aborted');
          resolve('late');
        });
      }),
  );
  old.frame([0, 1, [3, 'long', 1]]);
  await clock.settle();
  const newer = await movedTo({ y: 1 });
  newer.frame([0, 2, [14, 1]]);
  await clock.settle();
  expect([told, itemsOf(newer, 4)]).toEqual([['aborted'], []]);
});

describe('a message whose handler seems to take servers down', () => {
  /** A store in which the claims of everything have run out so often. */
  const runOut = (store: SessionStore, expired: number): SessionStore =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'claim') return typeof value === 'function' ? value.bind(target) : value;
        return async (...call: Parameters<SessionStore['claim']>) => {
          const { items, blocked } = await target.claim(...call);
          return { items: items.map((item) => ({ ...item, expired, redelivered: true })), blocked };
        };
      },
    });

  async function said(expired: number) {
    const clock = new VirtualClock();
    const store = new MemoryStore({ clock, random: seededRandom(2) });
    const bare = bareServer({}, { shared: { clock, store: runOut(store, expired) } });
    const handled: unknown[] = [];
    bare.server.on('note', (payload) => void handled.push(payload));
    bare.server.handle('ask', (payload) => void handled.push(payload));
    const peer = await greeted(bare, 'peer');
    peer.frame([0, 1, [2, 'note', 'one'], [3, 'ask', 'two']]);
    await clock.advance(1_000);
    const refusals = itemsOf(peer, 5).map(([, seq, code]) => [seq, code]);
    return { handled, refusals, errors: bare.errors.map((error) => String((error as Error).message)) };
  }

  test('is run twice more', async () => {
    expect(await said(2)).toEqual({ handled: ['one', 'two'], refusals: [], errors: [] });
  });

  test('is then set aside: its sender is told, and so is the server', async () => {
    const { handled, refusals, errors } = await said(3);
    expect([handled, refusals]).toEqual([
      [],
      [
        [1, 'ERR_HANDLER_FAILED'],
        [2, 'ERR_HANDLER_FAILED'],
      ],
    ]);
    expect(errors).toMatchObject([
      expect.stringContaining("'note' is set aside: 3 times"),
      expect.stringContaining("'ask'"),
    ]);
  });
});

test('a server that closes leaves its sessions to the others: they have not ended', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const cluster = { name: 'memory', connect: () => ({ store, close: async () => undefined }) };
  const [first, second] = [1, 2].map((seed) =>
    bareServer({ cluster }, { shared: { clock, store }, seed }),
  ) as [Bare, Bare];
  const told: string[] = [];
  for (const [name, { server }] of Object.entries({ first, second })) {
    server.onSession(() => void told.push(`${name}: session`));
    server.onDetach(() => void told.push(`${name}: detach`));
    server.onSessionEnd((_session, { reason }) => void told.push(`${name}: ${reason}`));
  }
  const sessions: ServerSession[] = [];
  first.server.onSession((session) => void sessions.push(session));
  const old = await greeted(first, 'old');
  const sent = watched(sessions[0]?.send('news', 'one') ?? Promise.reject(new Error('no session')));
  await clock.settle();
  await clock.until(first.server.close());
  expect([old.closed?.slice(0, 4), told]).toEqual(['1012', ['first: session', 'first: detach']]);
  expect(sent).toMatchObject([{ delivery: 'unknown' }]);
  const newer = await greeted(second, 'newer', backTo(old, 2));
  expect([welcomeOf(newer).q, itemsOf(newer, 2).map(([, , data]) => data)]).toEqual([1, ['one']]);
  newer.say([13, 'closed', '']);
  await clock.settle();
  expect(told.slice(2)).toEqual(['second: detach', 'second: closed']);
});
