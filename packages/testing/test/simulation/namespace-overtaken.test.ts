import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, type Peer } from './bare.js';
import { house, inside } from './house.js';
import { endOf } from './people.js';

// Whoever is taken out of a namespace is out of it, whatever was under way at that moment; and that is told once.

/** Something of the application's that takes until `goOn`. */
function slowly() {
  const waiting: (() => void)[] = [];
  return {
    wait: () => new Promise<true>((resolve) => waiting.push(() => resolve(true))),
    goOn() {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

describe('taken out while', () => {
  test('a rule is asked: the room is not joined, and nothing of it is heard', async () => {
    const { wait, goOn } = slowly();
    const { bed, admins } = house((server) => {
      server.namespace('/admin').rooms('slow', { join: wait });
    });
    const { ns } = await inside(bed, 'ada admin');
    const heard: unknown[] = [];
    ns.on('word', (text) => heard.push(text));
    const joining = endOf(ns.room('slow').join());
    await bed.advance(100);
    await bed.until(admins().toUser('ada').end());
    goOn();
    await bed.advance(100);
    expect([joining.end, ns.room('slow').getState()]).toMatchObject([
      'ERR_REJECTED rejected',
      { status: 'refused', error: { reason: 'not-in-namespace' } },
    ]);
    expect(await bed.until(admins().to('slow').send('word', 'secret'))).toEqual({ members: 0 });
    await bed.advance(100);
    expect(heard).toEqual([]);
  });

  test('the middleware is asked about what it says: that is refused, and nobody hears it', async () => {
    const { wait, goOn } = slowly();
    const { bed, told, admins } = house((server) => {
      server.namespace('/admin').useMessages(wait);
    });
    const { ns } = await inside(bed, 'ada admin');
    const ends = [ns.send('note', 'late'), ns.request('who')].map(endOf);
    await bed.advance(100);
    await bed.until(admins().toUser('ada').end());
    for (let i = 0; i < 2; i++) {
      goOn();
      await bed.advance(100);
    }
    expect(ends.map(({ end }) => end)).toEqual(['ERR_REJECTED rejected', 'ERR_REJECTED rejected']);
    expect(told).toEqual(['enters ada', 'leaves ada: ended']);
  });

  test('a handler is about to put it into a room: it is not in that room', async () => {
    const { wait, goOn } = slowly();
    const { bed, admins } = house((server) => {
      server.namespace('/admin').on('put', async (_payload, { session }) => {
        await wait();
        await session.join('put');
      });
    });
    const { ns } = await inside(bed, 'ada admin');
    await bed.until(ns.send('put', null));
    await bed.until(ns.leave());
    goOn();
    await bed.advance(100);
    expect(await bed.until(admins().to('put').sessions())).toEqual([]);
    expect(await bed.until(admins().to('put').send('word', 'secret'))).toEqual({ members: 0 });
    expect(ns.room('put').getState().status).not.toBe('joined');
  });

  test('its middleware is asked about one who comes back: it stays out, which is told once', async () => {
    const { wait, goOn } = slowly();
    const { bed, told, admins } = house((server) => {
      server.namespace('/admin').use((_session, { resumed }) => (resumed ? wait() : undefined));
    });
    const { client, ns } = await inside(bed, 'ada admin');
    await bed.until(ns.room('lobby').join());
    const heard: unknown[] = [];
    ns.on('word', (text) => heard.push(text));
    bed.cut(client);
    await bed.advance(4_000);
    expect(client.getState().status).toBe('reconnecting');
    await bed.until(admins().toUser('ada').end());
    void admins().toAll().send('word', 'secret');
    goOn();
    await bed.advance(1_000);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect([ns, ns.room('lobby')].map((one) => one.getState().status)).toEqual(['left', 'left']);
    expect(told).toEqual(['enters ada', 'leaves ada: ended']);
    expect(heard).toEqual([]);
  });
});

/** The same store, so far away: calls, answers and notes take so long, each in their order. */
function farStore(store: SessionStore, clock: VirtualClock, delayMs: number): SessionStore {
  const later = () => new Promise<void>((resolve) => void clock.setTimer(resolve, delayMs));
  return new Proxy(store, {
    get(target, name) {
      if (name === 'listen') {
        return (tell: Parameters<SessionStore['listen']>[0]) =>
          target.listen((note) => void clock.setTimer(() => tell(note), delayMs));
      }
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (call: unknown) => {
        await later();
        const answer: unknown = Reflect.apply(value, target, [call]);
        await later();
        return answer;
      };
    },
  });
}

/** A server with a namespace, and what it was told of who comes and goes there. */
function admins(concurrency?: number, delayMs = 0) {
  const clock = new VirtualClock();
  const memory = new MemoryStore({ clock, random: seededRandom(3) });
  const store = delayMs === 0 ? memory : farStore(memory, clock, delayMs);
  const bare = bareServer({ concurrency }, { shared: { clock, store } });
  const told: string[] = [];
  const ns = bare.server.namespace('/admin');
  ns.rooms('*', { join: true, publish: true });
  ns.onSession(() => told.push('enters'));
  ns.onSessionEnd((_session, { reason }) => told.push(`leaves: ${reason}`));
  const { server, dial, errors } = bare;
  return { clock, memory, server, ns, told, dial, errors };
}

const join = (seq: number, room: string) => [0, seq, [3, '$join', { room }]];

test('a leave that is run when the session has ended is not told of once more', async () => {
  const { clock, server, told, dial } = admins(1);
  server.handle('slow', () => new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000)));
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.frame(join(1, '/admin#'));
  await clock.advance(100);
  peer.frame([0, 2, [3, 'slow', 1], [3, '$leave', { room: '/admin#' }]]);
  peer.say([13, '', '']);
  await clock.advance(3_000);
  expect(told).toEqual(['enters', 'leaves: closed']);
});

test('a session that is ended while the middleware is asked about its return has ended once, and its client hears why', async () => {
  const { wait, goOn } = slowly();
  const { clock, server, ns, told, dial } = admins();
  ns.use((_session, { resumed }) => (resumed ? wait() : undefined));
  server.onAttach(() => told.push('attach'));
  server.onSessionEnd((_session, { reason }) => told.push(`ended: ${reason}`));
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.frame(join(1, '/admin#'));
  await clock.advance(200);
  const back = backTo(peer, 2, { x: 1, y: 1 });
  peer.leave();
  const next = dial();
  next.hello(back);
  await clock.advance(100);
  await clock.until(server.toAll().end('over'));
  goOn();
  await clock.advance(1_000);
  expect(told).toEqual(['attach', 'enters', 'leaves: ended', 'ended: ended']);
  // It is sent away, and is told when it comes again.
  expect([next.heard, next.closed]).toEqual([[], '1012 the session has ended']);
  const last = dial();
  last.hello({ ...back, n: 3 });
  await clock.advance(100);
  expect([last.heard, last.closed]).toEqual([[[13, 'ERR_SESSION_ENDED', 'over']], '4401 ERR_SESSION_ENDED']);
  expect(told).toHaveLength(4);
});

test('where the store answers later: nobody stays in a room of the namespace, whenever it is taken out', async () => {
  for (let afterMs = 0; afterMs < 40; afterMs++) {
    const { clock, memory, ns, told, dial, errors } = admins(undefined, 4);
    const peer = dial();
    peer.hello();
    await clock.advance(100);
    peer.frame(join(1, '/admin#'));
    await clock.advance(100);
    peer.frame(join(2, '/admin#lobby'));
    await clock.advance(afterMs);
    await clock.until(ns.toAll().end());
    await clock.advance(200);
    expect([...memory.find({ rooms: ['/admin#lobby', '/admin#'] })], `after ${afterMs} ms`).toEqual([]);
    expect(lastNumber(peer, '/admin#')).toBe(0);
    expect(lastNumber(peer, '/admin#lobby') ?? 0, `after ${afterMs} ms`).toBe(0);
    expect([told, errors]).toEqual([['enters', 'leaves: ended'], []]);
  }
});

test('where the store answers later: what follows a join in the same frame waits for it', async () => {
  const { clock, ns, dial } = admins(undefined, 4);
  const noted: unknown[] = [];
  ns.on('note', (text) => noted.push(text));
  ns.handle('who', () => 'me');
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.frame([0, 1, [3, '$join', { room: '/admin#' }], [2, '/admin#note', 'in time'], [3, '/admin#who', 1]]);
  await clock.advance(1_000);
  expect([noted, itemsOf(peer, 5)]).toEqual([['in time'], []]);
  expect(itemsOf(peer, 4)).toContainEqual([4, 3, 'me']);
});

/** What a peer was told last of a room: the number of the room on its connection, or 0: it is out. */
function lastNumber(peer: Peer, room: string): unknown {
  const syncs = itemsOf(peer, 15).flatMap(([, rooms]) => rooms as readonly (readonly unknown[])[]);
  return syncs.findLast(([name]) => name === room)?.[3];
}
