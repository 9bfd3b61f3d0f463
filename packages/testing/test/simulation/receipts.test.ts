import type { HoldfastServer, ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { openBed, person } from './people.js';

// How long a receipt takes that somebody waits for: a round trip, however many came before it.

const LATENCY_MS = 20;
const TIMES = 20;

async function bedOfTwo(more: (server: HoldfastServer) => void = () => undefined) {
  const sessions: ServerSession[] = [];
  const bed = openBed({
    latencyMs: LATENCY_MS,
    setup(server) {
      server.on('note', () => undefined);
      server.rooms('*', { join: true, publish: true });
      server.onSession((session) => sessions.push(session));
      more(server);
    },
  });
  const { client } = person(bed);
  client.on('message', () => undefined);
  await bed.until(client.connect());
  const [session] = sessions;
  if (!session) throw new Error('no session');
  return { bed, client, session };
}

type Bed = Awaited<ReturnType<typeof bedOfTwo>>;

const oneByOne = async (send: () => PromiseLike<unknown>): Promise<void> => {
  for (let count = 0; count < TIMES; count++) await send();
};

test.each<[string, (made: Bed) => Promise<unknown>]>([
  ['of a client', ({ client }) => oneByOne(() => client.send('note', 1))],
  ['of a client, in a room', ({ client }) => oneByOne(() => client.room('lobby').send('note', 1))],
  ['of a server', ({ session }) => oneByOne(() => session.send('message', 1))],
  [
    'of both at a time',
    ({ client, session }) =>
      Promise.all([oneByOne(() => client.send('note', 1)), oneByOne(() => session.send('message', 1))]),
  ],
  [
    'of two who do not know of each other',
    ({ client }) => Promise.all([1, 2].map(() => oneByOne(() => client.send('note', 1)))),
  ],
])('messages one after the other take a round trip each: %s', async (_whose, talk) => {
  const made = await bedOfTwo();
  await made.bed.until(made.client.room('lobby').join());
  const startedAt = made.bed.clock.now();
  await made.bed.until(talk(made));
  expect(made.bed.clock.now() - startedAt).toBe(TIMES * 2 * LATENCY_MS);
});

test.each([31, 32, 33, 100])(
  '%i messages that waited for a connection take a round trip, though their handlers start by and by',
  async (count) => {
    const { bed, client } = await bedOfTwo((server) =>
      server.on('slow', () => new Promise<void>((resolve) => void bed.clock.setTimer(resolve, 1))),
    );
    bed.cut(client);
    const receipts = Promise.all(Array.from({ length: count }, () => client.send('slow', 1)));
    await bed.until(client.connect());
    const startedAt = bed.clock.now();
    await bed.until(receipts);
    // Sixteen handlers run at a time.
    const waited = Math.ceil(count / 16) - 1;
    expect(bed.clock.now() - startedAt).toBe(2 * LATENCY_MS + waited);
  },
);

test('flush() waits a round trip for what nobody else awaits', async () => {
  const { bed, client } = await bedOfTwo();
  await bed.until(client.send('note', 1));
  const startedAt = bed.clock.now();
  void client.send('note', 2);
  await bed.until(client.flush());
  expect(bed.clock.now() - startedAt).toBe(2 * LATENCY_MS);
});

test('what nobody waits for may wait for 100 ms, though somebody hears of its failure', async () => {
  const { bed, client } = await bedOfTwo();
  await bed.until(client.send('note', 0));
  const inflight: number[] = [];
  for (let count = 1; count <= 100; count++) {
    client.send('note', count).catch(() => undefined);
    await bed.advance(10);
    inflight.push(client.getOutbox().inflight);
  }
  // A round trip is four of them.
  expect(Math.max(...inflight)).toBeGreaterThan(10);
  await bed.advance(200);
  expect(client.getOutbox()).toMatchObject({ inflight: 0 });
});
