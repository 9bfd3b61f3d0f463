import type { ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, type Peer } from './bare.js';
import { counting, microtasks, stepsDuring } from './counting.js';

// What one message costs does not grow with sessions and rooms that have nothing to do with it: counted, not timed.
// docs/scale.md has the same in microseconds.

interface Speaker {
  readonly peer: Peer;
  readonly session: ServerSession;
  /** Numbered items. */
  say(...items: readonly unknown[][]): void;
}

/**
 * A server with so many sessions, each in a room of its own for which there is a rule, as many rooms that are empty, and as
 * many durable outboxes.
 */
async function crowded(strangers: number) {
  const clock = counting(new VirtualClock());
  const store = counting<SessionStore>(new MemoryStore({ clock: clock.port, random: seededRandom(2) }));
  const { server, dial } = bareServer(
    { limits: { acceptPerSecond: Infinity, messagesPerSecond: Infinity } },
    { shared: { clock: clock.port, store: store.port } },
  );
  server.on('note', () => undefined);
  const sessions: ServerSession[] = [];
  server.onSession((session) => sessions.push(session));

  async function speaker(...rooms: readonly string[]): Promise<Speaker> {
    const peer = dial();
    peer.hello();
    await microtasks();
    const session = sessions.at(-1) as ServerSession;
    let said = 0;
    const say = (...items: readonly unknown[][]): void => {
      peer.frame([heardBy(peer), said + 1, ...items]);
      said += items.length;
    };
    for (const room of rooms) say([3, '$join', { room }]);
    await microtasks();
    return { peer, session, say };
  }

  for (let n = 0; n < strangers; n++) {
    // Rules are looked up by the lengths of their patterns: all of these have one.
    const name = `stranger:${String(n).padStart(4, '0')}`;
    server.rooms(`${name}:*`, { join: true });
    const { say } = await speaker(`${name}:room`);
    say([2, 'note', n, { i: `id-${n}`, o: [`outbox-${n}`, 1] }]);
    await server.to(`empty:${n}`).send('news', n);
  }

  /** What is asked of the store, how many timers are set, microtasks asked for, frames written and steps made. */
  async function cost(run: () => unknown, peers: readonly Peer[]) {
    store.calls.clear();
    clock.calls.clear();
    const frames = peers.map((peer) => peer.frames);
    const steps = await stepsDuring(async () => {
      await run();
      await microtasks();
    });
    return {
      store: Object.fromEntries(store.calls),
      timers: clock.calls.get('setTimer') ?? 0,
      microtasks: clock.calls.get('defer') ?? 0,
      frames: peers.map((peer, index) => peer.frames - (frames[index] ?? 0)),
      steps,
    };
  }
  return { server, dial, speaker, cost };
}

/** The number of the last item that it has to acknowledge. */
const heardBy = (peer: Peer): number =>
  [2, 3, 4, 5, 14].reduce((sum, type) => sum + itemsOf(peer, type).length, 0);

type Crowded = Awaited<ReturnType<typeof crowded>>;
/** Makes ready what is to be counted, and says whose frames count. */
type Scene = (place: Crowded) => Promise<readonly [run: () => unknown, ...peers: Peer[]]>;

const SCENES: Readonly<Record<string, Scene>> = {
  async 'an event of a client'({ speaker }) {
    const { say, peer } = await speaker();
    return [() => say([2, 'note', 'hello', { i: 'a' }]), peer];
  },
  async 'a request and its answer'({ speaker }) {
    const { say, peer } = await speaker();
    return [() => say([3, 'echo', 'hello']), peer];
  },
  async 'a volatile event'({ speaker }) {
    const { peer } = await speaker();
    return [() => peer.say([20, 'note', 'hello', { i: 'a' }]), peer];
  },
  async 'a durable event'({ speaker }) {
    const { say, peer } = await speaker();
    return [() => say([2, 'note', 'hello', { i: 'a', o: ['outbox', 7] }]), peer];
  },
  async 'an ack'({ speaker }) {
    const { session, peer } = await speaker();
    void session.send('news', 'hello');
    await microtasks();
    return [() => peer.frame([heardBy(peer), 0]), peer];
  },
  async 'an event to a session'({ speaker }) {
    const { session, peer } = await speaker();
    return [() => void session.send('news', 'hello'), peer];
  },
  async 'an event to a user'({ server, speaker }) {
    const { session, peer } = await speaker();
    return [() => server.toUser(session.user.id).send('news', 'hello'), peer];
  },
  async 'a request to a client, and its answer'({ speaker }) {
    const { say, session, peer } = await speaker();
    const asking = async (): Promise<void> => {
      const answer = session.request('name');
      await microtasks();
      say([4, 1, 'ada']);
      await answer;
    };
    return [asking, peer];
  },
  async 'a publication of a client'({ speaker }) {
    const { say, peer } = await speaker('three');
    const others = [await speaker('three'), await speaker('three')];
    return [() => say([2, 'note', 'hello', { i: 'a', r: 'three' }]), peer, ...others.map((one) => one.peer)];
  },
  async 'a publication of the server'({ server, speaker }) {
    const members = [await speaker('three'), await speaker('three'), await speaker('three')];
    return [() => server.to('three').send('news', 'hello'), ...members.map(({ peer }) => peer)];
  },
  async 'a publication in a room without members'({ server }) {
    return [() => server.to('nobody').send('news', 'hello')];
  },
  async 'a volatile publication'({ server, speaker }) {
    const members = [await speaker('three'), await speaker('three')];
    const cast = (): unknown => server.to('three').send('news', 'hello', { delivery: 'volatile' });
    return [cast, ...members.map(({ peer }) => peer)];
  },
  async 'a join and a leave'({ speaker }) {
    const { peer: other } = await speaker('here');
    const { say, peer } = await speaker();
    const visit = async (): Promise<void> => {
      say([3, '$join', { room: 'here' }]);
      await microtasks();
      say([3, '$leave', { room: 'here' }]);
    };
    return [visit, peer, other];
  },
  async 'a change of presence'({ speaker }) {
    const { peer: other } = await speaker('here');
    const { say, peer } = await speaker('here');
    return [() => say([3, '$presence', { room: 'here', presence: { typing: true } }]), peer, other];
  },
  async 'a new session, and its end'({ dial }) {
    const peer = dial();
    const visit = async (): Promise<void> => {
      peer.hello();
      await microtasks();
      peer.say([13]);
    };
    return [visit, peer];
  },
  async 'a cut and a resume'({ speaker, dial }) {
    const { peer } = await speaker('here');
    const again = dial();
    const back = (): void => {
      peer.leave();
      again.hello(backTo(peer, 2));
      again.say([15, []]);
    };
    return [back, peer, again];
  },
};

async function costOf(scene: Scene, strangers: number) {
  const place = await crowded(strangers);
  const [run, ...peers] = await scene(place);
  return place.cost(run, peers);
}

describe('among 1,000 strangers it takes as much work as among 10:', () => {
  test.each(Object.entries(SCENES))('%s', async (_, scene) => {
    const [few, many] = [await costOf(scene, 10), await costOf(scene, 1_000)];
    expect(many).toEqual(few);
    expect(many.steps).toBeGreaterThan(0);
  });
});

test('a look at everybody is seen', async () => {
  const everybody = new Map(Array.from({ length: 1_000 }, (_, n) => [n, n]));
  const looks: Readonly<Record<string, () => unknown>> = {
    of: () => {
      for (const [one] of everybody) if (one < 0) return;
    },
    values: () => [...everybody.values()],
    copy: () => new Map(everybody),
    set: () => new Set(everybody.keys()),
    array: () => [...Array.from({ length: 1_000 })],
  };
  for (const [how, look] of Object.entries(looks)) {
    const steps = await stepsDuring(async () => void look());
    expect(steps, how).toBeGreaterThan(1_000);
  }
});
