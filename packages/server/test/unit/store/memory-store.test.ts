import type { Clock } from '@holdfast/protocol';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import {
  ADA,
  begin,
  event,
  notesOf,
  publish,
  type StoreOptions,
  Talk,
} from '../../../../../test/session-store/harness.js';
import { sessionStoreSuite } from '../../../../../test/session-store/suite.js';
import type { Note, SessionStore } from '../../../src/ports/store.js';
import { HandledMarks } from '../../../src/store/handled-marks.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { laterStore } from '../../support/later-store.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

/** A clock whose milliseconds are turns of the event loop, and whose time stands still. */
const clockOfTurns: Clock = {
  now: () => 0,
  setTimer(run, delayMs) {
    let cancelled = false;
    turns(Math.ceil(delayMs)).then(() => cancelled || run());
    return () => {
      cancelled = true;
    };
  },
  defer: (run) => queueMicrotask(run),
};

function make(options?: StoreOptions) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const store = new MemoryStore({ clock, random }, options);
  return { store, clock, random, pass: (ms: number) => clock.advance(ms), settle: turn };
}

sessionStoreSuite('MemoryStore', make);

sessionStoreSuite('a MemoryStore that answers later', (options) => {
  const { store, random, pass } = make(options);
  return { store: laterStore(store, clockOfTurns, random, 2), pass, settle: () => turns(4) };
});

describe('MemoryStore', () => {
  test('costs no turn: it answers at once', () => {
    const { store } = make();
    const [sid, token] = ['s1', 't'];
    const call = { sid, seq: 1, token };
    const attach = {
      sid,
      fresh: true,
      user: ADA,
      n: 1,
      newKey: 'k',
      received: 0,
      acked: 0,
      maxRequests: 1,
      codec: 'json',
      node: 'A',
    };
    const own = { sid, epoch: 'x', gen: 1 };
    const publication = { id: 'i', at: 1, except: new Set<string>(), event: 'x' };
    // By name, so that an operation which the port gains is not forgotten here.
    const answers: {
      [Operation in Exclude<keyof SessionStore, 'durability' | 'leaseMs' | 'heldBytes' | 'listen'>]: unknown;
    } = {
      attach: store.attach(attach),
      accept: store.accept({ ...own, items: [event(1)], ack: 0 }),
      append: store.append({ sid, writer: 'A', w: 1, data: 'hi' }),
      withdraw: store.withdraw({ sid, writer: 'A', w: 1 }),
      read: store.read({ ...own, after: 0, window: [1, 1] }),
      claim: store.claim({ sid, holder: 'A', running: [], max: 1, token }),
      renew: store.renew(call),
      release: store.release(call),
      done: store.done(call),
      detach: store.detach(own),
      publish: store.publish({ room: 'r', writer: 'A', w: 1, publication }),
      incarnation: store.incarnation(),
      find: store.find({}),
      describe: store.describe({ sid, data: '{}' }),
      move: store.move({ sid, move: { name: 'r' } }),
      cast: store.cast({ to: { room: 'r' }, except: new Set(), data: 'x' }),
      readRoom: store.readRoom({ room: 'r' }),
      present: store.present({ room: 'r', sid, gen: 1, w: 1 }),
      whoIsThere: store.whoIsThere({ room: 'r' }),
      beat: store.beat({ node: 'A' }),
      orphans: store.orphans({ idleMs: 0 }),
      end: store.end({ sid, why: 'ended' }),
    };
    for (const [operation, answer] of Object.entries(answers)) {
      expect([operation, answer instanceof Promise || 'then' in Object(answer)]).toEqual([operation, false]);
    }
  });

  test('says what it is', () => {
    const { store } = make();
    expect([store.durability, store.leaseMs]).toEqual(['memory', 10_000]);
    expect(make({ leaseMs: 7 }).store.leaseMs).toBe(7);
  });

  test('two of them never have the same incarnation', async () => {
    const random = seededRandom(1);
    const clock = new VirtualClock();
    const [one, other] = [new MemoryStore({ clock, random }), new MemoryStore({ clock, random })];
    const talks = [await begin(one), await begin(other)];
    expect(new Set(talks.map(({ own }) => own.epoch)).size).toBe(2);
  });

  test('by default 1,000 messages or 1 MiB may wait, in each direction', async () => {
    const { store } = make();
    const [many, big] = [await begin(store, 'many'), await begin(store, 'big')];
    const items = Array.from({ length: 1_001 }, (_, index) => event(index + 1));
    expect(await many.accept(items)).toEqual({ status: 'full', accepted: 1_000 });
    expect(await big.accept([event(1, 1_048_576), event(2, 1)])).toEqual({ status: 'full', accepted: 1 });
    for (let n = 0; n < 1_000; n++) expect(await many.append('x')).toBe('ok');
    expect(await many.append('x')).toBe('full');
    expect(await big.append('x'.repeat(1_048_576))).toBe('ok');
    expect(await big.append('x')).toBe('full');
  });

  test('keeps 10,000 tombstones, the youngest', async () => {
    const { store } = make();
    const talks: Talk[] = [];
    for (let n = 0; n <= 10_000; n++) {
      const talk = new Talk(store, `s${n}`);
      await talk.attachFresh();
      store.end({ sid: talk.sid, why: 'ended' });
      talks.push(talk);
    }
    expect(await talks[0]?.attach()).toEqual({ status: 'lost' });
    for (const n of [1, 10_000]) expect(await talks[n]?.attach()).toMatchObject({ handled: { low: 0 } });
  });
});

describe('notes of a MemoryStore', () => {
  test('are told within the call, when everything is stored, to the caller, too', async () => {
    const { store } = make();
    const talk = await begin(store);
    const seen: unknown[] = [];
    store.listen((note) => seen.push(note.about, store.read({ ...talk.own, after: 0, window: [9, 99] })));
    store.append({ sid: 's1', writer: 'A', w: 1, data: 'hi' });
    expect(seen).toMatchObject(['session', { items: [{ seq: 1, data: 'hi' }] }]);
  });

  test('a listener that throws stops neither the store nor the others', async () => {
    const { store } = make();
    store.listen(() => {
      throw new Error('mine');
    });
    const notes = notesOf(store);
    const talk = await begin(store);
    expect(await talk.append('hi')).toBe('ok');
    expect(notes.map(({ about }) => about)).toEqual(['attach', 'session']);
  });

  test('what a listener brings about is told afterwards, to everybody in the same order', async () => {
    const { store } = make();
    const talk = await begin(store);
    store.listen((note) => {
      if (note.about === 'session') store.end({ sid: 's1', why: 'ended' });
    });
    const notes = notesOf(store);
    await talk.append('hi');
    expect(notes.map(({ about }) => about)).toEqual(['session', 'end']);
  });

  test('come until one stops listening, also from within', async () => {
    const { store } = make();
    const seen: string[] = [];
    const stops: (() => void)[] = [];
    const hear = (name: string) => (note: Note) => {
      seen.push(`${name} ${note.about}`);
      for (const stop of stops) stop();
    };
    for (const name of ['a', 'b']) stops.push(store.listen(hear(name)));
    const stay = (note: Note) => seen.push(note.about);
    // The same function twice is two listeners.
    const stopOne = store.listen(stay);
    store.listen(stay);
    await publish(store, 'lobby', 'x');
    stopOne();
    await publish(store, 'lobby', 'y');
    expect(seen).toEqual(['a room', 'room', 'room', 'room']);
  });
});

describe('HandledMarks', () => {
  test('are the same whatever the order', () => {
    const random = seededRandom(7);
    for (let run = 0; run < 200; run++) {
      const [marks, known] = [new HandledMarks(), new Set<number>()];
      const count = 1 + Math.floor(random.fraction() * 30);
      for (let n = 0; n < count; n++) {
        const seq = 1 + Math.floor(random.fraction() * 20);
        marks.mark(seq);
        known.add(seq);
        let low = 0;
        while (known.has(low + 1)) low++;
        const above = [...known].filter((each) => each > low).sort((a, b) => a - b);
        expect(marks.told()).toEqual({ low, above });
      }
    }
  });

  test('tell no more than the newest thousand above the low one, and lose none', () => {
    const marks = new HandledMarks();
    for (let seq = 2; seq <= 5_000; seq++) marks.mark(seq);
    const { low, above } = marks.told();
    expect([low, above.length, above[0], above.at(-1)]).toEqual([0, 1_000, 4_001, 5_000]);
    marks.mark(1);
    expect(marks.told()).toEqual({ low: 5_000, above: [] });
  });
});
