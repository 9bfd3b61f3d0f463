import { describe, expect, test } from 'vitest';
import { begin, event, type Talk } from '../../../../test/session-store/harness.js';
import { scripts } from '../../src/script.js';
import { redisForTests, redisProgram } from './harness.js';

// A session and a room stand at different places: whoever moves a session tells the room after it, and may die in between.

const ROOM = 'lobby';
const position = { epoch: 'x', offset: 0 };
const membership = { position, replaced: [] };

describe.skipIf(!redisProgram)('a server that dies before it has told the room', () => {
  const { make } = redisForTests();

  const two = async () => {
    const { store, beside, pass } = await make();
    const told: string[] = [];
    const counted = await beside((connection) => ({
      run: (script, keys, args) => {
        if (script === scripts.seat || script === scripts.stand) told.push(String(args[3]));
        return connection.run(script, keys, args);
      },
      publish: (channel, message) => connection.publish(channel, message),
      subscribe: (channel, listener) => connection.subscribe(channel, listener),
      checkNotes: () => undefined,
      nodeOf: (key) => connection.nodeOf(key),
    }));
    let heard: (() => void) | undefined;
    const dying = await beside((connection) => ({
      run: (script, keys, args) => {
        if (script !== scripts.seat) return connection.run(script, keys, args);
        heard?.();
        return new Promise(() => undefined);
      },
      publish: (channel, message) => connection.publish(channel, message),
      subscribe: (channel, listener) => connection.subscribe(channel, listener),
      checkNotes: () => undefined,
      nodeOf: (key) => connection.nodeOf(key),
    }));
    /** Lets it make a call, and die over the room. */
    const dies = (call: () => Promise<unknown>): Promise<void> =>
      new Promise((resolve) => {
        heard = resolve;
        void call();
      });
    const members = async () =>
      (await store.cast({ to: { room: ROOM }, except: new Set(), data: 'x' })).members;
    const joined = async (talk: Talk): Promise<void> => {
      await talk.accept([event(1)]);
      await talk.claim('A');
      const done = { sid: talk.sid, seq: 1, token: 'token-A', room: { name: ROOM, membership } };
      await dies(() => dying.done(done));
      expect(await members()).toBe(0);
    };
    const moved = async (talk: Talk): Promise<void> => {
      await store.move({ sid: talk.sid, move: { name: ROOM, membership } });
      await dies(() => dying.move({ sid: talk.sid, move: { name: ROOM } }));
      expect(await members()).toBe(1);
    };
    const ended = async ({ sid }: Talk): Promise<void> => {
      await store.move({ sid, move: { name: ROOM, membership } });
      await dies(() => dying.end({ sid, why: 'ended' }));
      expect(await members()).toBe(1);
    };
    return { store: counted, pass, told, members, joined, moved, ended };
  };

  test('leaves that to whoever attaches the session', async () => {
    const { store, told, members, joined } = await two();
    const talk = await begin(store);
    await joined(talk);
    await talk.attach();
    expect(await members()).toBe(1);
    // Once it has been told, nobody tells it again.
    told.length = 0;
    await talk.attach();
    expect(told).toEqual([]);
  });

  test('or asks in which rooms it is', async () => {
    const { store, members, joined } = await two();
    const talk = await begin(store);
    await joined(talk);
    const call = { ...talk.own, after: 0, window: [10, 1_000] as const };
    await store.read(call);
    expect(await members()).toBe(0);
    await store.read({ ...call, rooms: true });
    expect(await members()).toBe(1);
  });

  test('or finds it left alone', async () => {
    const { store, pass, members, joined } = await two();
    await joined(await begin(store));
    await pass(60_000);
    expect(await store.orphans({ idleMs: 60_000 })).toMatchObject([{ sid: 's1' }]);
    expect(await members()).toBe(1);
  });

  test('or says that it is there', async () => {
    const { store, members, joined } = await two();
    const talk = await begin(store);
    await joined(talk);
    const there = { userId: 'ada', node: 'A' };
    expect(await store.present({ room: ROOM, sid: 's1', gen: 1, w: 1, there })).toEqual({ status: 'ok' });
    expect(await members()).toBe(1);
  });

  test('also out of a room: to whoever ends the session, or finds it ended', async () => {
    const { store, members, moved } = await two();
    await moved(await begin(store));
    await store.end({ sid: 's1', why: 'ended' });
    expect(await members()).toBe(0);
  });

  test('also the end: to whoever looks for what is left', async () => {
    const { store, pass, members, ended } = await two();
    await ended(await begin(store));
    await pass(600_000);
    expect(await store.orphans({ idleMs: 60_000 })).toEqual([]);
    expect(await members()).toBe(0);
  });
});
