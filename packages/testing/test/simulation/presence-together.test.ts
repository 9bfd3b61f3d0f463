import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { bareServer, itemsOf, type Peer } from './bare.js';
import { microtasks } from './counting.js';

// Many come and go at once: each member is told in a few frames, not in one for each of them. Frames are counted, nothing is timed.

const LIMITS = { acceptPerSecond: Infinity, messagesPerSecond: Infinity };
const ROOM = 'hall';

/** Each is a user of its own, by the name of its peer, and has joined nothing. */
function hall(shared?: { clock: VirtualClock; store: SessionStore }) {
  const bare = bareServer(
    { limits: LIMITS, auth: (token) => ({ user: { id: token ?? '' } }) },
    shared && { shared },
  );
  const said = new Map<Peer, number>();
  const come = async (name: string): Promise<Peer> => {
    const peer = bare.dial(name, name);
    peer.hello();
    await microtasks();
    return peer;
  };
  const say = (peer: Peer, ...items: readonly unknown[][]): void => {
    peer.frame([0, (said.get(peer) ?? 0) + 1, ...items]);
    said.set(peer, (said.get(peer) ?? 0) + items.length);
  };
  const join = (peer: Peer): void => say(peer, [3, '$join', { room: ROOM }]);
  const leave = (peer: Peer): void => say(peer, [3, '$leave', { room: ROOM }]);
  return { ...bare, come, say, join, leave };
}

type Hall = ReturnType<typeof hall>;
const WATCHERS = 4;

/** A few who stay, and as many visitors. */
async function crowd(place: Hall, size: number) {
  const watchers: Peer[] = [];
  for (let n = 0; n < WATCHERS; n++) watchers.push(await place.come(`watcher-${n}`));
  const visitors: Peer[] = [];
  for (let n = 0; n < size; n++) visitors.push(await place.come(`visitor-${String(n).padStart(4, '0')}`));
  return { watchers, visitors, everybody: [...watchers, ...visitors] };
}

/** Who is there, as this peer was told by its reply and what followed. */
function seenBy(peer: Peer): string[] {
  const members = new Map<string, number>();
  const all = (list: unknown): void => {
    members.clear();
    for (const [userId, sessions] of list as [string, number][]) members.set(userId, sessions);
  };
  for (const [type, , value, name, data] of peer.heard) {
    if (type === 4 && value && typeof value === 'object' && 'members' in value) all(value.members);
    if (type !== 6) continue;
    if (name === '$members') all(data);
    if (name !== '$member') continue;
    const [userId, sessions] = data as [string, number];
    if (sessions > 0) members.set(userId, sessions);
    else members.delete(userId);
  }
  return [...members].map(([userId, sessions]) => `${userId} ${sessions}`).sort();
}

async function framesOf(peers: readonly Peer[], run: () => unknown): Promise<number> {
  const sum = (): number => peers.reduce((frames, peer) => frames + peer.frames, 0);
  const before = sum();
  await run();
  return sum() - before;
}

const SIZES = [50, 100, 300];
type Way = (place: Hall, run: (peer: Peer) => void, peers: readonly Peer[]) => Promise<void>;
const WAYS: Readonly<Record<string, Way>> = {
  async 'in one task'(place, run, peers) {
    for (const peer of peers) run(peer);
    await place.clock.advance(2_000);
  },
  async 'in a task each'(place, run, peers) {
    for (const peer of peers) {
      run(peer);
      await place.clock.settle();
    }
    await place.clock.advance(2_000);
  },
};

describe.each(Object.entries(WAYS))('many come and go, %s:', (_, way) => {
  test('frames grow with them, not with their square', async () => {
    for (const size of SIZES) {
      const place = hall();
      const { watchers, visitors, everybody } = await crowd(place, size);
      const coming = await framesOf(everybody, () => way(place, place.join, everybody));
      const names = everybody.slice(0, 256).map((_, n) => (n < WATCHERS ? `watcher-${n}` : named(n)));
      for (const peer of everybody) expect(seenBy(peer)).toEqual(expect.arrayContaining(here(names)));
      const going = await framesOf(everybody, () => way(place, place.leave, visitors));
      for (const watcher of watchers) expect(seenBy(watcher)).toEqual(here(names.slice(0, WATCHERS)));
      // A reply each, and what they are told of the others: in one task once, and again some time later.
      expect(coming / everybody.length).toBeLessThan(4);
      expect(going / everybody.length).toBeLessThan(4);
    }
  });
});

const named = (at: number): string => `visitor-${String(at - WATCHERS).padStart(4, '0')}`;
const here = (names: readonly string[]): string[] => names.map((name) => `${name} 1`).sort();

test('who are cut at once are gone 5 s later, in one frame', async () => {
  const place = hall();
  const { watchers, visitors, everybody } = await crowd(place, 200);
  for (const peer of everybody) place.join(peer);
  await place.clock.advance(1_000);
  const frames = await framesOf(watchers, async () => {
    for (const peer of visitors) peer.leave();
    await place.clock.advance(6_000);
  });
  expect(frames).toBe(WATCHERS);
  expect(
    itemsOf(watchers[0] as Peer, 6)
      .at(-1)
      ?.slice(3, 5),
  ).toEqual(['$members', watchers.map((_, n) => [`watcher-${n}`, 1])]);
});

/** What this one is told beside the log, and the log, from now on. */
const toldTo = ({ heard }: Peer, from: number): unknown[] =>
  heard
    .slice(from)
    .filter(([type]) => type === 6 || type === 20)
    .map(([type, a, b, c, d]) => (type === 20 ? [a, b] : [c, d]));

test('who comes is told of before what it says, however many come', async () => {
  const place = hall();
  const { watchers, visitors, everybody } = await crowd(place, 30);
  for (const peer of everybody.slice(0, -2)) place.join(peer);
  await place.clock.settle();
  const [watcher] = watchers as [Peer];
  const [ada, bob] = visitors.slice(-2) as [Peer, Peer];
  const from = watcher.heard.length;
  // The others have just come: changes wait.
  place.join(ada);
  await place.clock.settle();
  place.say(ada, [2, 'note', 'hello', { i: 'id-1', r: ROOM }]);
  await place.clock.settle();
  place.join(bob);
  await place.clock.settle();
  bob.say([20, 'note', 'typing', { i: 'id-2', r: ROOM }]);
  await place.clock.settle();
  place.leave(ada);
  await place.clock.settle();
  expect(toldTo(watcher, from)).toEqual([
    ['$member', ['visitor-0028', 1]],
    ['note', 'hello'],
    ['$member', ['visitor-0029', 1]],
    ['note', 'typing'],
  ]);
  await place.clock.advance(1_000);
  expect(toldTo(watcher, from).at(-1)).toEqual(['$member', ['visitor-0028', 0]]);
});

test('who comes and goes in one task is told of once, for those who were given its name meanwhile', async () => {
  const place = hall();
  const [watcher, eve, bob] = [await place.come('watcher'), await place.come('eve'), await place.come('bob')];
  place.join(watcher);
  await place.clock.advance(1_000);
  const from = watcher.heard.length;
  place.join(eve);
  place.join(bob);
  place.leave(eve);
  await place.clock.advance(1_000);
  expect(toldTo(watcher, from)).toHaveLength(1);
  for (const peer of [watcher, bob]) expect(seenBy(peer)).toEqual(['bob 1', 'watcher 1']);
});

test('one change is no frame more than before: it goes along with what is said anyway', async () => {
  const place = hall();
  const [ada, bob] = [await place.come('ada'), await place.come('bob')];
  place.join(ada);
  await place.clock.advance(1_000);
  expect(await framesOf([ada], () => settled(place, () => place.join(bob)))).toBe(1);
  const presence = { room: ROOM, presence: 1 };
  expect(await framesOf([ada], () => settled(place, () => place.say(ada, [3, '$presence', presence])))).toBe(
    1,
  );
});

async function settled({ clock }: Hall, run: () => void): Promise<void> {
  run();
  await clock.advance(1_000);
}

test('one that does not read is told when it does, and one whose socket breaks is nobody else’s trouble', async () => {
  const place = hall();
  const { watchers, visitors, everybody } = await crowd(place, 40);
  for (const peer of everybody) place.join(peer);
  await place.clock.advance(1_000);
  const [slow, broken] = watchers as [Peer, Peer];
  slow.bufferedBytes = 1e9;
  void place.server.to(ROOM).send('note', 'the last that fits');
  await place.clock.settle();
  const frames = slow.frames;
  Object.defineProperty(broken, 'bufferedBytes', {
    get() {
      throw new Error('broken');
    },
  });
  for (const peer of visitors) place.leave(peer);
  await place.clock.advance(1_000);
  expect(slow.frames).toBe(frames);
  slow.reads();
  await place.clock.settle();
  expect(seenBy(slow)).toContain('watcher-0 1');
  expect(seenBy(slow)).toHaveLength(WATCHERS);
  expect(seenBy(watchers[3] as Peer)).toHaveLength(WATCHERS);
  expect(place.errors.length).toBeGreaterThan(0);
});

test('who has joined stays there for itself, though the store has not said so yet when all is told', async () => {
  const clock = new VirtualClock();
  const store: SessionStore = new MemoryStore({ clock, random: seededRandom(3) });
  const present = store.present.bind(store);
  store.present = (call) =>
    call.there?.userId === 'bob'
      ? new Promise((resolve) => clock.setTimer(() => resolve(present(call)), 500))
      : present(call);
  const place = hall({ clock, store });
  const { watchers, visitors, everybody } = await crowd(place, 20);
  for (const peer of everybody) place.join(peer);
  await clock.advance(1_000);
  const bob = await place.come('bob');
  place.join(bob);
  for (const peer of visitors) place.leave(peer);
  await clock.advance(100);
  const left = watchers.map((_, n) => `watcher-${n} 1`);
  expect(seenBy(bob)).toEqual(['bob 1', ...left]);
  expect(seenBy(watchers[0] as Peer)).toEqual(left);
  const frames = bob.frames;
  await clock.advance(1_000);
  expect(seenBy(watchers[0] as Peer)).toEqual(['bob 1', ...left]);
  // It has been told so twice by now.
  expect(bob.frames).toBe(frames);
});

test('who was given a list, after which something has changed, is told who is there as its room begins to flow', async () => {
  const clock = new VirtualClock();
  const store: SessionStore = new MemoryStore({ clock, random: seededRandom(4) });
  const read = store.readRoom.bind(store);
  const place = hall({ clock, store });
  const [watcher, eve, bob] = [await place.come('watcher'), await place.come('eve'), await place.come('bob')];
  for (const peer of [watcher, eve]) place.join(peer);
  await clock.advance(1_000);
  // From where its room flows is read when the list is on its way.
  store.readRoom = (call) =>
    call.after ? new Promise((resolve) => clock.setTimer(() => resolve(read(call)), 500)) : read(call);
  place.join(bob);
  await clock.advance(100);
  expect(seenBy(bob)).toEqual(['bob 1', 'eve 1', 'watcher 1']);
  place.leave(eve);
  await clock.advance(1_000);
  expect(seenBy(bob)).toEqual(['bob 1', 'watcher 1']);
});
