import { describe, expect, test } from 'vitest';
import { begin, events, type MakeStore, notesOf, nothing } from './harness.js';

/** What one server has said to a client, or runs for it, while that has its connection on another one, `A`. */
export function suiteOfElsewhere(make: MakeStore): void {
  describe('another server than the one with the connection', () => {
    const toldOf = (notes: ReturnType<typeof notesOf>, about: string) =>
      notes.filter((note) => note.about === about);

    test('is told what its client has acknowledged, of what somebody waits for', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      const notes = notesOf(store);
      await talk.append('a', { writer: 'A', w: 1, receipt: true });
      await talk.append('b', { writer: 'B', w: 1, receipt: true });
      await talk.append('c', { writer: 'B', w: 2 });
      await talk.append('d', { writer: 'C', w: 7, receipt: true });
      await talk.append('e', { writer: 'B', w: 3, receipt: true });
      await talk.read();
      await talk.accept([], 4);
      await talk.accept([], 4);
      await settle();
      const written = [
        { writer: 'B', w: 1 },
        { writer: 'C', w: 7 },
      ];
      expect(toldOf(notes, 'taken')).toEqual([{ about: 'taken', sid: 's1', written }]);
    });

    test('also if the client says so when it comes', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      await talk.append('a', { writer: 'A', w: 1, receipt: true });
      await talk.read();
      await settle();
      const notes = notesOf(store);
      await talk.attach({ node: 'B', received: 1 });
      await settle();
      const written = [{ writer: 'A', w: 1 }];
      expect(toldOf(notes, 'taken')).toEqual([{ about: 'taken', sid: 's1', written }]);
    });

    test('is told of the newest under a word, and not of what gave way to it', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      const notes = notesOf(store);
      await talk.append('old', { writer: 'B', w: 1, place: 'p', receipt: true });
      expect(await talk.append('new', { writer: 'B', w: 2, place: 'p', receipt: true })).toBe(
        'instead of B 1',
      );
      await talk.read();
      await talk.accept([], 1);
      await settle();
      expect(toldOf(notes, 'taken')).toMatchObject([{ written: [{ writer: 'B', w: 2 }] }]);
    });

    test('is told which of the requests that it runs were given up', async () => {
      const { store, settle } = await make();
      const talk = await begin(store);
      await talk.accept(events(1, 3));
      await talk.claim('A', { max: 2, token: 't1' });
      const notes = notesOf(store);
      await talk.attach({ node: 'B' });
      await talk.accept([nothing(4)], 0, { cancels: [1, 3, 9] });
      await settle();
      expect(toldOf(notes, 'cancel')).toEqual([{ about: 'cancel', sid: 's1', holder: 'A', seqs: [1] }]);
    });
  });
}
