import { Type } from '@holdfast/protocol';
import type { AcceptedItem } from '@holdfast/server/ports';
import { describe, expect, test } from 'vitest';
import { ADA, begin, claimed, event, type MakeStore, refusal } from './harness.js';

/** Of an outbox that outlives its session. */
const durable = (seq: number, n: number, outbox = 'tab'): AcceptedItem => ({
  seq,
  item: [Type.EVT, 'say', n],
  bytes: 10,
  outbox: [outbox, n],
});

/** What is accepted of durable outboxes, beyond the session. */
export function suiteOfOutboxes(make: MakeStore): void {
  describe('durable outboxes', () => {
    // Ids as a server gives them: sessions of one user begin with the same word.
    const twoSessions = async (user = ADA) => {
      const { store } = await make();
      const first = await begin(store, 'ada.1');
      const second = await begin(store, `${user.id}.2`, { user });
      return { first, second };
    };

    test('what was accepted in one session is taken for handled in another', async () => {
      const { first, second } = await twoSessions();
      await first.accept([durable(1, 1), durable(2, 2)]);
      expect(await second.accept([durable(1, 2), durable(2, 3)])).toMatchObject({
        status: 'ok',
        accepted: 2,
      });
      expect(claimed(await second.claim())).toEqual(['2']);
      expect(await second.handled()).toEqual([1]);
    });

    test('and so it is below it, and in the same session', async () => {
      const { first, second } = await twoSessions();
      await first.accept([durable(1, 5), durable(2, 5)]);
      expect(claimed(await first.claim())).toEqual(['1']);
      await second.accept([durable(1, 4), event(2), durable(3, 6)]);
      expect(claimed(await second.claim())).toEqual(['2', '3']);
    });

    test('also if it would be refused today', async () => {
      const { first, second } = await twoSessions();
      await first.accept([durable(1, 1)]);
      const { seq, outbox } = durable(1, 1);
      await second.accept([{ seq, outbox, refusal: refusal(seq) }]);
      expect([await second.read(), await second.handled()]).toEqual([[], [1]]);
    });

    test('what was refused was not accepted: it is looked at anew', async () => {
      const { first, second } = await twoSessions();
      const { seq, outbox } = durable(1, 1);
      await first.accept([{ seq, outbox, refusal: refusal(seq) }]);
      await second.accept([durable(1, 1)]);
      expect([claimed(await second.claim()), await first.read()]).toEqual([['1'], ['1:ERR 1']]);
    });

    test('another outbox of the user, and one of that name of another user, are others', async () => {
      const { first, second } = await twoSessions({ id: 'bob' });
      await first.accept([durable(1, 9), durable(2, 1, 'other')]);
      await second.accept([durable(1, 9)]);
      expect([claimed(await first.claim()), claimed(await second.claim())]).toEqual([['1', '2'], ['1']]);
    });

    test('what was not taken since the store was full is not recorded', async () => {
      const { store } = await make({ inbox: [1, 1_000] });
      const first = await begin(store, 'ada.1');
      expect(await first.accept([durable(1, 1), durable(2, 2)])).toMatchObject({
        status: 'full',
        accepted: 1,
      });
      const second = await begin(store, 'ada.2');
      await second.accept([durable(1, 2)]);
      expect(claimed(await second.claim())).toEqual(['1']);
    });
  });
}
