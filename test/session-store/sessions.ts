import { describe, expect, test } from 'vitest';
import { begin, claimed, event, events, type MakeStore, notesOf, nothing, refusal, Talk } from './harness.js';

const LOST = { status: 'lost' };
const STALE = { status: 'stale' };

/** Who gets a session, and who has it. */
export function suiteOfSessions(make: MakeStore): void {
  describe('attach', () => {
    test('a first HELLO makes a session', async () => {
      const { store } = await make();
      const attached = await new Talk(store, 's1').attachFresh();
      expect(attached).toEqual({
        ...{ status: 'new', epoch: expect.stringMatching(/./), gen: expect.any(Number), previous: 0 },
        ...{ accepted: 0, base: 0 },
        ...{ handled: { low: 0, above: [] }, lastMove: 0 },
        ...{ outboxWindowMs: 86_400_000, codec: 'json', rooms: new Map() },
      });
    });

    test('a session that was never made is lost', async () => {
      const { store } = await make();
      const talk = new Talk(store, 's1');
      expect(await talk.attach({ key: 'some' })).toEqual(LOST);
      expect(await talk.attach({ key: undefined })).toEqual(LOST);
      expect(await talk.accept([])).toEqual(LOST);
      expect(await talk.append('hi')).toBe('lost');
      expect(await talk.read()).toEqual(['lost']);
    });

    test('who comes back is told where it stood, and reads on behind what it has', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept(events(1, 3));
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      await talk.read();
      await talk.claim();
      await talk.done(2);
      const { epoch, gen: previous } = talk.own;
      const back = await talk.attach({ received: 2, acked: 1 });
      expect(back).toEqual({
        ...{ status: 'resumed', epoch, gen: expect.any(Number), previous, accepted: 3, base: 2 },
        ...{ handled: { low: 0, above: [2] }, lastMove: 0 },
        ...{ outboxWindowMs: 86_400_000, codec: 'json', rooms: new Map() },
      });
      expect(await talk.read(2)).toEqual(['3:c']);
      expect(await talk.read(0)).toEqual(['3:c']);
    });

    test('a late HELLO is stale and changes nothing', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', { n: 5 });
      const { gen: previous } = talk.own;
      for (const n of [5, 4]) expect(await talk.attach({ n })).toEqual(STALE);
      expect(await talk.attachFresh({ n: 5 })).toEqual(STALE);
      expect(await talk.accept([event(1)])).toEqual({ status: 'ok', accepted: 1 });
      expect(await talk.attach({ n: 6 })).toMatchObject({ status: 'resumed', previous });
    });

    test('user, attach number and key are asked for in this order', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', { n: 5 });
      const { gen: previous } = talk.own;
      const eve = { id: 'eve' };
      expect(await talk.attach({ user: eve, n: 4, key: 'wrong' })).toEqual(LOST);
      expect(await talk.attach({ n: 4, key: 'wrong' })).toEqual(STALE);
      expect(await talk.attach({ n: 6, key: 'wrong' })).toEqual(LOST);
      expect(await talk.attach({ user: eve, n: 6 })).toEqual(LOST);
      expect(await talk.attach({ n: 6, key: undefined })).toEqual(LOST);
      expect(await talk.attach({ n: 6, key: '' })).toEqual(LOST);
      // None of them has counted as an attach.
      expect(await talk.attach({ n: 6 })).toMatchObject({ status: 'resumed', previous });
    });

    test('another incarnation, or a client that knows of more than the store, is lost', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept(events(1, 2));
      await talk.append('hi');
      await talk.read();
      const { gen: previous } = talk.own;
      expect(await talk.attach({ epoch: 'another' })).toEqual(LOST);
      expect(await talk.attach({ received: 2, acked: 2 })).toEqual(LOST);
      expect(await talk.attach({ received: 1, acked: 3 })).toEqual(LOST);
      expect(await talk.attach({ received: 1, acked: 2 })).toMatchObject({ status: 'resumed', previous });
    });
  });

  describe('resume keys', () => {
    test('the one that was shown stays valid until the client is heard with the next', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const first = talk.key;
      // The WELCOME with the second key is lost, and so is the one with the third.
      await talk.attach();
      const second = talk.key;
      expect(await talk.attach({ key: first })).toMatchObject({ status: 'resumed' });
      expect(await talk.attach({ key: second })).toEqual(LOST);
      expect(await talk.attach({ key: first })).toMatchObject({ status: 'resumed' });
      await talk.accept([]);
      expect(await talk.attach({ key: first })).toEqual(LOST);
      expect(await talk.attach()).toMatchObject({ status: 'resumed' });
    });

    test('a frame on the older connection confirms nothing', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const { own, key } = talk;
      await talk.attach();
      expect(await store.accept({ ...own, items: [], ack: 0 })).toEqual({ status: 'fenced' });
      expect(await talk.attach({ key })).toMatchObject({ status: 'resumed' });
    });

    test('a first WELCOME that was lost can be had again, until the client has been heard', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.append('waits already');
      const { gen: previous } = talk.own;
      expect(await talk.attachFresh()).toMatchObject({ status: 'new', previous, accepted: 0 });
      expect(await talk.attachFresh({ user: { id: 'eve' } })).toEqual(LOST);
      expect(await talk.read()).toEqual(['1:waits already']);
      await talk.accept([]);
      expect(await talk.attachFresh()).toEqual(LOST);
      expect(await talk.attach()).toMatchObject({ status: 'resumed' });
    });
  });

  describe('fencing', () => {
    test('the newest connection has the session, and nobody before it', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.append('hi');
      const { own: old } = talk;
      await talk.attach({ node: 'B' });
      expect(await store.accept({ ...old, items: [event(1)], ack: 0 })).toEqual({ status: 'fenced' });
      expect(await store.read({ ...old, after: 0, window: [10, 1_000] })).toEqual({ status: 'fenced' });
      expect(await talk.accept([])).toEqual({ status: 'ok', accepted: 0 });
      expect(await talk.read()).toEqual(['1:hi']);
    });

    test('who speaks of another incarnation is told that it is lost, whatever its generation', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const other = { ...talk.own, epoch: 'another' };
      expect(await store.accept({ ...other, items: [event(1)], ack: 0 })).toEqual(LOST);
      expect(await store.read({ ...other, after: 0, window: [10, 1_000] })).toEqual(LOST);
      expect(await talk.accept([])).toEqual({ status: 'ok', accepted: 0 });
    });

    test('an older connection that goes takes nothing with it', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      const { own: old } = talk;
      await talk.attach();
      await pass(1_000);
      expect(await store.detach(old)).toEqual({ status: 'ok' });
      expect(await store.orphans({ idleMs: 1_000 })).toHaveLength(1);
      expect(await store.detach({ ...talk.own, epoch: 'another' })).toEqual({ status: 'ok' });
      expect(await store.orphans({ idleMs: 1_000 })).toHaveLength(1);
      expect(await talk.read()).toEqual([]);
    });

    test('an attach is told, with its generation', async () => {
      const { store, settle } = await make();
      const notes = notesOf(store);
      const talk = await begin(store);
      const first = talk.own;
      await talk.attach();
      await talk.attach({ n: 1 });
      await settle();
      expect(talk.own.gen).toBeGreaterThan(first.gen);
      expect(notes).toEqual([first, talk.own].map((own) => ({ about: 'attach', ...own })));
    });
  });

  describe('orphans', () => {
    test('are sessions that nobody has touched for so long', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await talk.accept(events(1, 2));
      await pass(500);
      await begin(store, 's2');
      await pass(500);
      expect(await store.orphans({ idleMs: 1_000 })).toEqual([
        { sid: 's1', user: { id: 'ada' }, codec: 'json', unhandled: 2, ended: false },
      ]);
      expect(await store.orphans({ idleMs: 500 })).toHaveLength(2);
    });

    test.each(['accept', 'read', 'attach', 'detach'] as const)('%s touches', async (operation) => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await pass(1_000);
      if (operation === 'accept') await talk.accept([]);
      if (operation === 'read') await talk.read();
      if (operation === 'attach') await talk.attach();
      if (operation === 'detach') await store.detach(talk.own);
      expect(await store.orphans({ idleMs: 1_000 })).toEqual([]);
      await pass(1_000);
      // A connection can go only once.
      if (operation === 'detach') await store.detach(talk.own);
      expect(await store.orphans({ idleMs: 1_000 })).toHaveLength(1);
    });

    test('nothing else touches', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await talk.accept([event(1)]);
      await pass(1_000);
      await talk.append('hi');
      await talk.claim();
      await talk.renew(1);
      await talk.done(1);
      expect(await store.orphans({ idleMs: 1_000 })).toHaveLength(1);
    });
  });

  describe('end', () => {
    test('counts the messages that the client has not acknowledged, and tells', async () => {
      const { store, settle } = await make({ bounds: [3, 10_000] });
      const notes = notesOf(store);
      const talk = await begin(store);
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      await talk.read(0, [2, 1_000]);
      await talk.accept([{ seq: 1, refusal: refusal(1) }], 1);
      await talk.append('d');
      await talk.append('refused');
      await settle();
      notes.length = 0;
      // b was written, c and d were not; an answer is no message of the server's, and what was refused was told.
      expect(await store.end({ sid: 's1', why: 'ended' })).toEqual({ status: 'ok', undelivered: 3 });
      await settle();
      expect(notes).toEqual([{ about: 'end', ...talk.own, why: 'ended', undelivered: 3, unwritten: [] }]);
      expect(await store.end({ sid: 's1', why: 'ended' })).toEqual({ status: 'gone' });
      await settle();
      expect(notes).toHaveLength(1);
    });

    test('of a session that is over nothing is left', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await store.end({ sid: 's1', why: 'closed' });
      expect(await talk.accept([])).toEqual(LOST);
      expect(await talk.read()).toEqual(['lost']);
      expect(await talk.append('hi')).toBe('lost');
      expect(await store.detach(talk.own)).toEqual({ status: 'ok' });
      expect(await store.orphans({ idleMs: 0 })).toEqual([]);
    });

    test('expires only what nobody has touched for so long', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await pass(1_000);
      await talk.read();
      await pass(999);
      expect(await store.end({ sid: 's1', why: 'expired', idleMs: 1_000 })).toEqual({ status: 'gone' });
      expect(await talk.accept([])).toMatchObject({ status: 'ok' });
      await pass(1_000);
      expect(await store.end({ sid: 's1', why: 'expired', idleMs: 1_000 })).toMatchObject({ status: 'ok' });
      await begin(store, 's2');
      expect(await store.end({ sid: 's2', why: 'ended', idleMs: 1_000 })).toMatchObject({ status: 'ok' });
    });

    test('what was accepted goes on being handled, without replies', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await talk.accept(events(1, 3));
      await talk.claim('A', { max: 1 });
      await store.end({ sid: 's1', why: 'closed' });
      expect(await talk.done(1, 'token-A', refusal(1))).toBe('ok');
      expect(await talk.done(1)).toBe('gone');
      await pass(1_000);
      const orphan = { sid: 's1', user: { id: 'ada' }, codec: 'json', unhandled: 2, ended: true };
      expect(await store.orphans({ idleMs: 1_000 })).toEqual([orphan]);
      expect((await talk.claim('B')).items.map(({ seq }) => seq)).toEqual([2, 3]);
      expect([await talk.renew(2, 'token-B'), await talk.done(2, 'token-B')]).toEqual(['ok', 'ok']);
      expect([await talk.release(3, 'token-B'), await talk.done(3, 'token-B')]).toEqual(['ok', 'gone']);
      await talk.claim('B');
      expect(await talk.done(3, 'token-B')).toBe('ok');
      expect(await store.orphans({ idleMs: 0 })).toEqual([]);
    });
  });

  suiteOfTombstones(make);
}

function suiteOfTombstones(make: MakeStore): void {
  describe('tombstones', () => {
    test.each(['ended', 'expired'] as const)(
      'a session that %s tells its client what became',
      async (why) => {
        const { store } = await make();
        const talk = await begin(store);
        const { key: first } = talk;
        await talk.attach();
        const { key: second } = talk;
        // The client may have either key: it was not heard with the second.
        for (const key of [first, second]) expect(await talk.attach({ key, epoch: 'x' })).toEqual(LOST);
        expect(await talk.attach({ key: first })).toMatchObject({ status: 'resumed' });
        await talk.attach({ key: first });
        const { key: newest } = talk;
        await store.end({ sid: 's1', why });
        const told = { status: 'lost', handled: { low: 0, above: [] }, refused: [] };
        for (const key of [first, newest]) expect(await talk.attach({ key })).toEqual(told);
        expect(await talk.attach({ key: second })).toEqual(LOST);
        expect(await talk.attach({ user: { id: 'eve' } })).toEqual(LOST);
        expect(await talk.attach({ key: undefined })).toEqual(LOST);
      },
    );

    test('one that was closed by its client leaves none', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await store.end({ sid: 's1', why: 'closed' });
      expect(await talk.attach()).toEqual(LOST);
      // A first HELLO that is late makes no session of its own.
      expect(await talk.attachFresh()).toEqual(LOST);
    });

    test('tells of refusals that never arrived, and what is handled afterwards', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept([1, 2, 3].map((seq) => ({ seq, refusal: refusal(seq) })));
      await talk.read(0);
      await talk.accept(events(4, 6), 1);
      await talk.claim();
      await talk.done(5, 'token-A', refusal(5));
      await store.end({ sid: 's1', why: 'ended' });
      const refused = [2, 3, 5].map((seq) => refusal(seq).refusal);
      expect(await talk.attach()).toEqual({ status: 'lost', handled: { low: 3, above: [5] }, refused });
      await talk.done(4);
      await talk.done(6, 'token-A', refusal(6));
      // Refused only now, it is no less refused.
      const all = [...refused, refusal(6).refusal];
      expect(await talk.attach()).toEqual({ status: 'lost', handled: { low: 6, above: [] }, refused: all });
    });

    test('stands for a day', async () => {
      const { store, pass } = await make();
      const talk = await begin(store);
      await store.end({ sid: 's1', why: 'ended' });
      await pass(86_400_000);
      expect(await talk.attach()).toMatchObject({ status: 'lost', handled: { low: 0 } });
      await pass(1);
      expect(await talk.attach()).toEqual(LOST);
    });

    test('one made anew under the same id is not for who had the one before', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const asleep = { ...talk.own };
      await store.end({ sid: 's1', why: 'expired' });
      expect(await talk.attachFresh()).toMatchObject({ status: 'new', previous: 0 });
      expect(talk.own.gen).toBeGreaterThan(asleep.gen);
      expect(await store.read({ ...asleep, after: 0, window: [10, 1_000], rooms: false })).toEqual({
        status: 'fenced',
      });
      expect(await store.accept({ ...asleep, items: [event(1)], ack: 0 })).toEqual({ status: 'fenced' });
      expect(await talk.accept([event(1)])).toEqual({ status: 'ok', accepted: 1 });
      // Nor does it run what that one is sent, as long as there is somebody who knows it.
      for (const life of [asleep, { ...talk.own, epoch: 'another' }]) {
        expect(await talk.claim('A', { life })).toEqual({ items: [], blocked: false });
      }
      expect(claimed(await talk.claim('A', { life: talk.own }))).toEqual(['1']);
    });

    test('no session is made again whose numbers were used', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await store.end({ sid: 's1', why: 'expired' });
      // Its first WELCOME was lost for so long that the session expired: nothing has been numbered.
      expect(await talk.attachFresh()).toMatchObject({ status: 'new', previous: 0 });
      await talk.accept([nothing(1)]);
      await store.end({ sid: 's1', why: 'expired' });
      expect(await talk.attachFresh()).toEqual(LOST);
      expect(await talk.attach()).toMatchObject({ handled: { low: 1 } });

      const closed = await begin(store, 's2');
      await closed.accept([event(1)]);
      await store.end({ sid: 's2', why: 'closed' });
      // Somebody still has to handle the message of its predecessor.
      expect(await closed.attachFresh()).toEqual(LOST);
    });

    test('one that was made again is told from its predecessor', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const { key } = talk;
      await store.end({ sid: 's1', why: 'expired' });
      await talk.attachFresh();
      await store.end({ sid: 's1', why: 'ended' });
      expect(await talk.attach({ key })).toEqual(LOST);
    });
  });
}
