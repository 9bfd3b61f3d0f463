import { createClient } from '@holdfast/client';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { soon } from './peers.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const long = process.env['HOLDFAST_LONG'] === '1';
const CUTS = long ? 500 : 60;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Client and server on real sockets, with a proxy between them, and what each has heard. */
async function through(seed: number) {
  const up: number[] = [];
  const asked: number[] = [];
  const down: number[] = [];
  const inRoom: number[] = [];
  const told: string[] = [];
  const attaches: boolean[] = [];
  // Two thousand messages a second: what is over the rate would be refused, which is not what this is about.
  const limits = { messagesPerSecond: 100_000, burst: 100_000 };
  const server = createHoldfastServer({ logger: quiet, limits });
  server.rooms('*', { join: true });
  server.on('up', (n) => up.push(Number(n)));
  server.handle('ask', async (n) => {
    asked.push(Number(n));
    await pause(Number(n) % 7);
    return n;
  });
  server.onAttach((_session, { recovered }) => attaches.push(recovered));
  const begun = new Promise<ServerSession>((yes) => server.onSession(yes));
  const { port } = await server.listen(0, '127.0.0.1');
  const proxy = await createTcpProxy({ target: { port }, seed });
  const client = createClient({
    url: `ws://127.0.0.1:${proxy.port}/realtime`,
    logger: quiet,
    reconnect: { baseMs: 10, capMs: 40 },
    outbox: { maxMessages: 100_000, maxBytes: 100_000_000 },
  });
  client.on('down', (n) => down.push(Number(n)));
  client.room('r').on('published', (n) => inRoom.push(Number(n)));
  client.onSessionLost(({ unknown }) => told.push(`lost ${unknown.length}`));
  client.onGap(({ messages, reason }) => told.push(`gap ${messages} ${reason}`));
  client.onUndelivered((_message, { code }) => told.push(code));
  onTestFinished(async () => {
    await client.close();
    await proxy.close();
    await server.close();
  });
  await soon(client.connect(), 'connected');
  await soon(client.room('r').join(), 'joined');
  return { client, server, proxy, session: await begun, heard: { up, asked, down, inRoom }, told, attaches };
}

// What is written here is what the README promises: real sockets, cut at random bytes in the middle of everything.
test.each([1, 2])(
  `${CUTS} cuts at random bytes, seed %i: nothing lost, nothing doubled, all in order`,
  async (seed) => {
    const { client, server, proxy, session, heard, told, attaches } = await through(seed);
    const sendings: Promise<unknown>[] = [];
    const manners = ['reset', 'end', 'silent'] as const;
    let n = 0;
    for (let cut = 0; cut < CUTS; cut++) {
      // Somewhere in the next frames, in the middle of one or not.
      void proxy.cut({
        how: manners[cut % 3],
        within: 1_500,
        told: cut % 2 === 0 ? 'both' : 'server',
      });
      for (let burst = 0; burst < 5; burst++) {
        for (let each = 0; each < 10; each++, n++) {
          sendings.push(client.send('up', n), session.send('down', n));
        }
        sendings.push(client.request('ask', n));
        sendings.push(server.to('r').send('published', n));
        await pause(5);
      }
      // A cut that nobody hears of would be noticed by its silence, in seconds: whoever wakes up asks at once.
      if (cut % 3 === 2 || cut % 2 === 1) await proxy.cut();
    }
    await soon(Promise.all(sendings), 'all settled');
    const numbers = (count: number, step = 1) =>
      Array.from({ length: count }, (_, index) => (index + 1) * step);
    const all = numbers(n).map((number) => number - 1);
    expect(heard.up).toEqual(all);
    expect(heard.down).toEqual(all);
    expect(heard.asked).toEqual(numbers(n / 10, 10));
    expect(told).toEqual([]);
    // Some cuts meet a connection that is being made.
    expect(attaches.length).toBeGreaterThan(CUTS / 3);
    await expect.poll(() => heard.inRoom).toEqual(numbers(n / 10, 10));
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true, sessionId: session.id });
  },
);
