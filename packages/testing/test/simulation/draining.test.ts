import { MemoryStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';
import { endOf } from './people.js';

const GOAWAY = 11;

/** Who comes one after the other is let in. */
async function crowd({ dial, clock }: Bare, count: number, everyMs = 0): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let n = 0; n < count; n++) {
    const peer = dial(`peer ${n}`);
    peer.hello();
    peers.push(peer);
    await clock.advance(everyMs);
  }
  return peers;
}

describe('drain()', () => {
  test('asks everybody to go, spread over the time that others need to take them in', async () => {
    const bare = bareServer({ limits: { acceptPerSecond: 100 } });
    const peers = await crowd(bare, 500, 10);
    const drained = endOf(bare.server.drain());
    await bare.clock.settle();
    const asked = peers.flatMap((peer) => itemsOf(peer, GOAWAY));
    expect([asked.length, new Set(asked.map(([, reason]) => reason))]).toEqual([500, new Set(['drain'])]);
    const after = asked.map(([, , ms]) => Number(ms));
    expect(after.every((ms) => Number.isInteger(ms) && ms >= 0 && ms < 5_500)).toBe(true);
    // Flat: about 91 of them in each second.
    for (let second = 0; second < 5; second++) {
      const inIt = after.filter((ms) => Math.floor(ms / 1_000) === second).length;
      expect(inIt).toBeGreaterThan(60);
      expect(inIt).toBeLessThan(125);
    }
    expect(peers.every(({ closed }) => closed === undefined)).toBe(true);
    expect(bare.server.stats()).toMatchObject({ draining: true, connections: 500 });
    for (const peer of peers.slice(1)) peer.leave();
    await bare.clock.settle();
    expect(drained.end).toBe('open');
    peers[0]?.leave();
    await bare.clock.settle();
    expect([drained, bare.server.stats()]).toMatchObject([{ end: 'ok', times: 1 }, { sessions: 0 }]);
  });

  test('everybody is asked within the first half of the time there is', async () => {
    const bare = bareServer({ limits: { acceptPerSecond: 10 } });
    const peers = await crowd(bare, 100, 100);
    const drained = endOf(bare.server.drain({ deadlineMs: 4_000 }));
    await bare.clock.settle();
    const after = peers.flatMap((peer) => itemsOf(peer, GOAWAY)).map(([, , ms]) => Number(ms));
    expect([after.length, Math.max(...after) < 2_000, Math.max(...after) > 1_800]).toEqual([100, true, true]);
    await bare.clock.advance(3_999);
    expect(peers.map(({ closed }) => closed).filter(Boolean)).toEqual([]);
    await bare.clock.advance(1);
    expect(new Set(peers.map(({ closed }) => closed))).toEqual(new Set(['1012 the server is going down']));
    await bare.clock.advance(1_000);
    expect(drained).toEqual({ end: 'ok', times: 1 });
  });

  test('work goes on for those who are here; newcomers are told to try elsewhere', async () => {
    const bare = bareServer({
      auth: (token) => (token ? new Promise(() => undefined) : { user: { id: 'u' } }),
    });
    const [peer] = (await crowd(bare, 1)) as [Peer];
    const [silent, asking] = [bare.dial('silent'), bare.dial('asking')];
    asking.hello({ a: 'token' });
    void bare.server.drain();
    const late = bare.dial('late');
    late.hello();
    await bare.clock.settle();
    expect([silent, asking, late].map(({ closed, heard }) => [closed, heard])).toEqual(
      Array(3).fill(['1012 ra=1000', []]),
    );
    peer.frame([0, 1, [3, 'echo', 'still']]);
    await bare.clock.advance(100);
    expect(itemsOf(peer, 4)).toEqual([[4, 1, 'still']]);
    expect(bare.server.stats()).toMatchObject({ sessions: 1, connections: 1 });
  });

  test('nobody here: it ends at once', async () => {
    const bare = bareServer();
    const drained = endOf(bare.server.drain());
    await bare.clock.settle();
    expect(drained.end).toBe('ok');
  });

  test('twice is once, and close() ends it', async () => {
    const bare = bareServer();
    const [peer] = (await crowd(bare, 1)) as [Peer];
    const ends = [endOf(bare.server.drain()), endOf(bare.server.drain({ deadlineMs: 1 }))];
    await bare.clock.advance(1_000);
    expect([itemsOf(peer, GOAWAY).length, peer.closed, ends[1]?.end]).toEqual([1, undefined, 'open']);
    ends.push(endOf(bare.server.close()));
    await bare.clock.settle();
    expect([peer.closed, ends.map(({ end }) => end)]).toEqual([
      '1012 the server is going down',
      ['ok', 'ok', 'ok'],
    ]);
    ends.push(endOf(bare.server.drain()));
    await bare.clock.settle();
    expect([ends[3]?.end, bare.server.stats().draining]).toEqual(['ok', true]);
  });

  test('who moves to a server beside it has no outage, and the drain ends when all have moved', async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore({ clock, random: seededRandom(2) });
    const [a, b] = [
      bareServer({}, { shared: { clock, store } }),
      bareServer({}, { shared: { clock, store }, seed: 2 }),
    ];
    const peers = await crowd(a, 20);
    const drained = endOf(a.server.drain());
    await clock.settle();
    const moved: Peer[] = [];
    for (const peer of peers) {
      const newer = b.dial('newer');
      newer.hello(backTo(peer, 2));
      await clock.advance(10);
      expect([welcomeOf(newer).q, peer.closed]).toEqual([1, undefined]);
      peer.leave();
      moved.push(newer);
    }
    await clock.settle();
    expect(drained.end).toBe('ok');
    expect([b.server.stats(), moved.every(({ closed }) => !closed)]).toMatchObject([
      { connections: 20 },
      true,
    ]);
  });

  test.each([[{ deadlineMs: -1 }], [{ deadlineMs: '5' }], [{ deadline: 5 }], [5]])(
    '%j: a TypeError',
    async (options) => {
      const { server } = bareServer();
      await expect(server.drain(options as object)).rejects.toThrow(TypeError);
      expect(server.stats().draining).toBe(false);
    },
  );
});

test('a client may not say GOAWAY: a bad frame', async () => {
  const bare = bareServer();
  const [peer, other] = (await crowd(bare, 2)) as [Peer, Peer];
  peer.say([GOAWAY, 'drain', 0]);
  expect([peer.closed, other.closed]).toEqual(['4400 ERR_PROTOCOL', undefined]);
});

test('WELCOME tells over how long to spread, as soon as that is worth a word', async () => {
  const bare = bareServer({ limits: { acceptPerSecond: 30 } });
  const peers = await crowd(bare, 60, 34);
  const told = peers.map((peer) => welcomeOf(peer).r);
  expect(told.slice(0, 4)).toEqual([undefined, undefined, 100, 134]);
  expect(told[59]).toBe(2_000);
  for (const peer of peers.slice(0, 30)) peer.leave();
  const [next] = (await crowd(bare, 1)) as [Peer];
  expect(welcomeOf(next).r).toBe(Math.ceil((31 / 30) * 1_000));
});

test('a handler that still runs when all have gone may finish, and its message is handled once', async () => {
  const finished: number[] = [];
  const bare = bareServer();
  bare.server.on('work', async () => {
    await new Promise<void>((resolve) => void bare.clock.setTimer(resolve, 3_000));
    finished.push(bare.clock.now());
  });
  const [peer] = (await crowd(bare, 1)) as [Peer];
  peer.frame([0, 1, [2, 'work', null]]);
  await bare.clock.advance(10);
  const drained = endOf(bare.server.drain());
  peer.leave();
  await bare.clock.advance(2_900);
  expect([finished, drained.end]).toEqual([[], 'open']);
  await bare.clock.advance(200);
  expect([finished.length, drained.end]).toEqual([1, 'ok']);
});

test('a handler that never ends holds it no longer than its time, and keeps nothing ticking afterwards', async () => {
  const bare = bareServer();
  bare.server.on('work', () => new Promise(() => undefined));
  const [peer] = (await crowd(bare, 1)) as [Peer];
  peer.frame([0, 1, [2, 'work', null]]);
  await bare.clock.advance(10);
  const drained = endOf(bare.server.drain({ deadlineMs: 500 }));
  await bare.clock.advance(499);
  expect([peer.closed, drained.end]).toEqual([undefined, 'open']);
  await bare.clock.advance(1);
  expect([peer.closed, drained.end]).toEqual(['1012 the server is going down', 'ok']);
  peer.leave();
  await bare.clock.advance(1_000);
  expect(bare.clock.timers).toBe(0);
});
