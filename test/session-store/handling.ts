import { describe, expect, test } from 'vitest';
import { begin, claimed, event, events, type MakeStore, notesOf } from './harness.js';

const LEASE = 1_000;

/** Running handlers under leases. */
export function suiteOfHandling(make: MakeStore): void {
  const withMessages = async (count: number) => {
    const under = await make({ leaseMs: LEASE });
    const talk = await begin(under.store);
    await talk.accept(events(1, count));
    return { ...under, talk };
  };

  describe('claim', () => {
    test('gives the oldest first, no more than asked for, with the token', async () => {
      const { talk } = await withMessages(3);
      expect(await talk.claim('A', { max: 0 })).toEqual({ items: [], blocked: false });
      const first = await talk.claim('A', { max: 2, token: 't1' });
      expect(first).toEqual({
        items: [1, 2].map((seq) => {
          const { item } = event(seq);
          return { seq, item, token: 't1', redelivered: false, expired: 0 };
        }),
        blocked: false,
      });
      expect(claimed(await talk.claim('A', { running: [1, 2] }))).toEqual(['3']);
      expect(await talk.claim('A', { running: [1, 2, 3] })).toEqual({ items: [], blocked: false });
    });

    test('of a session that is not there is nothing', async () => {
      const { talk, store } = await withMessages(0);
      expect(await talk.claim()).toEqual({ items: [], blocked: false });
      const call = { sid: 'unknown', holder: 'A', running: [], max: 9, token: 't' };
      expect(await store.claim(call)).toEqual({ items: [], blocked: false });
    });

    test('what a holder does not know of is given to it again, under the new token', async () => {
      const { talk } = await withMessages(3);
      await talk.claim('A', { max: 2, token: 'lost' });
      const again = await talk.claim('A', { max: 2, token: 't2' });
      expect(claimed(again)).toEqual(['1', '2']);
      expect([await talk.done(1, 'lost'), await talk.done(1, 't2')]).toEqual(['gone', 'ok']);
      expect(claimed(await talk.claim('A', { running: [2], token: 't3' }))).toEqual(['3']);
      expect(await talk.done(2, 't2')).toBe('ok');
    });

    test('repeated with the same token it gives the same', async () => {
      const { talk } = await withMessages(3);
      expect(claimed(await talk.claim('A', { max: 2 }))).toEqual(['1', '2']);
      expect(claimed(await talk.claim('A', { max: 2 }))).toEqual(['1', '2']);
    });

    test('what was started and is not known to its holder may have run', async () => {
      const { talk } = await withMessages(1);
      await talk.claim();
      await talk.renew(1);
      expect(claimed(await talk.claim())).toEqual(['1!']);
    });

    test('nobody passes a claim of somebody else before it is started', async () => {
      const { talk } = await withMessages(3);
      await talk.claim('A', { max: 1 });
      await talk.attach({ node: 'B' });
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await talk.renew(1);
      const passing = await talk.claim('B', { max: 1 });
      expect([claimed(passing), passing.blocked]).toEqual([['2'], true]);
      // And so it is the other way round.
      await talk.attach({ node: 'A' });
      expect(await talk.claim('A', { running: [1] })).toEqual({ items: [], blocked: true });
      expect(await talk.done(1)).toBe('ok');
      await talk.renew(2, 'token-B');
      expect(claimed(await talk.claim('A'))).toEqual(['3']);
    });

    test('nor one that is started and holds; whoever claims that again knows that it may have run', async () => {
      const { talk } = await withMessages(2);
      await talk.claim('A', { max: 1 });
      await talk.renew(1, 'token-A', true);
      await talk.attach({ node: 'B' });
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await talk.renew(1);
      expect(claimed(await talk.claim('B'))).toEqual(['2']);
      await talk.renew(1, 'token-A', true);
      await talk.attach({ node: 'A' });
      expect(claimed(await talk.claim('A', { max: 1 }))).toEqual(['1!']);
    });

    test('one at a time: nobody passes a claim before it is done', async () => {
      const { talk } = await withMessages(2);
      await talk.claim('A', { max: 1 });
      await talk.renew(1);
      await talk.attach({ node: 'B' });
      expect(await talk.claim('B', { serial: true })).toEqual({ items: [], blocked: true });
      await talk.done(1);
      expect(await talk.claim('B', { serial: true })).toMatchObject({ blocked: false, items: [{ seq: 2 }] });
    });
  });

  describe('whose messages', () => {
    test('only the server of its connection gets any, as long as that is heard of', async () => {
      const { talk, pass } = await withMessages(2);
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await pass(LEASE - 1);
      await talk.read();
      await pass(LEASE - 1);
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await pass(1);
      expect(claimed(await talk.claim('B', { max: 1 }))).toEqual(['1']);
      expect(claimed(await talk.claim('A'))).toEqual([]);
    });

    test('also when the connection is gone; when the session has ended, everybody', async () => {
      const { talk, store } = await withMessages(1);
      await store.detach(talk.own);
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await store.end({ sid: 's1', why: 'ended' });
      expect(claimed(await talk.claim('B'))).toEqual(['1']);
    });
  });

  describe('leases', () => {
    test('what is not renewed for a lease may be taken over, and may have run', async () => {
      const { talk, pass } = await withMessages(2);
      await talk.claim('A', { max: 1 });
      await pass(LEASE - 1);
      expect(claimed(await talk.claim('B'))).toEqual([]);
      await pass(1);
      expect(claimed(await talk.claim('B'))).toEqual(['1!']);
      for (const call of [talk.renew(1), talk.release(1), talk.done(1)]) expect(await call).toBe('gone');
      expect(await talk.done(1, 'token-B')).toBe('ok');
      expect(await talk.handled()).toEqual([1]);
    });

    test('what has run out is given alone, until it is done: it may have taken its server down', async () => {
      const { talk, pass } = await withMessages(4);
      await talk.claim('A', { max: 3 });
      await pass(LEASE);
      await talk.attach({ node: 'B' });
      expect(claimed(await talk.claim('B'))).toEqual(['1!']);
      expect(claimed(await talk.claim('B', { running: [1] }))).toEqual([]);
      await talk.renew(1, 'token-B');
      await talk.attach({ node: 'C' });
      expect(await talk.claim('C')).toEqual({ items: [], blocked: true });
      await talk.attach({ node: 'B' });
      await talk.done(1, 'token-B');
      expect(claimed(await talk.claim('B'))).toEqual(['2!']);
      await talk.done(2, 'token-B');
      await talk.done(3, (await talk.claim('B')).items[0]?.token);
      expect(claimed(await talk.claim('B'))).toEqual(['4']);
    });

    test('it waits for what runs beside it, here and elsewhere', async () => {
      const { talk, pass } = await withMessages(3);
      await talk.claim('A', { max: 1 });
      await talk.renew(1);
      await talk.claim('A', { running: [1], max: 1, token: 't2' });
      await pass(LEASE - 1);
      await talk.renew(1);
      await pass(1);
      await talk.attach({ node: 'B' });
      expect(await talk.claim('B')).toEqual({ items: [], blocked: true });
      await talk.done(1);
      expect(claimed(await talk.claim('B', { running: [3] }))).toEqual([]);
      expect(claimed(await talk.claim('B'))).toEqual(['2!']);
    });

    test('it is counted how often a claim has run out; what was given back was none', async () => {
      const { talk, pass } = await withMessages(1);
      const times: unknown[] = [];
      for (const node of ['A', 'B', 'C', 'D']) {
        await talk.attach({ node });
        const { items } = await talk.claim(node);
        times.push(items[0]?.expired);
        if (node === 'B') await talk.release(1, 'token-B');
        else await pass(LEASE);
      }
      expect(times).toEqual([0, 1, 1, 2]);
    });

    test('one that is asked for again, since its answer was lost, has not run out', async () => {
      const { talk, pass } = await withMessages(2);
      for (let asked = 0; asked < 4; asked++) {
        const { items } = await talk.claim();
        expect(items.map(({ redelivered, expired }) => [redelivered, expired])).toEqual([
          [false, 0],
          [false, 0],
        ]);
        await pass(LEASE);
      }
      await talk.attach({ node: 'B' });
      expect((await talk.claim('B')).items).toMatchObject([{ seq: 1, redelivered: true, expired: 1 }]);
    });

    test('a renewal holds for another lease', async () => {
      const { talk, pass } = await withMessages(1);
      await talk.claim();
      for (let renewals = 0; renewals < 3; renewals++) {
        await pass(LEASE - 1);
        expect(await talk.renew(1)).toBe('ok');
      }
      expect(claimed(await talk.claim('B'))).toEqual([]);
      expect(await talk.done(1)).toBe('ok');
    });

    test('an expired claim that nobody has taken is still good', async () => {
      const { talk, pass } = await withMessages(2);
      await talk.claim();
      await pass(5 * LEASE);
      expect(await talk.done(1)).toBe('ok');
      expect(await talk.renew(2)).toBe('ok');
      expect(claimed(await talk.claim('B'))).toEqual([]);
    });

    test('its holder is never given what it is running, expired or not', async () => {
      const { talk, pass } = await withMessages(2);
      await talk.claim('A', { max: 1 });
      await pass(LEASE);
      expect(claimed(await talk.claim('A', { running: [1] }))).toEqual(['2']);
      await talk.attach({ node: 'B' });
      expect(claimed(await talk.claim('B', { running: [], max: 1 }))).toEqual(['1!']);
    });

    test('that it may have run is never forgotten', async () => {
      const { talk, pass } = await withMessages(1);
      await talk.claim();
      await pass(LEASE);
      await talk.claim('B');
      await talk.release(1, 'token-B');
      expect(claimed(await talk.claim('C'))).toEqual(['1!']);
      expect(claimed(await talk.claim('C'))).toEqual(['1!']);
    });

    test('a claim that its holder has again has a new lease', async () => {
      const { talk, pass } = await withMessages(1);
      await talk.claim();
      await pass(LEASE - 1);
      await talk.claim();
      await pass(LEASE - 1);
      expect(claimed(await talk.claim('B'))).toEqual([]);
    });
  });

  describe('release', () => {
    test('gives back what was never run', async () => {
      const { talk } = await withMessages(2);
      await talk.claim();
      expect([await talk.release(1), await talk.release(1)]).toEqual(['ok', 'gone']);
      await talk.attach({ node: 'B' });
      expect(claimed(await talk.claim('B'))).toEqual(['1']);
      expect(await talk.done(1)).toBe('gone');
    });

    test('what was run after all stays marked', async () => {
      const { talk } = await withMessages(1);
      await talk.claim();
      await talk.renew(1);
      await talk.release(1);
      await talk.attach({ node: 'B' });
      expect(claimed(await talk.claim('B'))).toEqual(['1!']);
    });
  });

  describe('done', () => {
    test('is one step with its reply, and works once', async () => {
      const { talk, store, settle } = await withMessages(2);
      await settle();
      const notes = notesOf(store);
      await talk.claim();
      const reply = { data: 'RES 2' };
      expect([await talk.done(2, 'token-A', reply), await talk.done(2, 'token-A', reply)]).toEqual([
        'ok',
        'gone',
      ]);
      await settle();
      expect(notes).toEqual([{ about: 'session', sid: 's1' }]);
      expect(await talk.read()).toEqual(['1:RES 2']);
      expect(await talk.handled()).toEqual([0, 2]);
      expect([await talk.done(1, 'wrong', reply), await talk.done(7, 'token-A', reply)]).toEqual([
        'gone',
        'gone',
      ]);
      expect(await talk.read()).toEqual(['1:RES 2']);
      await talk.done(1);
      expect(await talk.handled()).toEqual([2]);
    });

    test('what nobody has claimed nobody can finish', async () => {
      const { talk, store } = await withMessages(1);
      for (const token of ['token-A', '']) {
        for (const call of ['renew', 'release', 'done'] as const) {
          expect(await store[call]({ sid: 's1', seq: 1, token })).toEqual({ status: 'gone' });
        }
      }
      expect(claimed(await talk.claim())).toEqual(['1']);
    });

    test('does not care for connections', async () => {
      const { talk } = await withMessages(2);
      await talk.claim();
      await talk.attach({ node: 'B' });
      expect(await talk.done(1, 'token-A', { data: 'RES 1' })).toBe('ok');
      expect(await talk.read()).toEqual(['1:RES 1']);
    });
  });
}
