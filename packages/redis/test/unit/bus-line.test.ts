import type { Note } from '@holdfast/server/ports';
import { VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { MemoryBus } from '../../../../test/bus-suite/memory-bus.js';
import { BusLine } from '../../src/bus-line.js';
import { encodeFields, encodeNote, Listening } from '../../src/notes.js';

const BEAT_MS = 1_000;
/** Within which a hole is found, whatever else there is. */
const SOON_MS = BEAT_MS + 200;

const note = (sid: string): Buffer => encodeFields(['session', sid]);
const cast = (bytes: number) => ({
  about: 'cast' as const,
  to: { room: 'lobby' },
  except: new Set<string>(),
  data: new Uint8Array(bytes).map((_, at) => at % 251),
});

/** Loses that message, of all that are published from now on. */
function nth(wanted: number): () => boolean {
  let n = 0;
  return () => ++n === wanted;
}

interface Server {
  readonly line: BusLine;
  readonly heard: Note[];
  readonly outages: string[];
  /** What has come since this was asked last: whose session, or that something is missing. */
  news(): string[];
}

function startOn(bus: MemoryBus, clock: VirtualClock, id: string): Server {
  const listening = new Listening();
  const heard: Note[] = [];
  const outages: string[] = [];
  listening.listen((one) => heard.push(one));
  const away = (error: unknown, back: Promise<void>): void => {
    outages.push(String(error));
    void back.then(() => outages.push('back'));
  };
  const line = new BusLine({ bus, channel: 'c', clock, id, beatMs: BEAT_MS, listening, away });
  const news = (): string[] => heard.splice(0).map((one) => ('sid' in one ? one.sid : one.about));
  return { line, heard, outages, news };
}

/** Servers that know of each other, and have looked. */
async function servers(...names: readonly string[]) {
  const clock = new VirtualClock();
  const bus = new MemoryBus();
  const start = (id: string): Server => startOn(bus, clock, id);
  const all = names.map(start) as [Server, Server, ...Server[]];
  await clock.advance(SOON_MS);
  for (const one of all) one.news();
  return { clock, bus, start, all };
}

describe('what a server tells on a bus', () => {
  test('is heard by itself at once, and by all others, each time once and in its order; nothing is missing', async () => {
    const { clock, all } = await servers('a', 'b', 'c');
    const [a, b, c] = all;
    a.line.tell([note('1'), note('2')]);
    expect(a.news()).toEqual(['1', '2']);
    expect(await a.line.told(Promise.resolve([7, [note('3')]]))).toBe(7);
    await clock.settle();
    b.line.tell([note('4')]);
    await clock.advance(60 * BEAT_MS);
    expect([a.news(), b.news(), c?.news()]).toEqual([
      ['3', '4'],
      ['1', '2', '3', '4'],
      ['1', '2', '3', '4'],
    ]);
  });

  test('may be larger than what the bus carries at once', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    const [a, b] = all;
    const sizes: number[] = [];
    bus.join('c', {
      heard: (message) => sizes.push(message.length),
      up: () => undefined,
      down: () => undefined,
    });
    const sent = [cast(59_000), cast(1_000_000), cast(10)];
    a.line.tell(sent.map(encodeNote));
    await clock.settle();
    // Byte by byte, `toEqual` takes seconds.
    const bytesOf = (one: unknown): string => encodeNote(one as (typeof sent)[0]).toString('base64');
    expect(b.heard.map(bytesOf).join() === sent.map(bytesOf).join()).toBe(true);
    expect(sizes).toHaveLength(19);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
  });

  test('and is lost is missed by the others, when they hear the next or the next beat', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    const [a, b] = all;
    bus.loses = nth(1);
    a.line.tell([note('1'), note('2')]);
    await clock.advance(200);
    expect(b.news()).toEqual(['2', 'missed']);
    bus.loses = nth(1);
    a.line.tell([note('3')]);
    await clock.advance(SOON_MS);
    expect(b.news()).toEqual(['missed']);
    await clock.advance(60 * BEAT_MS);
    expect([a.news(), b.news()]).toEqual([['1', '2', '3'], []]);
  });

  test.each([1, 9, 17])(
    'and of which part %s is lost is missed as a whole; what follows is heard',
    async (part) => {
      const { clock, bus, all } = await servers('a', 'b');
      const [a, b] = all;
      bus.loses = nth(part);
      a.line.tell([encodeNote(cast(1_000_000)), note('2')]);
      await clock.advance(200);
      expect(b.news()).toEqual(['2', 'missed']);
    },
  );

  test('is missed as one, however much is lost', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    const [a, b] = all;
    let n = 0;
    bus.loses = () => n++ % 2 === 0;
    a.line.tell(Array.from({ length: 1_000 }, () => note('1')));
    await clock.advance(200);
    expect(b.news().filter((one) => one === 'missed')).toHaveLength(1);
  });
});

describe('what nobody could tell', () => {
  test('since an answer is missing, is missed by all with the next beat, once', async () => {
    const { clock, all } = await servers('a', 'b', 'c');
    const [a] = all;
    const missing = Promise.reject(new Error('away'));
    for (let n = 0; n < 10; n++) await expect(a.line.told(missing)).rejects.toThrow('away');
    await clock.advance(60 * BEAT_MS);
    expect(all.map((one) => one.news())).toEqual([['missed'], ['missed'], ['missed']]);
  });

  test('since it has died, is missed when it has been silent for three beats, once', async () => {
    const { clock, bus, all } = await servers('a', 'b', 'c');
    const [a, b, c] = all;
    a.line.tell([note('1')]);
    await clock.settle();
    // As its messages begin.
    bus.loses = (message) => Buffer.from(message).toString().startsWith('1:a');
    await clock.advance(3 * BEAT_MS);
    expect([b.news(), c?.news()]).toEqual([['1'], ['1']]);
    await clock.advance(60 * BEAT_MS);
    expect([b.news(), c?.news()]).toEqual([['missed'], ['missed']]);
  });

  test('is nothing when it has said goodbye, unless its last word is missing', async () => {
    const { clock, bus, all } = await servers('a', 'b', 'c');
    const [a, b, c] = all;
    a.line.tell([note('1')]);
    await a.line.close();
    await clock.advance(10 * BEAT_MS);
    expect(c?.news()).toEqual(['1']);
    bus.loses = nth(1);
    b.line.tell([note('2')]);
    await b.line.close();
    await clock.advance(10 * BEAT_MS);
    expect(c?.news()).toEqual(['missed']);
    await c?.line.close();
    expect(clock.timers).toBe(0);
  });

  test('before this server came is missed by it: it looks once when it hears of the others', async () => {
    const { clock, start, all } = await servers('a', 'b');
    for (const { line } of all) line.tell([note('1')]);
    const late = start('c');
    await clock.advance(10 * BEAT_MS);
    expect(new Set(late.news())).toEqual(new Set(['missed']));
    expect(all.map((one) => one.news())).toEqual([
      ['1', '1'],
      ['1', '1'],
    ]);
  });
});

describe('a bus that is away', () => {
  test('is told once, with its end; meanwhile everybody looks now and then, and once it is back', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    const [a, b] = all;
    bus.away();
    await clock.advance(20 * BEAT_MS);
    const looks = b.news();
    // Each of four beats, and once since the others are silent.
    expect([looks.length >= 4 && looks.length <= 6, new Set(looks)]).toEqual([true, new Set(['missed'])]);
    a.line.tell([note('1')]);
    expect(b.outages).toEqual(['Error: away']);
    bus.back();
    await clock.advance(200);
    expect(b.outages).toEqual(['Error: away', 'back']);
    expect(b.news()).toEqual(['missed']);
    a.line.tell([note('2')]);
    await clock.advance(60 * BEAT_MS);
    expect(b.news()).toEqual(['2']);
  });

  test('for a moment only: what was told meanwhile is missed when it is back, not a beat later', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    const [a, b] = all;
    bus.away();
    a.line.tell([note('1')]);
    await clock.advance(BEAT_MS / 10);
    bus.back();
    await clock.advance(150);
    expect([a.news(), b.news()]).toEqual([['1', 'missed'], ['missed']]);
  });

  test('when this server goes leaves nothing behind', async () => {
    const { clock, bus, all } = await servers('a', 'b');
    bus.away();
    await clock.settle();
    for (const { line } of all) await line.close();
    expect([clock.timers, all.map(({ outages }) => outages.at(-1))]).toEqual([0, ['back', 'back']]);
  });
});

test('what nobody here has written is passed over', async () => {
  const { clock, bus, all } = await servers('a', 'b');
  const [, b] = all;
  const stranger = bus.join('c', { heard: () => undefined, up: () => undefined, down: () => undefined });
  for (const words of ['', 'x', '5:a', '1:x', '1:x3:one4:beat']) {
    stranger.publish(Buffer.from(words));
  }
  await clock.advance(200);
  expect(b.news()).toEqual([]);
  const fields = [
    ['x', '1', 'of tomorrow', '1', note('1')],
    ['x', '2', 'note', 'x', note('2')],
    ['x', '3', 'note'],
  ];
  for (const some of fields) stranger.publish(encodeFields(some));
  await clock.advance(200);
  expect(b.news()).toEqual(['missed']);
  stranger.publish(encodeFields(['x', '4', 'note', '4', Buffer.from('nonsense')]));
  stranger.publish(encodeFields(['x', '5', 'note', '5', note('3')]));
  await clock.advance(200);
  expect(b.news()).toEqual(['3']);
  // A bus may hang up on a listener that throws: one such note, and this server hears nobody any more.
  const nonsense = [
    ['answer', 'sid', 'a', '1', '{x'],
    ['cast', 'null', 'null', 'x'],
    ['move', 'sid', ''],
  ];
  for (const [at, words] of nonsense.entries()) {
    const n = String(6 + at);
    expect(() => b.line.heard(encodeFields(['x', n, 'note', n, encodeFields(words)]))).not.toThrow();
  }
  await clock.advance(200);
  expect(b.news()).toEqual([]);
});

test('what a client has written into a large message is no note when the rest of that is lost', async () => {
  const { clock, bus, all } = await servers('a', 'b');
  const [a, b] = all;
  const forged = encodeFields(['session', 'forged']);
  const before = encodeNote(cast(100_000)).length - 100_000;
  const large = cast(120_000 - before + forged.length);
  large.data.set(forged, large.data.length - forged.length);
  // It stands alone in the last part, the only one that comes.
  let n = 0;
  bus.loses = () => ++n <= 2;
  a.line.tell([encodeNote(large)]);
  await clock.advance(200);
  expect(b.news()).toEqual(['missed']);
});
