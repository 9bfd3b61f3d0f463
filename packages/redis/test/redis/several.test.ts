import { describe, expect, test } from 'vitest';
import { begin, notesOf, publish } from '../../../../test/session-store/harness.js';
import { scripts } from '../../src/script.js';
import { redisForTests, redisProgram } from './harness.js';

function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
const position = { epoch: 'x', offset: 0 };
const into = (name: string) => ({ name, membership: { position, replaced: [] } });

describe.skipIf(!redisProgram)('two servers over one Redis', () => {
  const { make, admin } = redisForTests();
  const two = async () => {
    const under = await make();
    return { ...under, other: await under.beside() };
  };

  test('hear the same notes in the same order, and see the same session', async () => {
    const { store, other, settle } = await two();
    const heard = [notesOf(store), notesOf(other)];
    const talk = await begin(store);
    await other.append({ sid: 's1', writer: 'B', w: 1, data: 'hi' });
    await other.move({ sid: 's1', move: into('lobby') });
    await publish(store, 'lobby', 'x');
    await settle();
    // The other one's are on a connection of its own.
    await expect.poll(() => heard[1]?.length).toBe(heard[0]?.length);
    expect(heard[0]?.map(({ about }) => about)).toEqual(['attach', 'session', 'move', 'room']);
    expect(heard[1]).toEqual(heard[0]);
    expect(await talk.read()).toEqual(['1:hi']);
  });

  test('who tells a room last, though it was moved first, does not have the last word', async () => {
    const { store, beside } = await two();
    const [held, released] = [gate(), gate()];
    let holding = true;
    const late = await beside((connection) => ({
      run: async (script, keys, args) => {
        if (script === scripts.seat && holding) {
          holding = false;
          held.open();
          await released.opened;
        }
        return connection.run(script, keys, args);
      },
      publish: (channel, message) => connection.publish(channel, message),
      subscribe: (channel, listener) => connection.subscribe(channel, listener),
      checkNotes: () => undefined,
      nodeOf: () => '',
    }));
    await begin(store);
    const moved = late.move({ sid: 's1', move: into('lobby') });
    await held.opened;
    await store.move({ sid: 's1', move: { name: 'lobby' } });
    released.open();
    await moved;
    expect(await publish(store, 'lobby', 'x')).toMatchObject({ members: 0 });
  });

  test('of many who move a session at once, the room believes what the session says', async () => {
    const { store, other } = await two();
    await begin(store);
    for (let round = 0; round < 20; round++) {
      const moves = Array.from({ length: 12 }, (_, n) =>
        (n % 2 ? store : other).move({ sid: 's1', move: n % 3 ? into('lobby') : { name: 'lobby' } }),
      );
      await Promise.all(moves);
      const [found] = await store.find({ sids: ['s1'] });
      const isIn = found?.rooms.includes('lobby') ?? false;
      expect(await publish(store, 'lobby', 'x')).toMatchObject({ members: isIn ? 1 : 0 });
      expect(await other.find({ rooms: ['lobby'] })).toHaveLength(isIn ? 1 : 0);
    }
  });

  test('who ends a session again takes it out of rooms that have not heard of it', async () => {
    const { store, prefix } = await two();
    const talk = await begin(store);
    await talk.join('lobby', 1);
    await store.end({ sid: 's1', why: 'ended' });
    // As if its server had died between the two steps.
    await admin().hset(`${prefix}{room:lobby}:room:m`, 's1', 1);
    await admin().hset(`${prefix}{s1}:session:s1:r`, 'lobby', 'x');
    expect(await publish(store, 'lobby', 'x')).toMatchObject({ members: 1 });
    expect(await store.end({ sid: 's1', why: 'ended' })).toEqual({ status: 'gone' });
    expect(await publish(store, 'lobby', 'y')).toMatchObject({ members: 0 });
  });

  test('who repeats a join that was done tells the room all the same', async () => {
    const { store, prefix } = await two();
    const talk = await begin(store);
    await talk.join('lobby', 1);
    await admin().del(`${prefix}{room:lobby}:room:m`);
    const again = { sid: 's1', seq: 1, token: 'token-A', room: into('lobby') };
    expect(await store.done(again)).toEqual({ status: 'gone' });
    expect(await publish(store, 'lobby', 'x')).toMatchObject({ members: 1 });
  });

  test('sessions are found by user, whoever has made them, and no more when they have ended', async () => {
    const { store, other } = await two();
    await begin(store, 'ada.1');
    await begin(other, 'ada.2');
    await begin(other, 'bob.1', { user: { id: 'bob' } });
    const of = async (...users: string[]) => (await store.find({ users })).map(({ sid }) => sid).sort();
    expect(await of('ada')).toEqual(['ada.1', 'ada.2']);
    expect(await of('ada', 'bob', 'eve')).toEqual(['ada.1', 'ada.2', 'bob.1']);
    expect(await store.find({ sids: [] })).toEqual([]);
    await store.end({ sid: 'ada.2', why: 'closed' });
    expect(await of('ada')).toEqual(['ada.1']);
    expect((await store.find({})).map(({ sid }) => sid).sort()).toEqual(['ada.1', 'bob.1']);
  });

  test('what is touched is looked at again only when it may be idle; what is gone is not looked at for ever', async () => {
    const { store, prefix, pass } = await two();
    const talk = await begin(store);
    const register = `${prefix}{sessions}:register`;
    const began = Number(await admin().zscore(register, 's1'));
    await pass(500);
    await talk.read();
    await pass(500);
    expect(await store.orphans({ idleMs: 1_000 })).toEqual([]);
    expect(Number(await admin().zscore(register, 's1'))).toBe(began + 500);
    await store.end({ sid: 's1', why: 'ended' });
    await pass(60_000);
    expect(await store.orphans({ idleMs: 1_000 })).toEqual([]);
    expect(await admin().zcard(register)).toBe(0);
  });

  test('a session that has ended leaves nothing for longer than a day and a minute', async () => {
    const { store, prefix } = await two();
    const talk = await begin(store, 'ada.1');
    await talk.join('lobby', 1);
    for (const text of ['a', 'b']) await talk.append(text, { place: text });
    await talk.append('REQ', { asks: true });
    await talk.read(0, [1, 1_000]);
    await store.end({ sid: 'ada.1', why: 'ended' });
    const keys = await admin().keys(`${prefix}*`);
    const left = await Promise.all(keys.map(async (key) => [key, await admin().pttl(key)] as const));
    const forEver = left.filter(([, ttl]) => ttl < 0 || ttl > 86_460_000).map(([key]) => key);
    expect(forEver).toEqual([`${prefix}{sessions}:register`]);
  });
});
