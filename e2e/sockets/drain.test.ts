import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createHoldfastServer, isHoldfastError, type ServerContext } from '@holdfast/server';
import { createServerOn, MemoryStore, systemDigest } from '@holdfast/server/ports';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, soon } from './peers.js';

const CLIENTS = 20;
const PER_SECOND = 50;
const SECONDS = 5;

const clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimer(run: () => void, delayMs: number) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  defer: (run: () => void) => queueMicrotask(run),
};
const random = { fraction: () => Math.random(), id: () => randomBytes(16).toString('base64url') };

/** Two servers on one store, each of which answers a note with its number. */
async function twoServers() {
  const ports = { clock, random, digest: systemDigest, logger: console };
  const store = new MemoryStore({ clock, random });
  const taken = new Map<string, number[]>();
  const troubles: unknown[] = [];
  const one = async () => {
    // Moved within some two seconds.
    const { server } = createServerOn({ ...ports, store }, { limits: { acceptPerSecond: 10 } });
    server.onError((error) => troubles.push(error));
    server.on('note', (payload, { session, redelivered }: ServerContext) => {
      const [who, n] = payload as [string, number];
      taken.set(who, [...(taken.get(who) ?? []), n]);
      if (redelivered) troubles.push(`${who} ${n} redelivered`);
      // The acknowledgement may come where the session has moved to: then its sender learns only that much.
      session.send('heard', n).catch((error: unknown) => {
        if (!isHoldfastError(error, 'ERR_SESSION_LOST') || error.delivery !== 'unknown') troubles.push(error);
      });
    });
    const { port } = await server.listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    return { server, url: `ws://127.0.0.1:${port}/realtime` };
  };
  return { from: await one(), to: await one(), taken, troubles };
}

test('drain() while 20 clients send 50 messages a second: nothing lost, nothing doubled, no outage', async () => {
  const { from, to, taken, troubles } = await twoServers();
  // Not at the one that goes down: it counts what it held as lost for itself.
  to.server.onSessionEnd((_session, { reason }) => troubles.push(reason));
  let url = from.url;
  const statuses = new Set<string>();
  const crew = Array.from({ length: CLIENTS }, (_, index) => {
    const client = clientOf('', { url: () => url });
    const heard: unknown[] = [];
    client.on('heard', (n) => heard.push(n));
    client.onError((error) => troubles.push(error));
    client.onSessionLost((lost) => troubles.push(lost));
    return { client, heard, name: `client ${index}`, sending: [] as PromiseLike<unknown>[] };
  });
  await soon(Promise.all(crew.map(({ client }) => client.connect())), 'all are connected');
  for (const { client } of crew) client.onState(({ status }) => statuses.add(status));
  const total = SECONDS * PER_SECOND;
  let round = 0;
  let drained: Promise<void> | undefined;
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      round++;
      for (const { client, sending, name } of crew) sending.push(client.send('note', [name, round]));
      if (round === PER_SECOND) {
        url = to.url;
        drained = from.server.drain();
      }
      if (round < total) return;
      clearInterval(timer);
      done();
    }, 1_000 / PER_SECOND);
  });
  await soon(Promise.all(crew.flatMap(({ sending }) => sending)), 'all are acknowledged');
  await soon(Promise.all(crew.map(({ client }) => client.flush())), 'nothing is open');
  await soon(drained ?? Promise.reject(new Error('never drained')), 'the first server has ended');
  const all = Array.from({ length: total }, (_, index) => index + 1);
  await expect.poll(() => crew.every(({ heard }) => heard.length >= total), { timeout: 10_000 }).toBe(true);
  for (const { heard, name } of crew) expect([name, taken.get(name), heard]).toEqual([name, all, all]);
  expect([...statuses]).toEqual(['connected']);
  expect(troubles).toEqual([]);
  expect(to.server.stats()).toMatchObject({ connections: CLIENTS, sessions: CLIENTS });
  expect(from.server.stats()).toMatchObject({ connections: 0, draining: true });
});

test('one of several that drains answers upgrades with 503, for a proxy to ask another one; its pages are served', async () => {
  const store = new MemoryStore({ clock, random });
  const cluster = { name: 'memory', connect: () => ({ store, close: () => Promise.resolve() }) };
  const server = createHoldfastServer({ cluster });
  onTestFinished(() => server.close());
  const { port } = await server.listen(0, '127.0.0.1');
  const client = clientOf(`ws://127.0.0.1:${port}/realtime`, { reconnect: { baseMs: 60_000 } });
  await soon(client.connect(), 'a connection');
  const drained = server.drain({ deadlineMs: 10_000 });
  const headers = {
    ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    ...{ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol': 'holdfast.v1.json' },
  };
  const asked = get(`http://127.0.0.1:${port}/realtime`, { headers });
  const [response] = (await soon(once(asked, 'response'), 'an answer')) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, response.headers['retry-after'], response.headers.connection]).toEqual([
    ...[503, '1', 'close'],
  ]);
  const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect([await statusOf('/health'), await statusOf('/ready')]).toEqual([200, 503]);
  await client.close();
  await drained;
});
