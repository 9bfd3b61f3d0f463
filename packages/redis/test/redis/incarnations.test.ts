import { describe, expect, test } from 'vitest';
import { begin, claimed, event, events, notesOf, publish } from '../../../../test/session-store/harness.js';
import { redisForTests, redisProgram } from './harness.js';

const LEASE = 1_000;

describe.skipIf(!redisProgram)('when a replica has taken over', () => {
  const { make, admin } = redisForTests('--enable-debug-command', 'yes');
  /** What that does to the name of the data's history. */
  const takeOver = () => admin().call('DEBUG', 'CHANGE-REPL-ID');
  const setUp = async () => {
    const under = await make({ leaseMs: LEASE });
    return { ...under, talk: await begin(under.store, 'ada.1') };
  };

  test('sessions of before are lost, and their clients are told what was handled', async () => {
    const { talk, settle, store } = await setUp();
    await talk.accept(events(1, 2));
    await talk.claim();
    await talk.done(1);
    await talk.append('a');
    await settle();
    const notes = notesOf(store);
    await takeOver();
    expect(await talk.read()).toEqual(['lost']);
    expect(await talk.append('b')).toBe('lost');
    await settle();
    const { epoch } = talk.own;
    expect(notes).toMatchObject([{ about: 'end', sid: 'ada.1', why: 'expired', undelivered: 1, epoch }]);
    expect(await talk.attach()).toEqual({ status: 'lost', handled: { low: 1, above: [] }, refused: [] });
    const { own } = await begin(store, 'ada.2');
    expect(own.epoch).not.toBe(epoch);
  });

  test('what they had accepted runs, as what may have run, when a lease is over', async () => {
    const { talk, pass } = await setUp();
    await talk.accept(events(1, 2));
    await takeOver();
    expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
    await pass(LEASE);
    expect(claimed(await talk.claim('B'))).toEqual(['1!', '2!']);
    expect(await talk.done(1, 'token-B', { data: 'RES 1' })).toBe('ok');
  });

  test('a handler that is running keeps its message, though its claim is not there', async () => {
    const { talk, pass, prefix } = await setUp();
    await talk.accept([event(1)]);
    await talk.claim();
    await admin().del(`${prefix}{ada}:session:ada.1:c`);
    await takeOver();
    expect(await talk.renew(1)).toBe('ok');
    expect(await talk.renew(1, 'another')).toBe('gone');
    await pass(LEASE - 1);
    await talk.renew(1);
    await pass(LEASE - 1);
    expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
    expect(await talk.done(1)).toBe('ok');
  });

  test('a room has its members, and a log that begins anew', async () => {
    const { store, talk } = await setUp();
    await talk.join('lobby', 1);
    const before = await publish(store, 'lobby', 'a', { incarnation: talk.own.epoch });
    await takeOver();
    expect(await publish(store, 'lobby', 'b', { incarnation: talk.own.epoch })).toEqual({ status: 'lost' });
    const after = before.status === 'ok' ? before.position : undefined;
    const part = await store.readRoom({ room: 'lobby', after });
    expect(part).toMatchObject({ gap: { from: 1, to: 0, why: 'new-epoch' }, items: [], top: { offset: 0 } });
    expect(await publish(store, 'lobby', 'b')).toMatchObject({ status: 'ok', members: 1 });
  });

  test('on disk, the sessions of a user have one: what a durable outbox has written is known in the next session, too', async () => {
    const { store, prefix } = await make({ durability: 'disk' });
    const [one, other, bob] = [
      await begin(store, 'ada.1'),
      await begin(store, 'ada.2'),
      await begin(store, 'bob.1', { user: { id: 'bob' } }),
    ];
    expect(other.own.epoch).toBe(one.own.epoch);
    expect(bob.own.epoch).not.toBe(one.own.epoch);
    // With the marks it goes: then nobody knows any more what was written.
    const marks = `${prefix}{ada}:outboxes`;
    expect(await admin().pttl(marks)).toBeGreaterThan(86_400_000);
    await admin().del(marks);
    expect((await begin(store, 'ada.3')).own.epoch).not.toBe(one.own.epoch);
  });

  test('of a publication, the one in which it was tried first is remembered until it is old', async () => {
    const { store } = await make();
    const first = await store.incarnation({ room: 'lobby' });
    await takeOver();
    expect(store.incarnation({ room: 'lobby' })).toBe(first);
    expect(await publish(store, 'lobby', 'a', { incarnation: first })).toEqual({ status: 'lost' });
    const second = await store.incarnation({ room: 'lobby' });
    expect(second).not.toBe(first);
    expect(await publish(store, 'lobby', 'a', { incarnation: second })).toMatchObject({ status: 'ok' });
  });

  test('what a lost session has left in rooms and registers is seen to by who looks for orphans', async () => {
    const { store, talk, prefix, pass } = await setUp();
    await talk.join('lobby', 1);
    await takeOver();
    expect(await publish(store, 'lobby', 'a')).toMatchObject({ members: 1 });
    await pass(LEASE);
    for (let look = 0; look < 2; look++) expect(await store.orphans({ idleMs: 0 })).toEqual([]);
    expect(await publish(store, 'lobby', 'b')).toMatchObject({ members: 0 });
    expect(await admin().exists(`${prefix}{user:ada}:register`, `${prefix}{ada}:session:ada.1:r`)).toBe(0);
    expect(await admin().exists(`${prefix}{sessions}:register`)).toBe(1);
    await pass(60_000);
    await store.orphans({ idleMs: 0 });
    expect(await admin().exists(`${prefix}{sessions}:register`)).toBe(0);
  });

  test('what is on disk is not lost with it', async () => {
    const { store } = await make({ durability: 'disk' });
    const talk = await begin(store);
    await talk.append('a');
    await takeOver();
    expect(await talk.read()).toEqual(['1:a']);
    expect(await talk.attach()).toMatchObject({ status: 'resumed' });
  });
});
