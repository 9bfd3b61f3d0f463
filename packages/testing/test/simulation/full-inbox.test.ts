import { RejectError } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { backTo, bareServer, itemsOf } from './bare.js';

// The store has room for two messages of this client. What does not fit waits at the server, and no frame comes meanwhile.
function crowded() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) }, { inbox: [2, 1_000_000] });
  return bareServer({}, { shared: { clock, store } });
}
const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

test('the end of a handler that takes its time makes room for what waits', async () => {
  const { clock, server, dial } = crowded();
  const heard: unknown[] = [];
  server.on('slow', async (n) => {
    heard.push(n);
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 100));
  });
  const peer = dial();
  peer.hello();
  await clock.settle();
  peer.frame([0, 1, ...numbers.map((n) => [2, 'slow', n])]);
  await clock.advance(1_000);
  expect(heard).toEqual(numbers);
});

test('so does a refusal', async () => {
  const { clock, server, dial } = crowded();
  server.on('refused', () => {
    throw new RejectError('no');
  });
  const peer = dial();
  peer.hello();
  await clock.settle();
  peer.frame([0, 1, ...numbers.map((n) => [2, 'refused', n])]);
  await clock.advance(1_000);
  expect(itemsOf(peer, 5).map(([, seq]) => seq)).toEqual(numbers.map((n) => n + 1));
});

// Its client has come here from another server, which still runs what it had begun.
function two(crowd: number, doneMs = 0) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) }, { inbox: [crowd, 1_000_000] });
  const late = new Proxy<SessionStore>(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'done' || doneMs === 0) return value.bind(target);
      return (call: unknown) =>
        new Promise((resolve) => {
          clock.setTimer(() => resolve(Reflect.apply(value, target, [call])), doneMs);
        });
    },
  });
  const there = bareServer({}, { shared: { clock, store: late } });
  const here = bareServer({}, { shared: { clock, store }, seed: 2 });
  return { clock, there, here };
}

test('so does the end of a handler on the server that had the session before', async () => {
  const { clock, there, here } = two(2);
  const heard: unknown[] = [];
  const slow = async (n: unknown): Promise<void> => {
    heard.push(n);
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 500));
  };
  there.server.on('slow', slow);
  here.server.on('slow', (n) => void heard.push(n));
  const first = there.dial();
  first.hello();
  await clock.settle();
  first.frame([0, 1, [2, 'slow', 0], [2, 'slow', 1]]);
  await clock.advance(100);
  const second = here.dial();
  second.hello(backTo(first, 2));
  await clock.settle();
  second.frame([0, 1, ...numbers.map((n) => [2, 'slow', n])]);
  await clock.advance(1_000);
  expect(heard).toEqual(numbers);
});

test('what must not be begun before a message that it runs follows when that is done, not when its claim would be over', async () => {
  const { clock, there, here } = two(100, 500);
  const heard: unknown[] = [];
  for (const { server } of [there, here]) server.on('quick', (n) => void heard.push(n));
  const first = there.dial();
  first.hello();
  await clock.settle();
  first.frame([0, 1, [2, 'quick', 0]]);
  await clock.settle();
  const second = here.dial();
  second.hello(backTo(first, 2));
  await clock.settle();
  second.frame([0, 1, ...numbers.map((n) => [2, 'quick', n])]);
  await clock.advance(400);
  expect(heard).toEqual([0]);
  await clock.advance(200);
  expect(heard).toEqual(numbers);
});
