import type { LogBounds, RoomPosition } from '@holdfast/server/ports';
import { describe, expect, test } from 'vitest';
import { ADA, begin, type MakeStore, notesOf, publish } from './harness.js';

const TWO_MINUTES = 120_000;

/** Rooms' logs, and who is where. */
export function suiteOfRooms(make: MakeStore): void {
  const room = async () => {
    const under = await make();
    const { store } = under;
    const read = async (after?: Partial<RoomPosition>, bounds?: LogBounds) => {
      const position = after && { epoch, offset: 0, ...after };
      const { items, top, gap } = await store.readRoom({ room: 'lobby', after: position, bounds });
      return { offsets: items.map(({ offset }) => offset), top: top.offset, gap };
    };
    const say = (text: string, over: Parameters<typeof publish>[3] = {}) =>
      publish(store, 'lobby', text, over);
    const { epoch } = (await store.readRoom({ room: 'lobby' })).top;
    return { ...under, epoch, read, say };
  };

  describe('a log', () => {
    test('begins at nothing, with an epoch of its own', async () => {
      const { store, epoch } = await room();
      expect(await store.readRoom({ room: 'lobby' })).toEqual({
        ...{ top: { epoch, offset: 0 }, base: 0, items: [] },
      });
      expect((await store.readRoom({ room: 'other' })).top.epoch).not.toBe(epoch);
    });

    test('of several publications by one message the first counts, whoever makes them; an id is no message', async () => {
      const { store } = await room();
      const publication = { id: 'same', at: 1, except: new Set<string>(), event: 'x' };
      const say = (writer: string, w: number, message?: string) =>
        store.publish({ room: 'lobby', writer, w, publication, message });
      const first = await say('A', 1, 's1 7');
      expect(await say('B', 1, 's1 7')).toEqual(first);
      for (const w of [2, 3]) await say('A', w);
      await say('B', 2, 's1 8');
      expect((await store.readRoom({ room: 'lobby' })).top.offset).toBe(4);
    });

    test('gives offsets, and what follows a position', async () => {
      const { store, epoch, read, say } = await room();
      expect(await say('a')).toEqual({ status: 'ok', position: { epoch, offset: 1 }, members: 0 });
      expect(await say('b', { except: ['x'] })).toMatchObject({ position: { offset: 2 } });
      expect(await read({ offset: 1 })).toEqual({ offsets: [2], top: 2, gap: undefined });
      expect(await read({ offset: 2 })).toEqual({ offsets: [], top: 2, gap: undefined });
      expect(await read()).toEqual({ offsets: [], top: 2, gap: undefined });
      const [, b] = (await store.readRoom({ room: 'lobby', after: { epoch, offset: 0 } })).items;
      expect(b).toEqual({
        id: expect.stringMatching(/^id-/),
        at: 1_000,
        except: new Set(['x']),
        event: 'b',
        offset: 2,
      });
    });

    test('of those under the same word only the newest stays; what was before it is no gap', async () => {
      const { store, epoch, read } = await room();
      const say = (w: number, place?: string) => {
        const publication = { id: `i${w}`, at: 1, except: new Set<string>(), event: `e${w}`, place };
        return store.publish({ room: 'lobby', writer: 'A', w, publication });
      };
      for (const [w, place] of [[1, 'x'], [2], [3, 'y'], [4, 'x'], [5, 'x']] as const) await say(w, place);
      expect(await read({ offset: 0 })).toEqual({ offsets: [2, 3, 5], top: 5, gap: undefined });
      expect(await read({ epoch, offset: 3 })).toEqual({ offsets: [5], top: 5, gap: undefined });
    });

    test('what a newer one is not for stays for who would get neither', async () => {
      const { store, read } = await room();
      const say = (w: number, ...except: string[]) => {
        const publication = { id: `i${w}`, at: 1, except: new Set(except), event: `e${w}`, place: 'x' };
        return store.publish({ room: 'lobby', writer: 'A', w, publication });
      };
      await say(1, 'ada');
      await say(2, 'ada', 'bob');
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [1, 2] });
      await say(3, 'ada');
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [3] });
    });

    test('what is cast stands in no log, is told to all, and is for so many', async () => {
      const { store, read, settle } = await room();
      const talk = await begin(store);
      await talk.join('lobby', 1);
      await settle();
      const notes = notesOf(store);
      const call = { to: { room: 'lobby' }, except: new Set<string>(), data: 'x' };
      expect(await store.cast(call)).toEqual({ members: 1 });
      expect(await store.cast({ ...call, except: new Set(['s1', 'who']) })).toEqual({ members: 0 });
      expect(await store.cast({ ...call, to: { room: 'nobody-there' } })).toEqual({ members: 0 });
      await settle();
      // Of different rooms in any order: they may come from different masters.
      expect(notes).toHaveLength(3);
      expect(notes).toContainEqual({ about: 'cast', ...call });
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [], top: 0 });
    });

    test('each writer may repeat its last call', async () => {
      const { store, read } = await room();
      const first = await publish(store, 'lobby', 'a', { w: 5 });
      expect(await publish(store, 'lobby', 'a', { w: 5 })).toEqual(first);
      await publish(store, 'other', 'b', { w: 5 });
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [1] });
      expect(await publish(store, 'lobby', 'c', { w: 6 })).toMatchObject({ position: { offset: 2 } });
    });

    test('what was tried first in another incarnation is not published', async () => {
      const { store, read, say } = await room();
      const { own } = await begin(store);
      expect(await say('a', { incarnation: 'another' })).toEqual({ status: 'lost' });
      expect(await say('b', { incarnation: own.epoch })).toMatchObject({ status: 'ok' });
      const incarnation = await store.incarnation({ room: 'lobby' });
      expect(await say('c', { incarnation })).toMatchObject({ status: 'ok' });
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [1, 2] });
    });

    test('is told of', async () => {
      const { store, say, settle } = await room();
      const notes = notesOf(store);
      await say('a');
      await settle();
      expect(notes).toEqual([{ about: 'room', room: 'lobby' }]);
    });

    test('who comes from another log, or from a place it never came to, reads this one whole', async () => {
      const { read, say } = await room();
      const gap = { from: 1, to: 0, why: 'new-epoch' };
      expect(await read({ epoch: 'another', offset: 7 })).toEqual({ offsets: [], top: 0, gap });
      for (const text of ['a', 'b']) await say(text);
      expect(await read({ epoch: 'another', offset: 1 })).toEqual({ offsets: [1, 2], top: 2, gap });
      expect(await read({ offset: 3 })).toEqual({ offsets: [1, 2], top: 2, gap });
    });
  });

  describe('a log is trimmed', () => {
    test('at 256 messages', async () => {
      const { read, say } = await room();
      for (let n = 1; n <= 300; n++) await say(`${n}`);
      const all = await read({ offset: 0 });
      expect([all.offsets.length, all.offsets[0], all.top]).toEqual([256, 45, 300]);
      expect(all.gap).toEqual({ from: 1, to: 44, why: 'trimmed' });
      expect((await read({ offset: 43 })).gap).toEqual({ from: 44, to: 44, why: 'trimmed' });
      expect((await read({ offset: 44 })).gap).toBeUndefined();
      expect((await read({ epoch: 'another', offset: 290 })).gap).toEqual({
        ...{ from: 1, to: 44, why: 'new-epoch' },
      });
    });

    test('at 256 KiB, but for the newest', async () => {
      const { read, say } = await room();
      for (let n = 0; n < 5; n++) await say('x'.repeat(65_536));
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [2, 3, 4, 5], gap: { to: 1 } });
      await say('x'.repeat(300_000));
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [6], gap: { to: 5 } });
    });

    test('after two minutes, also while nothing is said', async () => {
      const { read, say, pass } = await room();
      await say('a');
      await pass(1);
      await say('b');
      await pass(TWO_MINUTES - 1);
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [1, 2], gap: undefined });
      await pass(1);
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [2], gap: { from: 1, to: 1 } });
      await pass(1);
      expect(await read({ offset: 1 })).toMatchObject({ offsets: [], top: 2, gap: { from: 2, to: 2 } });
    });
  });

  describe('a log with bounds of its own', () => {
    const BOUNDS: LogBounds = { maxMessages: 400, maxBytes: 500_000, ttlMs: 2 * TWO_MINUTES };

    test('keeps so many messages, says up to where it has none, and stays so without further words', async () => {
      const { store, read, say } = await room();
      for (let n = 1; n <= 300; n++) await say(`${n}`, { bounds: BOUNDS });
      for (let n = 301; n <= 500; n++) await say(`${n}`);
      expect((await read({ offset: 0 })).gap).toEqual({ from: 1, to: 100, why: 'trimmed' });
      expect(await store.readRoom({ room: 'lobby' })).toMatchObject({ base: 100, top: { offset: 500 } });
    });

    test('the newest ones count, also with a reading', async () => {
      const { read, say } = await room();
      for (let n = 1; n <= 300; n++) await say(`${n}`, { bounds: BOUNDS });
      expect((await read({ offset: 0 }, { ...BOUNDS, maxMessages: 300 })).gap).toBeUndefined();
      expect((await read({ offset: 0 }, { ...BOUNDS, maxMessages: 299 })).gap).toMatchObject({ to: 1 });
      expect((await read({ offset: 0 })).gap).toMatchObject({ to: 1 });
    });

    test('so many bytes', async () => {
      const { read, say } = await room();
      for (let n = 0; n < 8; n++) await say('x'.repeat(65_536), { bounds: BOUNDS });
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [2, 3, 4, 5, 6, 7, 8], gap: { to: 1 } });
    });

    test('for so long, also when everybody has gone, and rooms that stay for a shorter time are not kept by it', async () => {
      const { store, epoch, read, say, pass } = await room();
      await say('a', { bounds: BOUNDS });
      const other = async () => (await store.readRoom({ room: 'other' })).top.epoch;
      const before = await other();
      await pass(TWO_MINUTES + 1);
      expect(await other()).not.toBe(before);
      await pass(TWO_MINUTES - 1);
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [1] });
      await pass(2 * TWO_MINUTES);
      expect(await read({ offset: 0 })).toMatchObject({ offsets: [], gap: { to: 1 } });
      await pass(2 * TWO_MINUTES + 1);
      expect((await store.readRoom({ room: 'lobby' })).top.epoch).not.toBe(epoch);
    });
  });

  describe('members', () => {
    test('come and go with what is done', async () => {
      const { store, say, epoch } = await room();
      const [a, b] = [await begin(store, 'a'), await begin(store, 'b')];
      await say('0');
      await a.join('lobby', 1);
      await b.join('lobby', 1);
      expect(await say('1')).toMatchObject({ members: 2 });
      expect(await say('2', { except: ['a', 'nobody'] })).toMatchObject({ members: 1 });
      const membership = { position: { epoch, offset: 1 }, replaced: ['old'] };
      expect(await a.attach()).toMatchObject({ rooms: new Map([['lobby', membership]]) });
      expect(await b.attach()).toMatchObject({ rooms: new Map([['lobby', membership]]) });

      await a.accept([{ seq: 2, item: [5, 2, 'x', 'y', null] }]);
      await a.claim();
      const leave = { sid: 'a', seq: 2, token: 'token-A', room: { name: 'lobby' } };
      expect(await store.done({ ...leave, token: 'wrong' })).toEqual({ status: 'gone' });
      expect(await say('3')).toMatchObject({ members: 2 });
      expect(await store.done(leave)).toEqual({ status: 'ok' });
      expect(await say('4')).toMatchObject({ members: 1 });
      expect(await a.attach()).toMatchObject({ rooms: new Map() });

      await store.end({ sid: 'b', why: 'ended' });
      expect(await say('5')).toMatchObject({ members: 0 });
    });

    test('who reads may ask for them', async () => {
      const { store, epoch } = await room();
      const talk = await begin(store);
      await talk.join('lobby', 1);
      const call = { ...talk.own, after: 0, window: [10, 10_000] as const };
      const membership = { position: { epoch, offset: 0 }, replaced: ['old'] };
      expect(await store.read({ ...call, rooms: true })).toMatchObject({
        rooms: new Map([['lobby', membership]]),
      });
      expect(await store.read(call)).toMatchObject({ rooms: undefined });
    });

    test('the last move is known, whether it is over or not', async () => {
      const { store } = await room();
      const talk = await begin(store);
      await talk.accept([{ seq: 1, item: [5, 1, 'x', 'y', null], moves: true }]);
      await talk.accept([{ seq: 2, item: [5, 2, 'x', 'y', null] }]);
      expect(await talk.attach()).toMatchObject({ lastMove: 1, handled: { low: 0 } });
    });

    test('who has ended joins nothing', async () => {
      const { store, say } = await room();
      const talk = await begin(store);
      await talk.accept([{ seq: 1, item: [5, 1, 'x', 'y', null] }]);
      await talk.claim();
      await store.end({ sid: 's1', why: 'closed' });
      const membership = { position: { epoch: 'x', offset: 0 }, replaced: [] };
      const done = { sid: 's1', seq: 1, token: 'token-A', room: { name: 'lobby', membership } };
      expect(await store.done(done)).toEqual({ status: 'ok' });
      expect(await say('a')).toMatchObject({ members: 0 });
    });

    test('who is put in again stays where it was: its client may not have read since', async () => {
      const { store, epoch, say, settle } = await room();
      const talk = await begin(store);
      const into = (offset: number) => ({
        sid: 's1',
        move: { name: 'lobby', membership: { position: { epoch, offset }, replaced: [] } },
      });
      expect(await store.move(into(0))).toEqual({ status: 'ok' });
      await say('a');
      await settle();
      const notes = notesOf(store);
      expect(await store.move(into(1))).toEqual({ status: 'kept' });
      await settle();
      expect(notes).toEqual([]);
      expect(await say('b')).toMatchObject({ members: 1 });
      expect(await talk.attach()).toMatchObject({ rooms: new Map([['lobby', into(0).move.membership]]) });
      expect(await store.move({ sid: 's1', move: { name: 'lobby' } })).toEqual({ status: 'ok' });
      expect(await store.move(into(2))).toEqual({ status: 'ok' });
      expect(await store.move({ ...into(2), sid: 'nobody' })).toEqual({ status: 'gone' });
    });

    test('stay while their connections are cut', async () => {
      const { store, say } = await room();
      const talk = await begin(store, 's1', { user: ADA });
      await talk.join('lobby', 1);
      await store.detach(talk.own);
      expect(await say('a')).toMatchObject({ members: 1 });
    });
  });

  describe('a room without members', () => {
    const epochOf = async (store: Awaited<ReturnType<typeof room>>['store']) =>
      (await store.readRoom({ room: 'lobby' })).top.epoch;

    test('is forgotten two minutes after something last happened there', async () => {
      const { store, epoch, say, pass } = await room();
      await pass(TWO_MINUTES);
      await say('a');
      await pass(TWO_MINUTES);
      expect(await epochOf(store)).toBe(epoch);
      await pass(TWO_MINUTES + 1);
      const next = await epochOf(store);
      expect(next).not.toBe(epoch);
      expect(await say('b')).toMatchObject({ position: { epoch: next, offset: 1 } });
    });

    test('counts from when the last one went', async () => {
      const { store, epoch, say, pass } = await room();
      const talk = await begin(store);
      await talk.join('lobby', 1);
      await say('a');
      await pass(10 * TWO_MINUTES);
      await store.orphans({ idleMs: 0 });
      expect(await say('b')).toMatchObject({ members: 1, position: { epoch, offset: 2 } });
      await pass(TWO_MINUTES + 1);
      await store.end({ sid: 's1', why: 'ended' });
      await pass(TWO_MINUTES);
      expect(await epochOf(store)).toBe(epoch);
    });

    test('is forgotten without anybody reading it before', async () => {
      const { store, epoch, pass } = await room();
      const talk = await begin(store);
      await talk.join('lobby', 1);
      await store.end({ sid: 's1', why: 'ended' });
      await pass(TWO_MINUTES + 1);
      expect(await epochOf(store)).not.toBe(epoch);
    });
  });
}
