import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// A client that moves to another connection is never without any: the older one is closed after the newer WELCOME.

const ECHO = [3, 'echo', 1];

async function greeted({ dial, clock }: Bare, name: string, fields: object = {}): Promise<Peer> {
  const peer = dial(name);
  peer.hello(fields);
  await clock.settle();
  return peer;
}

/** A store whose answers to `attach` take so long; all else comes at once, and so does what it tells. */
function slowToAttach(store: SessionStore, clock: VirtualClock, ms: number): SessionStore {
  const later = <V>(value: V): Promise<V> =>
    new Promise((resolve) => clock.setTimer(() => resolve(value), ms));
  const slow: Partial<SessionStore> = { attach: async (call) => later(await store.attach(call)) };
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(slow, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('in one process', () => {
  test('the 4410 follows the WELCOME, and what is written again with it', async () => {
    const bare = bareServer();
    const old = await greeted(bare, 'old');
    old.frame([0, 1, ECHO]);
    await bare.clock.settle();
    const from = bare.story.length;
    const newer = await greeted(bare, 'newer', backTo(old, 2, { y: 1 }));
    expect(bare.story.slice(from)).toEqual(['newer 1', 'newer 4', 'newer 16', 'old closed 4410']);
    expect([welcomeOf(newer).q, old.closed]).toEqual([1, '4410 superseded']);
  });

  test('an ack follows the WELCOME of a session that goes on, also when there is nothing to write again', async () => {
    const bare = bareServer();
    const old = await greeted(bare, 'old');
    expect(old.frames).toBe(1);
    const newer = await greeted(bare, 'newer', backTo(old, 2));
    await bare.clock.advance(200);
    expect([newer.heard.map(([type]) => type), newer.frames]).toEqual([[1], 2]);
  });

  test('onDetach is told before onAttach; in rooms nobody sees it come and go', async () => {
    const told: string[] = [];
    const bare = bareServer();
    bare.server.onAttach((_session, { recovered }) => void told.push(`attach ${recovered}`));
    bare.server.onDetach((_session, { code }) => void told.push(`detach ${code}`));
    const [watcher, old] = [await greeted(bare, 'watcher'), await greeted(bare, 'old')];
    for (const peer of [watcher, old]) peer.frame([0, 1, [3, '$join', { room: 'r' }]]);
    await bare.clock.settle();
    const [seen] = [watcher.heard.length, told.splice(0)];
    await greeted(bare, 'newer', backTo(old, 2, { y: 1 }));
    await bare.clock.advance(5_000);
    expect(told).toEqual(['detach 4410', 'attach true']);
    expect(
      itemsOf(watcher, 6).length - itemsOf({ ...watcher, heard: watcher.heard.slice(0, seen) }, 6).length,
    ).toBe(0);
    expect(bare.server.stats()).toMatchObject({ connections: 2, sessions: 2 });
  });

  test('with a store that takes its time: still after the WELCOME, and what comes meanwhile changes nothing', async () => {
    const clock = new VirtualClock();
    const store = slowToAttach(new MemoryStore({ clock, random: seededRandom(2) }), clock, 300);
    const bare = bareServer({}, { shared: { clock, store } });
    const handled: unknown[] = [];
    bare.server.on('note', (payload) => void handled.push(payload));
    const old = await greeted(bare, 'old');
    await clock.advance(300);
    const newer = await greeted(bare, 'newer', backTo(old, 2));
    // The store has given the session away, and has not answered yet.
    old.frame([0, 1, [2, 'note', 'on the old one']]);
    await clock.advance(299);
    expect([old.closed, newer.heard, handled]).toEqual([undefined, [], []]);
    await clock.advance(1);
    expect(bare.story.slice(-3)).toEqual(expect.arrayContaining(['newer 1', 'old closed 4410']));
    newer.frame([0, 1, [2, 'note', 'on the newer one']]);
    await clock.advance(100);
    expect(handled).toEqual(['on the newer one']);
  });
});

describe('on two servers', () => {
  async function moved() {
    const clock = new VirtualClock();
    const store = new MemoryStore({ clock, random: seededRandom(2) });
    const [a, b] = [
      bareServer({}, { shared: { clock, store } }),
      bareServer({}, { shared: { clock, store: slowToAttach(store, clock, 400) }, seed: 2 }),
    ];
    const handled: unknown[] = [];
    for (const { server } of [a, b]) server.on('note', (payload) => void handled.push(payload));
    const old = await greeted(a, 'old');
    const newer = await greeted(b, 'newer', backTo(old, 2));
    return { clock, a, b, old, newer, handled };
  }

  test('the older connection stays open until the WELCOME from there has had its time', async () => {
    const { clock, a, old, newer } = await moved();
    await clock.advance(400);
    expect([old.closed, welcomeOf(newer).q]).toEqual([undefined, 1]);
    expect(a.server.stats().connections).toBe(1);
    await clock.advance(600);
    expect([old.closed, newer.closed]).toEqual(['4410 superseded', undefined]);
    expect(a.server.stats().connections).toBe(0);
  });

  test('what comes on it meanwhile changes nothing, and nothing is said on it', async () => {
    const { clock, old, newer, handled } = await moved();
    const said = old.heard.length;
    old.frame([0, 1, [2, 'note', 'on the old one']]);
    old.say([7]);
    old.say([13, 'closed', '']);
    old.say([99]);
    old.say([0, { v: 1, c: 'x', n: 9, w: [1, 1] }]);
    await clock.advance(500);
    newer.frame([0, 1, [2, 'note', 'on the newer one']]);
    await clock.advance(2_000);
    expect([handled, old.heard.length - said]).toEqual([['on the newer one'], 0]);
    expect(newer.closed).toBeUndefined();
  });

  test('a client that leaves it by itself is not waited for', async () => {
    const { clock, a, old } = await moved();
    await clock.advance(400);
    old.leave();
    expect(a.server.stats().connections).toBe(0);
    await clock.advance(10_000);
    expect(old.closed).toBe('left');
  });

  test('found by a frame, without a word from the store: the same', async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore({ clock, random: seededRandom(2) });
    const deaf: SessionStore = new Proxy(store, {
      get: (target, name) => {
        if (name === 'listen') return () => () => undefined;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const [a, b] = [
      bareServer({}, { shared: { clock, store: deaf } }),
      bareServer({}, { shared: { clock, store }, seed: 2 }),
    ];
    const old = await greeted(a, 'old');
    await greeted(b, 'newer', backTo(old, 2));
    old.frame([0, 1, ECHO]);
    await clock.advance(999);
    expect([old.closed, itemsOf(old, 4)]).toEqual([undefined, []]);
    await clock.advance(1);
    expect(old.closed).toBe('4410 superseded');
  });
});
