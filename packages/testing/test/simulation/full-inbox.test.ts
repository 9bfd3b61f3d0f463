import { RejectError } from '@holdfast/server';
import { MemoryStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';

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
