import type { Bounds, Overflow } from '@holdfast/server/ports';
import { describe, expect, test } from 'vitest';
import { begin, event, type MakeStore, notesOf, refusal } from './harness.js';

const outbox = (overflow: Overflow, ...bounds: Bounds) => ({ outbox: { bounds, overflow } });
/** Nothing gets a number. */
const CLOSED: Bounds = [0, 0];

/** What is done when more would wait for a client than may. */
export function suiteOfOverflow(make: MakeStore): void {
  describe('the bounds that come with a connection', () => {
    test('count instead of those of the store, until another connection says others', async () => {
      const { store } = await make({ bounds: [3, 1_000] });
      const talk = await begin(store, 's1', outbox('reject', 1, 1_000));
      expect(await talk.append('a')).toBe('ok');
      expect(await talk.append('b')).toBe('full');
      await talk.attach(outbox('reject', 2, 1_000));
      expect(await talk.append('c')).toBe('ok');
      expect(await talk.append('d')).toBe('full');
      await talk.attach();
      expect(await talk.append('e')).toBe('ok');
      expect(await talk.append('f')).toBe('full');
      expect(await talk.read()).toEqual([
        '1:a',
        '2-2:outbox-full',
        '3:c',
        '4-4:outbox-full',
        '5:e',
        '6-6:outbox-full',
      ]);
    });

    test('count for answers, by themselves', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      const items = [1, 2, 3].map((seq) => ({ seq, refusal: refusal(seq) }));
      expect(await talk.accept(items)).toEqual({ status: 'full', accepted: 2 });
      expect(await talk.append('a')).toBe('ok');
      expect(await talk.append('b')).toBe('ok');
    });
  });

  describe('drop-oldest', () => {
    test('the oldest gives way, a hole is in its place, and the answer says whose it was', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      for (const text of ['a', 'b']) expect(await talk.append(text, { writer: text })).toBe('ok');
      expect(await talk.append('c')).toBe('dropped a 1');
      expect(await talk.append('d')).toBe('dropped b 2');
      expect(await talk.read()).toEqual(['1-2:outbox-full', '3:c']);
      await talk.accept([], 3);
      expect(await talk.read(3)).toEqual(['4:d']);
    });

    test('as many as it takes, in bytes; whatever has no place then, lets nothing give way', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 10, 10));
      for (const text of ['a', 'bb', 'c']) await talk.append(text);
      expect(await talk.append('eight...')).toBe('dropped A 1, A 2');
      await talk.append('q', { asks: true });
      expect(await talk.append('x'.repeat(10))).toBe('full');
      expect(await talk.read(0, [9, 1_000])).toEqual(['1-2:outbox-full', '3:c']);
    });

    test('one alone may be of any size', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 10, 10));
      for (const text of ['a', 'b']) await talk.append(text);
      expect(await talk.append('x'.repeat(50))).toBe('dropped A 1, A 2');
      expect(await talk.read()).toEqual(['1-2:outbox-full', `3:${'x'.repeat(50)}`]);
    });

    test('no request gives way, and no answer; but a request may take the place of an event', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 3, 1_000));
      await talk.append('q', { asks: true });
      await talk.accept([{ seq: 1, refusal: refusal(1) }]);
      for (const text of ['a', 'b']) await talk.append(text);
      expect(await talk.append('r', { asks: true })).toBe('dropped A 2');
      expect(await talk.append('c')).toBe('dropped A 3');
      expect(await talk.append('s', { asks: true })).toBe('dropped A 5');
      expect(await talk.append('d')).toBe('full');
      expect(await talk.append('t', { asks: true })).toBe('full');
      expect(await talk.read()).toEqual(['1:ERR 1', '2:q']);
      await talk.accept([], 2);
      const all = ['3-4:outbox-full', '5:r', '6-6:outbox-full', '7:s', '8-8:outbox-full'];
      expect(await talk.read(2)).toEqual(all);
    });

    test('what has a number does not give way: of the bounds half at most has one', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 4, 1_000));
      for (const text of ['a', 'b', 'c', 'd']) await talk.append(text);
      expect(await talk.read()).toEqual(['1:a', '2:b']);
      expect(await talk.append('e')).toBe('dropped A 3');
      expect(await talk.append('f')).toBe('dropped A 4');
      // The hole may grow as long as what is behind it waits: the client is told once.
      expect(await talk.read()).toEqual(['1:a', '2:b']);
      expect(await talk.append('g')).toBe('dropped A 5');
      expect(await talk.read()).toEqual(['1:a', '2:b']);
      // On the next connection, too.
      await talk.attach({ received: 1, ...outbox('drop-oldest', 4, 1_000) });
      expect(await talk.read(1)).toEqual(['2:b', '3-5:outbox-full', '6:f']);
      await talk.accept([], 6);
      expect(await talk.read(6)).toEqual(['7:g']);
    });

    test('of its bytes, too', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 100, 8));
      for (const text of ['aa', 'bb', 'cc']) await talk.append(text);
      expect(await talk.read()).toEqual(['1:aa', '2:bb']);
    });

    test('under a word: it takes the place of the one before, and gives way as others do', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      await talk.append('a', { place: 'cursor' });
      await talk.append('b');
      expect(await talk.append('c', { place: 'cursor' })).toBe('instead of A 1');
      expect(await talk.append('d')).toBe('dropped A 3');
      expect(await talk.append('e', { place: 'cursor' })).toBe('dropped A 2');
      expect(await talk.read(0, CLOSED)).toEqual(['1-2:outbox-full', '3:d']);
    });

    test('a repeated call drops nothing more, and is answered the same', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      for (const w of [1, 2]) await talk.append(`${w}`, { w });
      for (let again = 0; again < 3; again++) expect(await talk.append('3', { w: 3 })).toBe('dropped A 1');
      expect(await talk.append('4', { w: 4 })).toBe('dropped A 2');
    });

    test('what others had appended is told to them', async () => {
      const { store, settle } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      await talk.append('a', { writer: 'B', w: 7 });
      await talk.append('b');
      await settle();
      const notes = notesOf(store);
      for (const text of ['c', 'd']) await talk.append(text);
      await settle();
      const told = { about: 'session', sid: 's1' };
      expect(notes).toEqual([told, { about: 'overflow', sid: 's1', gone: [{ writer: 'B', w: 7 }] }, told]);
    });

    test('what was dropped is not what was never delivered', async () => {
      const { store } = await make();
      const talk = await begin(store, 's1', outbox('drop-oldest', 2, 1_000));
      for (const text of ['a', 'b', 'c', 'd']) await talk.append(text);
      expect(await store.end({ sid: 's1', why: 'ended' })).toEqual({ status: 'ok', undelivered: 2 });
    });
  });

  suiteOfDisconnect(make);
}

function suiteOfDisconnect(make: MakeStore): void {
  describe('disconnect', () => {
    const leave = { about: 'overflow', sid: 's1', gone: 'connection' };

    test('at the bound: the newest is refused, and the connection is to go; once, until half is taken', async () => {
      const { store, settle } = await make();
      const talk = await begin(store, 's1', outbox('disconnect', 4, 1_000));
      const notes = notesOf(store);
      const leaves = async () => {
        await settle();
        return notes.filter(({ about }) => about === 'overflow');
      };
      for (const text of ['a', 'b', 'c', 'd']) await talk.append(text);
      expect(await leaves()).toEqual([]);
      for (const text of ['e', 'f']) expect(await talk.append(text)).toBe('full');
      expect(await leaves()).toEqual([leave]);
      // It is back, and has not taken half.
      await talk.attach(outbox('disconnect', 4, 1_000));
      expect(await talk.read()).toEqual(['1:a', '2:b', '3:c', '4:d', '5-6:outbox-full']);
      await talk.accept([event(1)], 1);
      expect(await talk.append('g')).toBe('ok');
      expect(await talk.append('h')).toBe('full');
      expect(await leaves()).toEqual([leave]);
      await talk.accept([], 3);
      for (const text of ['i', 'j']) expect(await talk.append(text)).toBe('ok');
      expect(await leaves()).toEqual([leave]);
      expect(await talk.append('k')).toBe('full');
      expect(await leaves()).toEqual([leave, leave]);
    });

    test('half is half of the bytes, too', async () => {
      const { store, settle } = await make();
      const talk = await begin(store, 's1', outbox('disconnect', 100, 10));
      const notes = notesOf(store);
      for (const text of ['aa', 'eight...', 'b']) await talk.append(text);
      await talk.read();
      await talk.accept([], 1);
      expect(await talk.append('ccc')).toBe('full');
      await talk.accept([], 2);
      expect(await talk.append('d')).toBe('ok');
      expect(await talk.append('x'.repeat(11))).toBe('full');
      await settle();
      expect(notes.filter(({ about }) => about === 'overflow')).toEqual([leave, leave]);
    });

    test('a connection that has taken nothing is not sent away, however little waits', async () => {
      const { store, settle } = await make();
      const rules = outbox('disconnect', 100, 10);
      const talk = await begin(store, 's1', rules);
      const notes = notesOf(store);
      await talk.append('aa');
      for (let dial = 0; dial < 3; dial++) {
        expect(await talk.append('x'.repeat(9))).toBe('full');
        await talk.attach(rules);
        await talk.read();
        await talk.accept([], 0);
      }
      await settle();
      expect(notes.filter(({ about }) => about === 'overflow')).toEqual([leave]);
    });

    test('too many requests are not too much', async () => {
      const { store, settle } = await make();
      const talk = await begin(store, 's1', { ...outbox('disconnect', 2, 1_000), maxRequests: 1 });
      const notes = notesOf(store);
      await talk.append('q', { asks: true });
      expect(await talk.append('r', { asks: true })).toBe('full');
      await settle();
      expect(notes.filter(({ about }) => about === 'overflow')).toEqual([]);
    });
  });
}
