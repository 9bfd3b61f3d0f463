import { Type } from '@holdfast/protocol';
import type { ClientAnswer } from '@holdfast/server/ports';
import { describe, expect, test } from 'vitest';
import { begin, event, type MakeStore, notesOf, nothing } from './harness.js';

const answerTo = (seq: number): ClientAnswer => [Type.RES, seq, 'yes'];
const asks = { asks: true };

/** What servers ask a client. The harness says that it takes three requests at once. */
export function suiteOfRequests(make: MakeStore): void {
  describe('requests', () => {
    test('are open until they are answered; as many as the client takes, whoever asks', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const writer of ['A', 'B', 'A']) expect(await talk.append('REQ', { writer, ...asks })).toBe('ok');
      expect(await talk.append('REQ', asks)).toBe('full');
      // Written, and acknowledged: they are open all the same.
      expect(await talk.read()).toHaveLength(3);
      await talk.accept([], 3);
      expect(await talk.append('REQ', asks)).toBe('full');
      expect(await talk.append('an event')).toBe('ok');
      await talk.accept([nothing(1)], 3, { answers: [answerTo(2)] });
      expect(await talk.append('REQ', asks)).toBe('ok');
      expect(await talk.append('REQ', asks)).toBe('full');
      // What was refused has left no hole.
      expect(await talk.read(3)).toEqual(['4:an event', '5:REQ']);
    });

    test('who asked is told of the answer, once, however often that comes', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      await talk.append('REQ', { writer: 'B', w: 7, ...asks });
      await talk.append('an event');
      await talk.read();
      await settle();
      const notes = notesOf(store);
      for (let again = 0; again < 3; again++) {
        await talk.accept([], 0, { answers: [answerTo(1), answerTo(1), answerTo(2), answerTo(9)] });
      }
      await settle();
      const written = { writer: 'B', w: 7 };
      expect(notes).toEqual([{ about: 'answer', sid: 's1', written, answer: answerTo(1) }]);
    });

    test('an answer counts where its number has no place yet', async () => {
      const { store } = await make({ inbox: [1, 1_000] });
      const talk = await begin(store);
      for (let left = 3; left > 0; left--) await talk.append('REQ', asks);
      await talk.read();
      const full = await talk.accept([event(1), event(2), nothing(3)], 0, { answers: [answerTo(1)] });
      expect(full).toEqual({ status: 'full', accepted: 1 });
      expect(await talk.append('REQ', asks)).toBe('ok');
    });

    test('are repeated without a trace, also when they were refused', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const w of [1, 1, 2, 2, 3, 3]) expect(await talk.append('REQ', { w, ...asks })).toBe('ok');
      for (const w of [4, 4]) expect(await talk.append('REQ', { w, ...asks })).toBe('full');
      await talk.read();
      await talk.accept([], 3, { answers: [answerTo(1)] });
      expect(await talk.append('REQ', { w: 4, ...asks })).toBe('full');
      expect(await talk.append('REQ', { w: 5, ...asks })).toBe('ok');
    });

    test('wait for the window as events do, and are refused where too much waits', async () => {
      const { store } = await make({ bounds: [2, 1_000] });
      const talk = await begin(store);
      await talk.append('a');
      expect(await talk.append('REQ', asks)).toBe('ok');
      expect(await talk.append('REQ', asks)).toBe('full');
      expect(await talk.read(0, [1, 1_000])).toEqual(['1:a']);
      await talk.accept([], 1);
      expect(await talk.read(1, [1, 1_000])).toEqual(['2:REQ']);
    });

    test('the newest connection says how many its client takes', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.append('REQ', asks);
      await talk.attach({ maxRequests: 1 });
      expect(await talk.append('REQ', asks)).toBe('full');
      await talk.attach({ maxRequests: 2 });
      expect(await talk.append('REQ', asks)).toBe('ok');
    });

    test('at the end of the session it is told which were never written', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      await talk.append('REQ', { w: 1, ...asks });
      await talk.append('a', { w: 2 });
      await talk.read(0, [2, 1_000]);
      await talk.append('REQ', { writer: 'B', w: 3, ...asks });
      await talk.append('b', { w: 4 });
      await talk.append('c', { w: 5, receipt: true });
      await settle();
      const notes = notesOf(store);
      await store.end({ sid: 's1', why: 'closed' });
      await settle();
      const unwritten = [
        { writer: 'B', w: 3 },
        { writer: 'A', w: 5 },
      ];
      expect(notes).toMatchObject([{ about: 'end', unwritten }]);
    });
  });

  suiteOfGivingUp(make);
}

function suiteOfGivingUp(make: MakeStore): void {
  describe('who gives a request up', () => {
    test('takes it out of what waits: it never gets a number', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const [w, text] of ['a', 'REQ', 'b'].entries()) {
        await talk.append(text, { w: w + 1, asks: text === 'REQ' });
      }
      const call = { sid: 's1', writer: 'A', w: 2 };
      expect(await store.withdraw({ ...call, writer: 'B' })).toEqual({ status: 'gone' });
      expect(await store.withdraw({ ...call, w: 1 })).toEqual({ status: 'gone' });
      expect(await store.withdraw(call)).toEqual({ status: 'ok' });
      expect(await store.withdraw(call)).toEqual({ status: 'gone' });
      expect(await talk.read()).toEqual(['1:a', '2:b']);
    });

    test('has its place back', async () => {
      const { store } = await make({ bounds: [3, 1_000] });
      const talk = await begin(store);
      for (let w = 1; w <= 3; w++) await talk.append('REQ', { w, ...asks });
      await store.withdraw({ sid: 's1', writer: 'A', w: 2 });
      expect(await talk.append('REQ', { w: 4, ...asks })).toBe('ok');
      expect(await talk.append('a', { w: 5 })).toBe('full');
    });

    test('is told the number of one that has one, also when it was acknowledged', async () => {
      const { store } = await make();
      const talk = await begin(store);
      await talk.append('a');
      await talk.append('REQ', { w: 2, ...asks });
      await talk.read();
      const call = { sid: 's1', writer: 'A', w: 2 };
      expect(await store.withdraw(call)).toEqual({ status: 'numbered', seq: 2 });
      await talk.accept([], 2);
      expect(await store.withdraw(call)).toEqual({ status: 'numbered', seq: 2 });
      await talk.accept([], 2, { answers: [answerTo(2)] });
      expect(await store.withdraw(call)).toEqual({ status: 'gone' });
    });

    test('cancels it: that passes what waits, and the request is not written again', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['REQ', 'b']) await talk.append(text, { asks: text === 'REQ' });
      expect(await talk.read(0, [1, 1_000])).toEqual(['1:REQ']);
      const cancel = { w: 9, cancels: 1 };
      for (let again = 0; again < 2; again++) expect(await talk.append('CANCEL 1', cancel)).toBe('ok');
      expect(await talk.read(1, [1, 1_000])).toEqual(['2:CANCEL 1']);
      expect(await talk.read(0, [1, 1_000])).toEqual(['1-1:abandoned', '2:CANCEL 1']);
      await talk.accept([], 2);
      expect(await talk.read(2, [1, 1_000])).toEqual(['3:b']);
    });

    test('is told nothing, and changes nothing, in another incarnation', async () => {
      const { store } = await make();
      const talk = await begin(store);
      const { own: life } = talk;
      const other = { ...life, epoch: 'another' };
      expect(await talk.append('REQ', { w: 1, life, ...asks })).toBe('ok');
      expect(await talk.append('REQ', { w: 2, life: other, ...asks })).toBe('lost');
      const call = { sid: 's1', writer: 'A', w: 1 };
      expect(await store.withdraw({ ...call, life: other })).toEqual({ status: 'gone' });
      await talk.read();
      expect(await talk.append('CANCEL 1', { w: 3, life: other, cancels: 1 })).toBe('lost');
      expect(await talk.read()).toEqual(['1:REQ']);
      expect(await store.withdraw({ ...call, life })).toEqual({ status: 'numbered', seq: 1 });
    });

    test('cancels nothing that is not open', async () => {
      const { store } = await make();
      const talk = await begin(store);
      for (const text of ['REQ', 'b']) await talk.append(text, { asks: text === 'REQ' });
      await talk.read();
      await talk.accept([], 0, { answers: [answerTo(1)] });
      for (const cancels of [1, 2, 9]) expect(await talk.append('CANCEL', { cancels })).toBe('ok');
      expect(await talk.read()).toEqual(['1:REQ', '2:b']);
    });

    test('a cancellation has a place where nothing else has one, and gives one to the next request', async () => {
      const { store } = await make({ bounds: [3, 1_000] });
      const talk = await begin(store);
      for (let left = 3; left > 0; left--) await talk.append('REQ', asks);
      await talk.read();
      expect(await talk.append('CANCEL 2', { cancels: 2 })).toBe('ok');
      await talk.accept([], 3);
      expect(await talk.append('REQ', asks)).toBe('ok');
      expect(await talk.append('REQ', asks)).toBe('full');
      // It is written before the request that has its place.
      expect(await talk.read(3)).toEqual(['4:CANCEL 2', '5:REQ']);
    });
  });
}
