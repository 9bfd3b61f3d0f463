import { createClient, type HoldfastClient } from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer, type HoldfastServer, type ServerSession } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type RedisServer, redisProgram, startRedis } from '../../test/redis-server.js';
import { Program } from '../support/processes.js';
import { eventually, soon } from './peers.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const long = process.env['HOLDFAST_LONG'] === '1';
const MOVES = long ? 300 : 40;
const LEASE_MS = 1_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(!redisProgram)('servers over one Redis', () => {
  let one: RedisServer;
  let prefixes = 0;
  beforeAll(async () => {
    one = await startRedis();
  });
  afterAll(() => one?.stop());

  /** Servers that are the same, each behind a proxy that can cut it. */
  const optionsWith = (prefix: string) => ({
    cluster: redis({ url: one.url, prefix, leaseMs: LEASE_MS }),
    logger: quiet,
    limits: { messagesPerSecond: 100_000, burst: 100_000 },
    auth: (token: string | undefined) => ({ user: { id: String(token) } }),
  });

  async function serve(count: number, setUp: (server: HoldfastServer, index: number) => void) {
    const prefix = `t${++prefixes}:`;
    const errors: string[] = [];
    const made: { server: HoldfastServer; proxy: TcpProxy; url: string }[] = [];
    for (let n = 0; n < count; n++) {
      const server = createHoldfastServer(optionsWith(prefix));
      server.onError((error) => errors.push(String(error)));
      // Who is cut every few milliseconds falls behind in a room: its log reaches back far enough.
      server.rooms('*', { join: true, publish: true, history: { maxMessages: 10_000, ttlMs: 600_000 } });
      setUp(server, n);
      const { port } = await server.listen(0, '127.0.0.1');
      const proxy = await createTcpProxy({ target: { port } });
      onTestFinished(async () => {
        await proxy.close();
        await server.close();
      });
      made.push({ server, proxy, url: `ws://127.0.0.1:${proxy.port}/realtime` });
    }
    return { made, errors, prefix };
  }

  function clientOf(user: string, url: () => string): HoldfastClient {
    const client = createClient({
      ...{ url, auth: user, logger: quiet, reconnect: { baseMs: 5, capMs: 20 } },
      outbox: { maxMessages: 100_000, maxBytes: 100_000_000 },
    });
    onTestFinished(() => client.close());
    return client;
  }

  test(`${MOVES} times cut, and each time on to the other server: exact in both directions`, async () => {
    const up: number[] = [];
    const asked: number[] = [];
    const attaches: string[] = [];
    let begun: ServerSession | undefined;
    const { made, errors } = await serve(2, (server, index) => {
      server.on('up', (n) => void up.push(Number(n)));
      server.handle('ask', async (n) => {
        await pause(Number(n) % 5);
        asked.push(Number(n));
        return n;
      });
      server.onSession((session) => {
        begun = session;
      });
      server.onAttach((_session, { recovered }) => attaches.push(`${index} ${recovered}`));
    });
    let dials = 0;
    const client = clientOf('ada', () => made[dials++ % 2]?.url ?? '');
    const down: number[] = [];
    const inRoom: number[] = [];
    const told: string[] = [];
    client.on('down', (n) => down.push(Number(n)));
    client.room('r').on('said', (n) => inRoom.push(Number(n)));
    client.onSessionLost(({ unknown }) => told.push(`lost ${unknown.length}`));
    client.onGap(({ messages, reason }) => told.push(`gap ${messages} ${reason}`));
    client.onUndelivered((_message, { code }) => told.push(code));
    await soon(client.connect(), 'connected');
    await soon(client.room('r').join(), 'joined');
    const session = await eventually(() => begun ?? false, 'the session begins');

    const sendings: Promise<unknown>[] = [];
    let n = 0;
    for (let move = 0; move < MOVES; move++) {
      for (let each = 0; each < 10; each++, n++) {
        // Of either server, whichever the client is connected to.
        const anyServer = made[n % 2]?.server;
        sendings.push(client.send('up', n));
        // Its promise is for who has the client: the other server's sees no ack of what it has sent.
        void session.send('down', n).catch(() => undefined);
        if (n % 5 === 0) sendings.push(client.request('ask', n));
        if (n % 5 === 0 && anyServer) sendings.push(anyServer.to('r').send('said', n));
        if (each % 3 === 0) await pause(2);
      }
      for (const { proxy } of made) await proxy.cut({ how: move % 2 ? 'reset' : 'end' });
      await soon(client.connect(), 'connected again');
    }
    await soon(Promise.all(sendings), 'all settled');
    await expect.poll(() => down.length).toBe(n);
    const all = Array.from({ length: n }, (_, index) => index);
    expect(told).toEqual([]);
    expect(up).toEqual(all);
    expect(down).toEqual(all);
    expect(asked.sort((a, b) => a - b)).toEqual(all.filter((each) => each % 5 === 0));
    await expect.poll(() => inRoom.length).toBe(n / 5);
    expect(new Set(inRoom).size).toBe(n / 5);
    expect(errors).toEqual([]);
    const servers = new Set(attaches.map((attach) => attach.split(' ')[0]));
    expect([servers.size, attaches.filter((attach) => attach.endsWith('false'))]).toMatchObject([
      2,
      { length: 1 },
    ]);
  });

  test('rooms, users and sessions are reached wherever they are connected', async () => {
    const { made } = await serve(2, () => undefined);
    const [a, b] = made;
    if (!a || !b) throw new Error('two were asked for');
    const clients = [a, b].map(({ url }, index) => clientOf(['ada', 'bob'][index] ?? '', () => url));
    const heard: string[] = [];
    for (const [index, client] of clients.entries()) {
      client.on('hi', (text, { room }) => void (room ?? heard.push(`${index} ${text}`)));
      client.room('lobby').on('hi', (text) => heard.push(`${index} lobby ${text}`));
      await soon(client.connect(), 'connected');
      await soon(client.room('lobby').join(), 'joined');
    }
    expect(await soon(a.server.to('lobby').send('hi', 'all'), 'to the room')).toMatchObject({ members: 2 });
    await soon(a.server.toUser('bob').send('hi', 'bob'), 'to a user of the other');
    await soon(clients[1]?.room('lobby').send('hi', 'from bob') ?? Promise.reject(), 'from a member');
    await eventually(() => heard.length >= 4, 'all is heard');
    expect(heard.sort()).toEqual(['0 lobby all', '0 lobby from bob', '1 bob', '1 lobby all']);
  });

  test('a server that goes away leaves its clients to the other one, with everything', async () => {
    const up: unknown[] = [];
    const { made } = await serve(2, (server) => server.on('up', (n) => void up.push(n)));
    const client = clientOf('ada', () => made[0]?.url ?? '');
    const lost: unknown[] = [];
    client.onSessionLost((loss) => lost.push(loss));
    await soon(client.connect(), 'connected');
    await soon(client.send('up', 1), 'taken by the first');
    const before = client.getState();
    const [first] = made.splice(0, 1);
    const going = first?.server.close();
    await soon(client.send('up', 2), 'taken by the second');
    await going;
    expect(up).toEqual([1, 2]);
    expect(lost).toEqual([]);
    expect(client.getState()).toMatchObject({
      status: 'connected',
      recovered: true,
      sessionId: before.status === 'connected' ? before.sessionId : '',
    });
  });

  test('what a killed server was running runs at another one, and says that it may have run before', async () => {
    const ran: [n: unknown, redelivered: boolean][] = [];
    const { made, prefix } = await serve(1, (server) =>
      server.on('up', (n, { redelivered }) => void ran.push([n, redelivered])),
    );
    const program = new Program('shared', [one.url, prefix, `${LEASE_MS}`]);
    onTestFinished(() => program.kill());
    await program.says(/listening on \d+\./);
    const port = /\d+/.exec(program.output)?.[0];
    let url = `ws://127.0.0.1:${port}/realtime`;
    const client = clientOf('ada', () => url);
    await soon(client.connect(), 'connected to the one that will be killed');
    const sendings = [1, 2, 3].map((n) => client.send('up', n));
    await program.says(/running 1 2 3\./);
    url = made[0]?.url ?? '';
    program.signal('SIGKILL');
    await soon(Promise.all([...sendings, client.send('up', 4)]), 'accepted');
    await eventually(() => ran.length >= 4, 'all is run');
    // They had begun before it: what comes again takes nothing from the order.
    expect(ran.filter(([, redelivered]) => !redelivered)).toEqual([[4, false]]);
    expect(ran.filter(([, redelivered]) => redelivered).map(([n]) => n)).toEqual([1, 2, 3]);
  });
});
