import { MemoryStore, type Note, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, welcomeOf } from './bare.js';

// Notes between servers are hints. A store that knows that some have been missed says so, and that is enough.

const JOIN = [3, '$join', { room: 'lobby' }];

async function twoServers() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const ears: ((note: Note) => void)[] = [];
  const finds: number[] = [];
  let deaf = false;
  const hardOfHearing: SessionStore = new Proxy(store, {
    get(target, name) {
      if (name === 'listen') {
        return (listener: (note: Note) => void) => {
          ears.push(listener);
          return target.listen((note) => deaf || listener(note));
        };
      }
      if (name === 'find') {
        return (call: Parameters<SessionStore['find']>[0]) => {
          finds.push(clock.now());
          return target.find(call);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const a = bareServer({}, { shared: { clock, store } });
  const b = bareServer({}, { shared: { clock, store: hardOfHearing }, seed: 2 });
  const peer = b.dial();
  peer.hello();
  await clock.settle();
  const deafen = (): void => {
    deaf = true;
  };
  const missed = async (): Promise<void> => {
    deaf = false;
    tell({ about: 'missed' });
    await clock.advance(100);
  };
  const tell = (note: Note): void => {
    for (const hear of ears) hear(note);
  };
  return { clock, a, b, peer, sid: welcomeOf(peer).s, finds, deafen, missed, tell };
}

test('what was sent to a session meanwhile comes then', async () => {
  const { clock, a, peer, sid, deafen, missed } = await twoServers();
  deafen();
  await clock.until(a.server.toUser(sid).send('hi', 1));
  await clock.advance(100);
  expect(itemsOf(peer, 2)).toEqual([]);
  await missed();
  expect(itemsOf(peer, 2).map(([, , payload]) => payload)).toEqual([1]);
});

test('what was said in a room meanwhile comes then, and where a session was put is known', async () => {
  const { clock, a, peer, sid, deafen, missed } = await twoServers();
  peer.frame([0, 1, JOIN]);
  peer.say([15, []]);
  await clock.advance(100);
  deafen();
  await clock.until(a.server.to('lobby').send('hi', 1));
  await clock.until(a.server.toUser(sid).join('other'));
  await clock.until(a.server.to('other').send('hi', 2));
  await clock.advance(100);
  expect(itemsOf(peer, 6)).toEqual([]);
  await missed();
  const said = itemsOf(peer, 6).filter(([, , , name]) => name === 'hi');
  expect(said.map(([, , , , payload]) => payload)).toEqual([1, 2]);
});

describe('a session without a connection here, of whose end nobody has told', () => {
  const MINUTE = 60_000;
  /** Its connection is gone from `b`, which has it in a room. */
  async function left() {
    const world = await twoServers();
    const { clock, b, peer } = world;
    const ended: string[] = [];
    b.server.onSessionEnd((_session, { reason }) => void ended.push(reason));
    peer.frame([0, 1, JOIN]);
    peer.say([15, []]);
    await clock.advance(100);
    peer.leave();
    await clock.advance(100);
    expect(b.server.stats()).toMatchObject({ sessions: 1, rooms: 1, connections: 0 });
    return { ...world, ended };
  }

  test('is let go of when it has been silent for its time to live, and its end is told', async () => {
    const { clock, a, b, sid, ended, deafen, finds } = await left();
    deafen();
    await clock.until(a.server.toSession(sid).end());
    finds.length = 0;
    await clock.advance(1.5 * MINUTE);
    expect([b.server.stats().sessions, ended, finds]).toEqual([1, [], []]);
    await clock.advance(3 * MINUTE);
    expect(b.server.stats()).toMatchObject({ sessions: 0, rooms: 0 });
    // Twice: the first time the note of it might have been on its way.
    expect([ended, finds.length]).toEqual([['lost'], 2]);
  });

  test('sooner, if notes are known to be missing', async () => {
    const { clock, a, b, sid, ended, deafen, missed } = await left();
    deafen();
    await clock.until(a.server.toSession(sid).end());
    await missed();
    expect([b.server.stats().sessions, ended]).toEqual([1, []]);
    await clock.advance(MINUTE / 2);
    expect([b.server.stats().sessions, ended]).toEqual([0, ['lost']]);
  });

  test('whose end is told after the store was asked is told of as it ended, once', async () => {
    const { clock, a, b, sid, ended, deafen, missed, tell } = await left();
    deafen();
    await clock.until(a.server.toSession(sid).end());
    await missed();
    tell({ about: 'end', sid, why: 'ended', undelivered: 0, epoch: '', gen: Infinity, unwritten: [] });
    await clock.advance(MINUTE);
    expect([b.server.stats().sessions, ended]).toEqual([0, ['ended']]);
  });

  test('that goes on elsewhere is kept, asked for once in its time to live, and out of what it has left there', async () => {
    const { clock, a, b, peer, ended, finds } = await left();
    const newer = a.dial('newer');
    newer.hello(backTo(peer, 2, { y: 1 }));
    await clock.settle();
    newer.frame([0, 2, [3, '$leave', { room: 'lobby' }]]);
    await clock.advance(100);
    expect(b.server.stats()).toMatchObject({ sessions: 1, rooms: 1 });
    finds.length = 0;
    for (let half = 0; half < 20; half++) {
      newer.say([8]);
      await clock.advance(MINUTE / 2);
    }
    expect(b.server.stats()).toMatchObject({ sessions: 1, rooms: 0 });
    expect([ended, finds.length]).toEqual([[], 4]);
  });

  test('that has left a room elsewhere can be put into it from here', async () => {
    const { clock, a, b, peer, sid } = await left();
    const newer = a.dial('newer');
    newer.hello(backTo(peer, 2, { y: 1 }));
    await clock.settle();
    newer.frame([0, 2, [3, '$leave', { room: 'lobby' }]]);
    await clock.advance(100);
    const rooms = async () => (await clock.until(b.server.toSession(sid).sessions())).map((one) => one.rooms);
    expect(await rooms()).toEqual([[]]);
    await clock.until(b.server.toSession(sid).join('lobby'));
    expect(await rooms()).toEqual([['lobby']]);
  });
});

test('the end of a session, told late, does not end the one that was made anew under its name', async () => {
  const { clock, b, peer, sid, tell } = await twoServers();
  tell({ about: 'end', sid, why: 'expired', undelivered: 0, epoch: '', gen: 0, unwritten: [] });
  await clock.advance(100);
  expect([b.server.stats().sessions, peer.closed]).toEqual([1, undefined]);
});
