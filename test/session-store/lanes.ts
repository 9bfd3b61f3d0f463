import { describe, expect, test } from 'vitest';
import { begin, event, events, type MakeStore, notesOf, nothing, refusal } from './harness.js';

/** What comes in from a client and what goes out to it. */
export function suiteOfLanes(make: MakeStore): void {
  describe('accept', () => {
    test('takes each number once, however often it comes', async () => {
      const { store } = await make();
      const talk = await begin(store);
      expect(await talk.accept(events(1, 2))).toEqual({ status: 'ok', accepted: 2 });
      expect(await talk.accept(events(1, 2))).toEqual({ status: 'ok', accepted: 2 });
      expect(await talk.accept(events(2, 4))).toEqual({ status: 'ok', accepted: 4 });
      expect(await talk.accept([])).toEqual({ status: 'ok', accepted: 4 });
      expect((await talk.claim()).items.map(({ seq, item }) => [seq, item[2]])).toEqual(
        [1, 2, 3, 4].map((seq) => [seq, seq]),
      );
    });

    test('a hole is a mistake of the caller, and nothing is taken', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept([event(1)]);
      for (const seqs of [[3], [2, 4], [1, 3], [2, 2], [2, 1]]) {
        await expect(talk.accept(seqs.map((seq) => event(seq)))).rejects.toThrow('does not follow on');
      }
      expect(await talk.accept([])).toEqual({ status: 'ok', accepted: 1 });
      expect((await talk.claim()).items).toHaveLength(1);
    });

    test('what is not to be handled is handled', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept([event(1), nothing(2), event(3), nothing(4), nothing(5)]);
      expect(await talk.handled()).toEqual([0, 2, 4, 5]);
      await talk.claim();
      await talk.done(1);
      expect(await talk.handled()).toEqual([2, 4, 5]);
      await talk.done(3);
      expect(await talk.handled()).toEqual([5]);
    });

    test('a refusal goes out once, and is told', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      await settle();
      const notes = notesOf(store);
      const items = [event(1), { seq: 2, refusal: refusal(2) }];
      await talk.accept(items);
      await talk.accept(items);
      await settle();
      expect(notes[0]).toEqual({ about: 'session', sid: 's1' });
      expect(await talk.read()).toEqual(['1:ERR 2']);
    });

    test('when too many wait to be handled it takes what has a place', async () => {
      const { store } = await make({ inbox: [3, 1_000] });
      const talk = await begin(store);
      expect(await talk.accept([nothing(1), ...events(2, 6)])).toEqual({ status: 'full', accepted: 4 });
      expect(await talk.accept(events(2, 6))).toEqual({ status: 'full', accepted: 4 });
      expect(await talk.accept([nothing(5), event(6)])).toEqual({ status: 'full', accepted: 5 });
      expect((await talk.claim()).items.map(({ seq }) => seq)).toEqual([2, 3, 4]);
      await talk.done(3);
      expect(await talk.accept([event(6)])).toEqual({ status: 'ok', accepted: 6 });
    });

    test('when too many bytes wait to be handled, too; one alone may be of any size', async () => {
      const { store } = await make({ inbox: [100, 1_000] });
      const talk = await begin(store);
      expect(await talk.accept([event(1, 5_000), event(2, 1)])).toEqual({ status: 'full', accepted: 1 });
      await talk.claim();
      await talk.done(1);
      const items = [event(2, 500), event(3, 500), event(4, 1)];
      expect(await talk.accept(items)).toEqual({ status: 'full', accepted: 3 });
    });

    test('when too many answers wait for an ack, nothing more is taken that wants one', async () => {
      const { store } = await make({ bounds: [2, 10_000] });
      const talk = await begin(store);
      const items = [1, 2, 3].map((seq) => ({ seq, refusal: refusal(seq) }));
      expect(await talk.accept(items)).toEqual({ status: 'full', accepted: 2 });
      expect(await talk.read()).toEqual(['1:ERR 1', '2:ERR 2']);
      expect(await talk.accept([event(3)])).toEqual({ status: 'full', accepted: 2 });
      expect(await talk.accept([nothing(3)])).toEqual({ status: 'ok', accepted: 3 });
      expect(await talk.accept([event(4)], 1)).toEqual({ status: 'ok', accepted: 4 });
      // The answers to what was taken always have a place.
      await talk.claim();
      await talk.accept([{ seq: 5, refusal: refusal(5) }]);
      expect(await talk.done(4, 'token-A', refusal(4))).toBe('ok');
      expect(await talk.read()).toEqual(['2:ERR 2', '3:ERR 5', '4:ERR 4']);
    });
  });

  describe('append and read', () => {
    test('what was said to the one before is not for one made anew under the same id', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const { own: before } = talk;
      await talk.attach();
      // Another server has had its newest connection: it is the same.
      expect(await talk.append('a', { life: before })).toBe('ok');
      await store.end({ sid: 's1', why: 'ended' });
      expect(await talk.append('b', { life: before })).toBe('lost');
      expect(await talk.attachFresh()).toMatchObject({ status: 'new' });
      for (const life of [before, { ...talk.own, epoch: 'another' }]) {
        expect(await talk.append('c', { life })).toBe('lost');
        expect(await talk.append('C', { life, asks: true })).toBe('lost');
      }
      expect(await talk.append('d', { life: talk.own })).toBe('ok');
      // Whoever does not say which one it means, means this one.
      expect(await talk.append('e')).toBe('ok');
      expect(await talk.read()).toEqual(['1:d', '2:e']);
    });

    test('a number is given when it is read, once', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['a', 'b']) expect(await talk.append(text)).toBe('ok');
      expect(await talk.read()).toEqual(['1:a', '2:b']);
      await talk.append('c');
      expect(await talk.read()).toEqual(['1:a', '2:b', '3:c']);
      expect(await talk.read(2)).toEqual(['3:c']);
      expect(await talk.read(3)).toEqual([]);
    });

    test('says who wrote it, but for an answer', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.append('a', { writer: 'B', w: 7 });
      await talk.accept([{ seq: 1, refusal: refusal(1) }]);
      const read = await store.read({ ...talk.own, after: 0, window: [10, 1_000] });
      const items = read.status === 'ok' ? read.items : [];
      expect(items.map((item) => 'written' in item && item.written)).toEqual([
        undefined,
        { writer: 'B', w: 7 },
      ]);
    });

    test('takes the place of what waits under the same word, however full it is, and not of what has a number', async () => {
      const { store } = await make({ bounds: [3, 30] });
      const talk = await begin(store);
      const place = 'cursor';
      expect(await talk.append('a', { place })).toBe('ok');
      for (const text of ['b', 'c']) await talk.append(text);
      expect(await talk.append('d', { place, writer: 'B', w: 1 })).toBe('instead of A 1');
      expect(await talk.append('d', { place, writer: 'B', w: 1 })).toBe('instead of A 1');
      expect(await talk.append('e', { place: 'other' })).toBe('full');
      expect(await talk.read()).toEqual(['1:d', '2:b', '3:c', '4-4:outbox-full']);
      await talk.accept([], 4);
      expect(await talk.append('f', { place })).toBe('ok');
      expect(await talk.read(4)).toEqual(['5:f']);
    });

    test('each writer may repeat its last call', async () => {
      const { store } = await make({ bounds: [3, 1_000] });
      const talk = await begin(store);
      await talk.append('a', { writer: 'A', w: 1 });
      await talk.append('b', { writer: 'B', w: 1 });
      for (const writer of ['A', 'B']) expect(await talk.append('again', { writer, w: 1 })).toBe('ok');
      await talk.append('c', { writer: 'A', w: 2 });
      expect(await talk.append('again', { writer: 'A', w: 1 })).toBe('ok');
      for (let again = 0; again < 3; again++) {
        expect(await talk.append('refused', { writer: 'B', w: 5 })).toBe('full');
      }
      expect(await talk.read()).toEqual(['1:a', '2:b', '3:c', '4-4:outbox-full']);
      await talk.accept([], 4);
      // What was refused once stays refused, even if there were a place now.
      expect(await talk.append('refused', { writer: 'B', w: 5 })).toBe('full');
      expect(await talk.append('d', { writer: 'B', w: 6 })).toBe('ok');
      expect(await talk.read(4)).toEqual(['5:d']);
    });

    test('whatever waits is told, once', async () => {
      const { store, settle } = await make({ bounds: [1, 1_000] });
      const talk = await begin(store);
      await settle();
      const notes = notesOf(store);
      for (const w of [1, 1, 2, 2]) await talk.append('hi', { w });
      await settle();
      expect(notes).toEqual([1, 2].map(() => ({ about: 'session', sid: 's1' })));
    });

    test('an ack drops what the client has, and never comes back', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      await talk.read();
      await talk.accept([], 2);
      expect(await talk.read()).toEqual(['3:c']);
      await talk.accept([], 1);
      expect(await talk.read()).toEqual(['3:c']);
      expect(await talk.attach({ received: 1 })).toMatchObject({ base: 2 });
      // Of what has no number yet nothing can be acknowledged.
      await talk.append('d');
      await talk.accept([], 9);
      expect(await talk.read()).toEqual(['4:d']);
    });

    test('answers pass what waits for the window, but nothing that has a number', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      expect(await talk.read(0, [2, 1_000])).toEqual(['1:a', '2:b']);
      await talk.accept([event(1), { seq: 2, refusal: refusal(2) }]);
      await talk.claim();
      await talk.done(1, 'token-A', { data: 'RES 1' });
      expect(await talk.read(2, [2, 1_000])).toEqual(['3:ERR 2', '4:RES 1']);
      await talk.accept([], 3);
      expect(await talk.read(4, [2, 1_000])).toEqual(['5:c']);
    });
  });

  suiteOfCredit(make);
}

function suiteOfCredit(make: MakeStore): void {
  describe('the window', () => {
    test('of messages: so many may be unacknowledged, answers included', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.accept([{ seq: 1, refusal: refusal(1) }]);
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      expect(await talk.read(0, [2, 1_000])).toEqual(['1:ERR 1', '2:a']);
      expect(await talk.read(0, [2, 1_000])).toEqual(['1:ERR 1', '2:a']);
      await talk.accept([], 1);
      expect(await talk.read(2, [2, 1_000])).toEqual(['3:b']);
      // A smaller one takes back no number.
      expect(await talk.read(1, [1, 1_000])).toEqual(['2:a', '3:b']);
    });

    test('of bytes, as they stand on the wire', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['1234', 'äöü', '7', '8']) await talk.append(text);
      expect(await talk.read(0, [10, 9])).toEqual(['1:1234']);
      expect(await talk.read(0, [10, 10])).toEqual(['1:1234', '2:äöü']);
      await talk.accept([], 1);
      expect(await talk.read(2, [10, 7])).toEqual(['3:7']);
    });

    test('of bytes: nothing passes what does not fit; with nothing unacknowledged it goes, whatever its size', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['a', 'x'.repeat(100), 'b']) await talk.append(text);
      expect(await talk.read(0, [10, 50])).toEqual(['1:a']);
      await talk.accept([], 1);
      expect(await talk.read(1, [10, 50])).toEqual([`2:${'x'.repeat(100)}`]);
      await talk.accept([], 2);
      expect(await talk.read(2, [10, 50])).toEqual(['3:b']);
    });
  });

  describe('the bounds', () => {
    test('what is refused leaves one hole in its place, of so many numbers', async () => {
      const { store } = await make({ bounds: [2, 1_000] });
      const talk = await begin(store);
      const say = async (...texts: string[]) => Promise.all(texts.map((text) => talk.append(text)));
      expect(await say('a', 'b', 'c', 'd', 'e')).toEqual(['ok', 'ok', 'full', 'full', 'full']);
      expect(await talk.read(0, [1, 1_000])).toEqual(['1:a']);
      await talk.accept([], 1);
      expect(await say('f', 'g')).toEqual(['ok', 'full']);
      expect(await talk.read(1, [1, 1_000])).toEqual(['2:b', '3-5:outbox-full']);
      await talk.accept([], 5);
      expect(await say('h')).toEqual(['ok']);
      expect(await talk.read(5)).toEqual(['6:f', '7-7:outbox-full', '8:h']);
    });

    test('a hole goes without the window, and grows while the client stands still', async () => {
      const { store } = await make({ bounds: [1, 1_000] });
      const talk = await begin(store);
      for (const text of ['a', 'b', 'c']) await talk.append(text);
      expect(await talk.read(0, [1, 1_000])).toEqual(['1:a', '2-3:outbox-full']);
      await talk.append('d');
      expect(await talk.read(3, [1, 1_000])).toEqual(['4-4:outbox-full']);
      expect(await talk.read(0, [1, 1_000])).toEqual(['1:a', '2-4:outbox-full']);
      // Acknowledged in part: the rest can still be read.
      await talk.accept([], 3);
      expect(await talk.read(0, [1, 1_000])).toEqual(['4-4:outbox-full']);
      expect(await talk.append('e')).toBe('ok');
    });

    test('in bytes; one alone may be of any size', async () => {
      const { store } = await make({ bounds: [100, 10] });
      const talk = await begin(store);
      expect(await talk.append('x'.repeat(50))).toBe('ok');
      expect(await talk.append('y')).toBe('full');
      await talk.read();
      await talk.accept([], 2);
      expect(await talk.append('12345')).toBe('ok');
      expect(await talk.append('123456')).toBe('full');
      expect(await talk.append('67890')).toBe('ok');
    });

    test('answers are never refused, and take no place of messages', async () => {
      const { store } = await make({ bounds: [2, 20] });
      const talk = await begin(store);
      await talk.accept([event(1), event(2), event(3)]);
      await talk.claim();
      for (const seq of [1, 2, 3]) {
        expect(await talk.done(seq, 'token-A', { data: `a long answer to ${seq}` })).toBe('ok');
      }
      for (const text of ['a', 'b']) expect(await talk.append(text)).toBe('ok');
      expect(await talk.read()).toHaveLength(5);
    });
  });
}
