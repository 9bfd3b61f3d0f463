import { createClient } from '@holdfast/client';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, soon } from './peers.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const CUTS = process.env['HOLDFAST_LONG'] === '1' ? 200 : 20;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('both ends ask each other over cuts at random bytes: everything is answered, and asked once', async () => {
  const server = createHoldfastServer({ logger: quiet, concurrency: 1 });
  // A handler that asks the client, whose handler asks the server: with one handler at a time.
  server.handle('double', async (n, { session }) => Number(await session.request('half', n)) * 4);
  server.handle('echo', (n) => n);
  const begun = new Promise<ServerSession>((yes) => server.onSession(yes));
  const { port } = await server.listen(0, '127.0.0.1');
  const proxy = await createTcpProxy({ target: { port }, seed: 1 });
  const client = createClient({
    url: `ws://127.0.0.1:${proxy.port}/realtime`,
    logger: quiet,
    reconnect: { baseMs: 10, capMs: 40 },
  });
  onTestFinished(async () => {
    await client.close();
    await proxy.close();
    await server.close();
  });
  const asked: number[] = [];
  const cancelled: unknown[] = [];
  client.handle('half', async (n) => {
    asked.push(Number(n));
    return Number(await client.request('echo', n)) / 2;
  });
  client.handle('hang', (n, { signal }) => {
    signal.addEventListener('abort', () => cancelled.push(n));
    return new Promise(() => undefined);
  });
  await soon(client.connect(), 'connected');
  const session = await begun;

  const up: Promise<unknown>[] = [];
  const down: Promise<unknown>[] = [];
  const hung: Promise<unknown>[] = [];
  const manners = ['reset', 'end', 'silent'] as const;
  for (let n = 0; n < CUTS; n++) {
    void proxy.cut({ how: manners[n % 3], within: 1_500, told: n % 2 === 0 ? 'both' : 'server' });
    up.push(client.request('double', n));
    down.push(session.request('half', 1_000 + n));
    hung.push(session.request('hang', n, { timeoutMs: 50 }).catch(({ code }: { code: string }) => code));
    await pause(20);
  }
  const every = Array.from({ length: CUTS }, (_, n) => n);
  expect(await soon(Promise.all(up), 'answers of the server')).toEqual(every.map((n) => 2 * n));
  expect(await soon(Promise.all(down), 'answers of the client')).toEqual(every.map((n) => (1_000 + n) / 2));
  expect(asked.sort((a, b) => a - b)).toEqual([...every, ...every.map((n) => 1_000 + n)]);
  expect(await soon(Promise.all(hung), 'timeouts')).toEqual(every.map(() => 'ERR_TIMEOUT'));
  // Those that arrived before they were given up are told.
  const signal = AbortSignal.timeout(100);
  await expect(session.request('hang', 'last', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  await eventually(() => cancelled.includes('last'), 'the last handler is told');
});
