import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// One server moves a session into a room or out of it while its client is on another one, which hears of that by a note of
// the store. Notes and answers of the store overtake each other.

interface Delays {
  readonly answersMs?: number;
  readonly notesMs?: number;
}

/** The store as one server sees it: so late are its answers to what changes or tells where a session is, and its notes. */
function seenLate(
  store: SessionStore,
  clock: VirtualClock,
  { answersMs = 0, notesMs = 0 }: Delays,
): SessionStore {
  const late = new Set<PropertyKey>(['attach', 'read', 'move']);
  return new Proxy(store, {
    get(target, name) {
      if (name === 'listen') {
        return (tell: Parameters<SessionStore['listen']>[0]) =>
          target.listen((note) => void clock.setTimer(() => tell(note), notesMs));
      }
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (call: unknown) => {
        const answer: unknown = Reflect.apply(value, target, [call]);
        if (!late.has(name) || answersMs === 0) return answer;
        return new Promise((resolve) => clock.setTimer(() => resolve(answer), answersMs));
      };
    },
  });
}

/** A server that sees the store as it is, and one that sees it late. */
function twoServers(delays: Delays) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const near = bareServer({}, { shared: { clock, store } });
  const late = bareServer({}, { shared: { clock, store: seenLate(store, clock, delays) }, seed: 2 });
  return { clock, near, late, elsewhere: (peer: Peer) => near.server.toSession(welcomeOf(peer).s) };
}

/** What a peer was told last of a room: the number of the room on its connection, or 0: it is out. */
function lastNumber(peer: Peer, room: string): unknown {
  const syncs = itemsOf(peer, 15).flatMap(([, rooms]) => rooms as readonly (readonly unknown[])[]);
  return syncs.findLast(([name]) => name === room)?.[3];
}

const join = (seq: number, room: string) => [0, seq, [3, '$join', { room }]];

describe('while the connection of a session is being bound to it', () => {
  async function arriving(before: (of: ReturnType<typeof twoServers>, peer: Peer) => Promise<unknown>) {
    const two = twoServers({ answersMs: 100 });
    const { clock, near, late } = two;
    const old = near.dial('old');
    old.hello();
    await clock.settle();
    old.frame(join(1, 'own'));
    await before(two, old);
    await clock.advance(10);
    const newer = late.dial('newer');
    newer.hello(backTo(old, 2, { x: 1, y: 1 }));
    await clock.advance(50);
    expect(newer.heard).toEqual([]);
    return { ...two, old, newer };
  }

  test('it is put into a room: its client learns of that', async () => {
    const { clock, near, old, newer, elsewhere } = await arriving(async () => undefined);
    await clock.until(elsewhere(old).join('put'));
    await clock.advance(60);
    newer.say([15, [['own', 'e', 0]]]);
    await clock.advance(1_000);
    expect(lastNumber(newer, 'put')).toBeGreaterThan(0);
    await clock.until(near.server.to('put').send('line', 'hello'));
    await clock.advance(1_000);
    expect(itemsOf(newer, 6).map(([, , , name, data]) => [name, data])).toContainEqual(['line', 'hello']);
  });

  test('it is taken out of one: its client learns of that, wherever it says that it stands there', async () => {
    const { clock, old, newer, elsewhere } = await arriving(({ clock, near }, peer) =>
      clock.until(near.server.toSession(welcomeOf(peer).s).join('put')),
    );
    const [, [[, epoch]]] = itemsOf(old, 15).at(-1) as [number, [[string, string]]];
    await clock.until(elsewhere(old).leave('put'));
    await clock.advance(60);
    newer.say([15, [['put', epoch, 0]]]);
    await clock.advance(1_000);
    expect(lastNumber(newer, 'put')).toBe(0);
  });
});

describe('on a server that the store reaches late', () => {
  async function thereInRoom(delays: Delays) {
    const two = twoServers(delays);
    const { clock, late } = two;
    const peer = late.dial();
    peer.hello();
    await clock.advance(1_000);
    peer.frame(join(1, 'lobby'));
    await clock.advance(2_000);
    expect(lastNumber(peer, 'lobby')).toBeGreaterThan(0);
    return { ...two, peer };
  }

  test('it was taken out of a room before its client left that and joined it again: it is in', async () => {
    const { clock, near, peer, elsewhere } = await thereInRoom({ notesMs: 300 });
    await clock.until(elsewhere(peer).leave('lobby'));
    peer.frame([0, 2, [3, '$leave', { room: 'lobby' }]]);
    peer.frame(join(3, 'lobby'));
    await clock.advance(1_000);
    expect(lastNumber(peer, 'lobby')).toBeGreaterThan(0);
    await clock.until(near.server.to('lobby').send('line', 'hello'));
    await clock.advance(1_000);
    expect(itemsOf(peer, 6).map(([, , , name, data]) => [name, data])).toContainEqual(['line', 'hello']);
  });

  test('it was put into a room there and taken out of it elsewhere, which is heard of first: it is out', async () => {
    const { clock, late, peer, elsewhere } = await thereInRoom({ answersMs: 300 });
    const { s } = welcomeOf(peer);
    const putting = late.server.toSession(s).join('put');
    await clock.advance(100);
    await clock.until(elsewhere(peer).leave('put'));
    await clock.until(putting);
    await clock.advance(1_000);
    expect(lastNumber(peer, 'put')).toBe(0);
  });

  test('it is moved while the store is being asked where it is: the newest word counts', async () => {
    const { clock, peer, elsewhere } = await thereInRoom({ answersMs: 300 });
    await clock.until(elsewhere(peer).join('one'));
    await clock.advance(100);
    await clock.until(elsewhere(peer).join('two'));
    await clock.advance(1_000);
    const told = itemsOf(peer, 15).flatMap(([, rooms]) => rooms as [string, string, number, number][]);
    expect(told.map(([room, , , number]) => [room, number > 0])).toEqual([
      ['lobby', true],
      ['one', true],
      ['two', true],
    ]);
  });
});
