import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { event, notesOf, publish, Talk } from '../../../../../test/session-store/harness.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { laterStore } from '../../support/later-store.js';

function make() {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const memory = new MemoryStore({ clock, random });
  return { clock, memory, store: laterStore(memory, clock, random, 10) };
}

test('a store that answers later does so in the order in which it was asked', async () => {
  const { clock, memory, store } = make();
  const talk = new Talk(store, 's1');
  await clock.until(talk.attachFresh());
  const answered: number[] = [];
  const asked = Array.from({ length: 50 }, (_, index) =>
    talk.append(`${index}`).then(() => answered.push(index)),
  );
  await clock.settle();
  // Neither has all arrived nor has all been answered what was asked in one turn.
  expect(answered.length).toBeLessThan(50);
  await clock.until(Promise.all(asked));
  expect(answered).toEqual(asked.map((_, index) => index));
  const read = memory.read({ ...talk.own, after: 0, window: [100, 1_000] });
  const items = read.status === 'ok' ? read.items : [];
  expect(items.map((item) => 'data' in item && item.data)).toEqual(asked.map((_, index) => `${index}`));
});

test('what goes wrong there arrives here', async () => {
  const { clock, store } = make();
  const talk = new Talk(store, 's1');
  await clock.until(talk.attachFresh());
  await expect(clock.until(talk.accept([event(2)]))).rejects.toThrow('does not follow on');
});

test('notes come later, too, unless nobody listens any more', async () => {
  const { clock, memory, store } = make();
  const notes = notesOf(store);
  const stop = store.listen(() => {
    throw new Error('nobody listens');
  });
  await publish(memory, 'lobby', 'a');
  stop();
  expect(notes).toEqual([]);
  await clock.advance(20);
  expect(notes).toEqual([{ about: 'room', room: 'lobby' }]);
});
