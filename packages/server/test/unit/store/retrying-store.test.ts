import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import type { SessionStore } from '../../../src/ports/store.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { type RetryingSurroundings, retryingStore } from '../../../src/store/retrying-store.js';

const observe: RetryingSurroundings['observe'] = { storeAsked() {}, storeChanged() {} };

/** A store of which the next calls fail, and how often it was asked. */
function shaky() {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const told: unknown[] = [];
  const asked: string[] = [];
  let failures = 0;
  let failing: string | undefined;
  const memory = new MemoryStore({ clock, random });
  const inner = new Proxy<SessionStore>(memory, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || name === 'listen') return value;
      return (call: unknown) => {
        asked.push(String(name));
        if (name === failing) return Promise.reject(new Error('no room'));
        if (failures > 0) return Promise.reject(new Error(`away, ${failures--} to go`));
        return Promise.resolve(Reflect.apply(value, target, [call]) as unknown);
      };
    },
  });
  const store = retryingStore(inner, { clock, random, observe, failed: (error) => told.push(String(error)) });
  const fail = (calls: number): void => {
    failures = calls;
  };
  const failOnly = (operation: string): void => {
    failing = operation;
  };
  return { clock, store, told, asked, fail, failOnly };
}

const publication = { id: 'i', at: 1, except: new Set<string>(), event: 'x' };
const WHO = { sid: 's', fresh: true, user: { id: 'ada' }, n: 1, newKey: 'k' };
const HELLO = { ...WHO, received: 0, acked: 0, maxRequests: 1 };

test('a call is made again until it is answered; the outage is told once', async () => {
  const { clock, store, told, asked, fail } = shaky();
  fail(5);
  const published = await clock.until(
    Promise.resolve(store.publish({ room: 'r', writer: 'A', w: 1, publication })),
  );
  expect(published).toMatchObject({ status: 'ok', position: { offset: 1 } });
  // Before it is tried it has to be known in which incarnation that is.
  const calls = asked.filter((name) => name !== 'find');
  expect(calls).toEqual([...Array(6).fill('incarnation'), 'publish']);
  expect(told).toEqual(['Error: away, 5 to go']);
  // The same trouble as long as it has not been well for a while.
  fail(1);
  await clock.until(Promise.resolve(store.readRoom({ room: 'r' })));
  expect(told).toHaveLength(1);
  await clock.advance(10_000);
  fail(1);
  await clock.until(Promise.resolve(store.readRoom({ room: 'r' })));
  expect(told).toHaveLength(2);
});

describe('a publication is tried in one incarnation', () => {
  /** A store that remembers its incarnation until it hears that this is old; `loseAnswers`: of so many calls. */
  function rolling() {
    const clock = new VirtualClock();
    const random = seededRandom(1);
    let inner = new MemoryStore({ clock, random });
    let known: string | undefined;
    let missing = 0;
    const store: SessionStore = new Proxy<SessionStore>(inner, {
      get(_target, name) {
        if (name === 'incarnation') return () => (known ??= inner.incarnation());
        if (name !== 'publish') return Reflect.get(inner, name) as unknown;
        return async (call: Parameters<SessionStore['publish']>[0]) => {
          const published = inner.publish(call);
          if (published.status === 'lost') known = undefined;
          if (missing-- > 0) throw new Error('its answer is missing');
          return published;
        };
      },
    });
    const retrying = retryingStore(store, { clock, random, observe, failed: () => undefined });
    let w = 0;
    const publish = () => Promise.resolve(retrying.publish({ room: 'r', writer: 'A', w: ++w, publication }));
    const roll = (): void => {
      inner = new MemoryStore({ clock, random });
    };
    const loseAnswers = (calls: number): void => {
      missing = calls;
    };
    const offset = () => inner.readRoom({ room: 'r' }).top.offset;
    return { clock, publish, roll, loseAnswers, offset };
  }

  test('of a missing answer, nothing is lost', async () => {
    const { clock, publish, loseAnswers, offset } = rolling();
    loseAnswers(3);
    expect(await clock.until(publish())).toMatchObject({ status: 'ok', position: { offset: 1 } });
    expect(offset()).toBe(1);
  });

  test('if the store has lost its last writes before it was tried, it is published', async () => {
    const { clock, publish, roll, offset } = rolling();
    await clock.until(publish());
    roll();
    expect(await clock.until(publish())).toMatchObject({ status: 'ok', position: { offset: 1 } });
    expect(offset()).toBe(1);
  });

  test('if it has lost them since, nobody knows: it is not published again, and the next one is', async () => {
    const { clock, publish, roll, loseAnswers, offset } = rolling();
    loseAnswers(1);
    const published = publish();
    await clock.settle();
    roll();
    expect(await clock.until(published)).toEqual({ status: 'lost' });
    expect(offset()).toBe(0);
    expect(await clock.until(publish())).toMatchObject({ status: 'ok' });
  });
});

test('when one call is answered again, all that wait are made at once, the oldest first', async () => {
  const { clock, store, asked, fail } = shaky();
  fail(Infinity);
  const rooms = ['a', 'b', 'c'].map((room) => Promise.resolve(store.readRoom({ room })));
  await clock.advance(20_000);
  fail(0);
  asked.length = 0;
  await clock.until(Promise.race(rooms));
  const first = clock.now();
  await clock.until(Promise.all(rooms));
  expect(clock.now()).toBe(first);
  expect(asked.filter((name) => name === 'readRoom')).toHaveLength(3);
  await clock.advance(5_000);
  expect(asked.filter((name) => name === 'readRoom')).toHaveLength(3);
});

test('a call that goes on failing while others are answered is not made more often for that', async () => {
  const { clock, store, asked, failOnly } = shaky();
  failOnly('publish');
  void store.publish({ room: 'r', writer: 'A', w: 1, publication });
  for (let round = 0; round < 200; round++) {
    await clock.until(Promise.resolve(store.readRoom({ room: 'r' })));
    await clock.advance(100);
  }
  expect(asked.filter((name) => name === 'publish').length).toBeLessThan(40);
  store.stop();
});

test('pauses grow to two seconds, and no further', async () => {
  const { clock, store, asked, fail } = shaky();
  fail(Infinity);
  void store.orphans({ idleMs: 0 });
  await clock.advance(1_000);
  const attempts = () => asked.filter((name) => name === 'orphans').length;
  expect(attempts()).toBeGreaterThan(4);
  expect(attempts()).toBeLessThan(9);
  asked.length = 0;
  await clock.advance(60_000);
  expect(attempts()).toBeGreaterThanOrEqual(30);
  expect(attempts()).toBeLessThanOrEqual(62);
  store.stop();
});

test('a store that throws where it should reject is asked again as well', async () => {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const memory = new MemoryStore({ clock, random });
  let failures = 3;
  const inner = new Proxy<SessionStore>(memory, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'readRoom' && name !== 'attach') return value;
      return (call: unknown) => {
        if (failures-- > 0) throw new Error('thrown');
        return Reflect.apply(value as (call: unknown) => unknown, target, [call]);
      };
    },
  });
  const told: unknown[] = [];
  const failed = (error: unknown): void => void told.push(String(error));
  const store = retryingStore(inner, { clock, random, observe, failed });
  const part = await clock.until(Promise.resolve(store.readRoom({ room: 'r' })));
  expect([part.top.offset, told]).toEqual([0, ['Error: thrown']]);
  failures = 1;
  const attached = Promise.resolve(store.attach({ ...HELLO, codec: 'json', node: 'A' }));
  await expect(attached).rejects.toThrow('thrown');
  store.stop();
});

test('an attach is made once', async () => {
  const { clock, store, asked, fail } = shaky();
  fail(1);
  const attached = Promise.resolve(store.attach({ ...HELLO, codec: 'json', node: 'A' }));
  await expect(attached).rejects.toThrow('away');
  await clock.advance(10_000);
  expect(asked.filter((name) => name === 'attach')).toHaveLength(1);
});

test('after stop() nothing is asked again, and no timer is left', async () => {
  const { clock, store, asked, fail } = shaky();
  fail(Infinity);
  void store.orphans({ idleMs: 0 });
  void store.readRoom({ room: 'r' });
  await clock.advance(500);
  store.stop();
  asked.length = 0;
  await clock.advance(60_000);
  expect([asked, clock.timers]).toEqual([[], 0]);
});

test('what is answered at once costs no turn', () => {
  const clock = new VirtualClock();
  const memory = new MemoryStore({ clock, random: seededRandom(1) });
  const store = retryingStore(memory, { clock, random: seededRandom(2), observe, failed: () => undefined });
  expect(store.readRoom({ room: 'r' })).toMatchObject({ top: { offset: 0 } });
});
