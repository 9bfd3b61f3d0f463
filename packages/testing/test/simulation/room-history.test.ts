import type { RoomRule } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { member, openBed, person } from './people.js';

const bedWith = (history: NonNullable<RoomRule['history']>) =>
  openBed({
    setup(server) {
      server.rooms('*', { join: true, publish: true, history });
    },
  });
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe('who joins', () => {
  test('is told the newest messages first, then what follows, each once and without a gap', async () => {
    const bed = bedWith({ onJoin: 3 });
    const ada = await member(bed);
    for (const text of numbers(1, 5)) await bed.until(ada.say(text));
    const bob = await member(bed);
    await bed.until(ada.say('6'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['3', '4', '5', '6']);
    expect(ada.heard).toEqual([]);
  });

  test('is told what there is where the log is shorter, and misses nothing that it was not owed', async () => {
    const bed = bedWith({ onJoin: 50, ttlMs: 200_000 });
    const ada = await member(bed);
    await bed.until(ada.say('old'));
    await bed.advance(150_000);
    for (const text of numbers(1, 2)) await bed.until(ada.say(text));
    await bed.advance(100_000);
    const bob = await member(bed);
    await bed.advance(100);
    expect(bob.heard).toEqual(['1', '2']);
  });

  test('hears nothing of before where the rule does not say so', async () => {
    const bed = bedWith({ maxMessages: 500 });
    const ada = await member(bed);
    await bed.until(ada.say('1'));
    const bob = await member(bed);
    await bed.advance(100);
    expect(bob.heard).toEqual([]);
  });

  test('and loses the connection before it knows where it stands: is told all the same, once', async () => {
    for (const afterMs of [0, 5, 10, 15, 20, 25, 30, 40, 60]) {
      const bed = bedWith({ onJoin: 3 });
      const ada = await member(bed);
      for (const text of numbers(1, 5)) await bed.until(ada.say(text));
      const bob = person(bed);
      await bed.until(bob.client.connect());
      const joined = bob.room.join();
      await bed.advance(afterMs);
      bed.cut(bob.client);
      await bed.until(joined);
      await bed.advance(5_000);
      expect(bob.heard, `cut after ${afterMs} ms`).toEqual(['3', '4', '5']);
    }
  });

  test('is put in by the server: as if it had joined', async () => {
    const bed = bedWith({ onJoin: 3 });
    const ada = await member(bed);
    for (const text of numbers(1, 5)) await bed.until(ada.say(text));
    const bob = person(bed);
    await bed.until(bob.client.connect());
    await bed.until(bed.server.toAll().join('lobby'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['3', '4', '5']);
    expect(ada.heard).toEqual([]);
  });
});

describe('who comes back', () => {
  test('gets all that was said meanwhile, as far as the rule lets the log reach', async () => {
    const bed = bedWith({ maxMessages: 400 });
    const ada = await member(bed);
    const bob = await member(bed);
    bed.refuse(bob.client);
    bed.cut(bob.client);
    for (const text of numbers(1, 300)) await bed.until(ada.say(text));
    bed.heal(bob.client);
    await bed.advance(60_000);
    expect(bob.heard).toEqual(numbers(1, 300));
  });

  test('is told of exactly what the log no longer has', async () => {
    const bed = bedWith({ maxMessages: 300 });
    const ada = await member(bed);
    const bob = await member(bed);
    bed.refuse(bob.client);
    bed.cut(bob.client);
    for (const text of numbers(1, 310)) await bed.until(ada.say(text));
    bed.heal(bob.client);
    await bed.advance(60_000);
    expect(bob.heard).toEqual(['gap 10 trimmed', ...numbers(11, 310)]);
  });
});
