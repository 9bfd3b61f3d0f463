import { createClient } from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../test/redis-cluster.js';
import { freePort, redisProgram } from '../../test/redis-server.js';
import { within } from './crew.js';

const HURRY = { baseMs: 50, capMs: 500 };

async function startCluster(): Promise<RedisCluster> {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** An address of a node, which it does not have for the others. */
async function addressOf(cluster: RedisCluster, place: number): Promise<TcpProxy> {
  const proxy = await createTcpProxy({ target: { port: cluster.masters[place]?.server.port ?? 0 } });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** A server that was told of these ports, and a client that tries to come to it. */
async function startServer(ports: readonly number[]) {
  const complaints: string[] = [];
  const nodes = ports.map((port) => `redis://127.0.0.1:${port}`);
  const server = createHoldfastServer({
    auth: (token) => ({ user: { id: token ?? 'nobody' } }),
    cluster: redis({ nodes, commandTimeoutMs: 1_000 }),
  });
  server.onError((error) => complaints.push(String(error)));
  server.handle('ask', (n) => n);
  onTestFinished(() => server.close());
  const { port } = await server.listen(0, '127.0.0.1');
  const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, auth: 'somebody', reconnect: HURRY });
  onTestFinished(() => client.close());
  const ticks: unknown[] = [];
  client.on('tick', (n) => ticks.push(n));
  const page = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  let n = 0;
  /** Something goes up and comes back, and something goes down. */
  const goesOn = async (): Promise<void> => {
    n += 1;
    expect(await within(client.request('ask', n, { timeoutMs: 40_000 }), 'an answer')).toBe(n);
    await server.toUser('somebody').send('tick', n);
    await expect.poll(() => ticks, { timeout: 10_000 }).toHaveLength(n);
  };
  const pages = async (): Promise<number[]> => [await page('/health'), await page('/ready')];
  return { server, client, complaints, pages, goesOn };
}

describe.skipIf(!redisProgram)('the named nodes of a cluster are away', () => {
  test('when a server starts: it waits for them, and needs them no more when they have named the others', async () => {
    const cluster = await startCluster();
    const named = [await addressOf(cluster, 0), await addressOf(cluster, 1)];
    for (const proxy of named) proxy.refuse();
    const { client, complaints, pages, goesOn } = await startServer(named.map(({ port }) => port));
    const connecting = client.connect();
    await expect.poll(pages, { timeout: 10_000 }).toEqual([200, 503]);
    expect(client.getState().status).not.toBe('connected');
    for (const proxy of named) proxy.heal();
    await within(connecting, 'the client is connected');
    await goesOn();
    await expect.poll(pages, { timeout: 20_000 }).toEqual([200, 200]);
    expect(complaints).toEqual([expect.stringContaining('not connected: ')]);

    for (const proxy of named) {
      proxy.refuse();
      await proxy.cut();
    }
    await goesOn();
    // Even if it has lost all of them at once.
    for (const { admin } of cluster.masters) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    for (const { admin } of cluster.masters) await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await goesOn();
    await expect.poll(pages, { timeout: 20_000 }).toEqual([200, 200]);
  });

  test('for ever: the server says so, and can be closed', async () => {
    const port = await freePort();
    const { server, complaints, pages } = await startServer([port]);
    await expect.poll(pages, { timeout: 10_000 }).toEqual([200, 503]);
    await within(server.close(), 'the server is closed', 20_000);
    expect(complaints).toEqual([
      `Error: Redis Cluster at redis://127.0.0.1:${port}: not connected: connect ECONNREFUSED 127.0.0.1:${port}`,
    ]);
  });
});
