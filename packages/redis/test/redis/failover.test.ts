import { VirtualClock } from '@holdfast/testing';
import { Command } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../../../test/redis-cluster.js';
import { begin, notesOf, publish, type Talk } from '../../../../test/session-store/harness.js';
import { RedisStore } from '../../src/redis-store.js';
import { connectionTo, random, redisClusterForTests, redisProgram } from './harness.js';

const MASTERS = 3;
const SLOTS = 16_384;
/** Which of the three masters has what stands under this hash tag. */
const placeOf = (prefix: string, tag: string): number =>
  Math.floor((new Command('get', [`${prefix}{${tag}}`]).getSlot() * MASTERS) / SLOTS);
const named = (prefix: string, place: number, before: string, name: string): string => {
  for (let n = 0; ; n++) if (placeOf(prefix, `${before}${name}${n}`) === place) return `${name}${n}`;
};

/** As a server does: until it is answered. */
const insist = async <T>(call: () => T | Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await call();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};

describe.skipIf(!redisProgram)('a cluster of three masters', () => {
  const { make, cluster } = redisClusterForTests(1);
  /** Two users and a room, on the masters of these places. */
  const setUp = async (one: number, other: number, roomAt: number) => {
    const under = await make();
    const { prefix, store } = under;
    const room = named(prefix, roomAt, 'room:', 'r');
    const users = [named(prefix, one, '', 'u'), named(prefix, other, '', 'v')];
    const talks = [];
    for (const id of users) talks.push(await begin(store, `${id}.1`, { user: { id } }));
    for (const talk of talks) await talk.join(room, 1);
    return { ...under, room, users, talks: talks as [Talk, Talk], masters: cluster().masters };
  };
  /** A server whose time stands still until it is moved, and that was told of the last two nodes. */
  const standingStill = async (prefix: string) => {
    const clock = new VirtualClock();
    const connection = connectionTo({ nodes: cluster().urls.slice(1, MASTERS) }, 10_000, clock);
    onTestFinished(() => connection.close());
    const store = new RedisStore(connection, random, { prefix, durability: 'node', leaseMs: 10_000 });
    await store.subscribed;
    const notes = notesOf(store);
    const looks = () => notes.filter(({ about }) => about === 'missed').length;
    return { store, clock, looks };
  };
  /** What the data's history is called changes when a replica takes over, which may lack the last writes. */
  const takeOver = (place: number) => cluster().masters[place]?.admin.call('DEBUG', 'CHANGE-REPL-ID');

  test('each has an incarnation of its own: another one there leaves sessions and rooms elsewhere as they are', async () => {
    const {
      store,
      room,
      talks: [one, other],
    } = await setUp(1, 2, 2);
    const before = await store.incarnation({ room });
    await takeOver(1);
    expect([await one.append('a'), await one.read()]).toEqual(['lost', ['lost']]);
    expect([await other.append('a'), await other.read()]).toEqual(['ok', ['1:a']]);
    expect(await store.incarnation({ room })).toBe(before);
    expect(await publish(store, room, 'x', { incarnation: before })).toMatchObject({ status: 'ok' });
  });

  test('a room that has lost its last writes knows its members again when they read', async () => {
    const {
      store,
      prefix,
      room,
      talks: [one],
      masters,
    } = await setUp(1, 2, 2);
    const { top } = await store.readRoom({ room });
    await masters[2]?.admin.del(`${prefix}{room:${room}}:room:m`);
    await takeOver(2);
    expect(await publish(store, room, 'x')).toMatchObject({ members: 0 });
    const part = await store.readRoom({ room, after: top, member: one.sid });
    expect(part.gap).toMatchObject({ why: 'new-epoch' });
    expect(await publish(store, room, 'y')).toMatchObject({ members: 1 });
  });

  test('a register that has lost its last writes knows a session again when its client comes back', async () => {
    const {
      store,
      prefix,
      users,
      talks: [one],
    } = await setUp(1, 2, 2);
    for (const { admin } of cluster().masters) {
      for (const key of [`{sessions}:register`, ...users.map((id) => `{user:${id}}:register`)]) {
        await admin.del(`${prefix}${key}`).catch(() => undefined);
      }
    }
    expect(await store.find({})).toEqual([]);
    const user = { id: users[0] ?? '' };
    expect(await one.attach({ user })).toMatchObject({ status: 'resumed' });
    const isApart = placeOf(prefix, 'sessions') !== 1 || placeOf(prefix, `user:${users[0]}`) !== 1;
    expect((await store.find({})).map(({ sid }) => sid)).toEqual(isApart ? [one.sid] : []);
  });

  test('one of them is killed, and its replica takes over: its sessions are lost, the others go on, and notes are heard again', async () => {
    const {
      store,
      prefix,
      beside,
      room,
      users,
      talks: [one, other],
      masters,
    } = await setUp(0, 1, 0);
    const third = await standingStill(prefix);
    const second = await beside();
    // The one node that it was told of is killed: it has to know the others by then.
    await second.incarnation({ room });
    const notes = [notesOf(store), notesOf(second)];
    const tried = await store.incarnation({ room });
    await third.store.incarnation({ room });
    await masters[0]?.server.stop();
    // Nobody waits for what stands elsewhere.
    expect(await insist(() => other.append('a', { w: 1 }))).toBe('ok');
    expect(await insist(() => one.read())).toEqual(['lost']);
    await insist(() => third.store.readRoom({ room }));
    expect(await insist(() => publish(store, room, 'x', { w: 7, incarnation: tried }))).toEqual({
      status: 'lost',
    });
    expect(await insist(() => store.incarnation({ room }))).not.toBe(tried);
    expect(await insist(() => publish(store, room, 'x', { w: 8 }))).toMatchObject({
      status: 'ok',
      members: 2,
    });
    expect(await insist(() => other.read())).toEqual(['1:a']);
    // It was found dead many times: that is one reason to look.
    expect(third.looks()).toBe(0);
    await third.clock.advance(1_000);
    expect(third.looks()).toBe(1);
    for (const heard of notes) await until(async () => heard.some(({ about }) => about === 'missed'));
    // Said by each of the three, it comes to both.
    const id = users[0] ?? '';
    await insist(() => begin(store, `${id}.2`, { user: { id } }));
    for (const heard of notes) {
      await until(async () => heard.some((note) => note.about === 'attach' && note.sid === `${id}.2`));
      expect(heard).toContainEqual(expect.objectContaining({ about: 'end', sid: one.sid, why: 'expired' }));
    }
  }, 60_000);
});
