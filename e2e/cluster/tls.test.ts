import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisClusterOptions, redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';
import { Redis } from 'ioredis';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, type RedisServer, redisProgram, startRedis } from '../../test/redis-server.js';
import { Crew, pause, row, within } from './crew.js';
import { startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

// Three servers over a Redis that speaks TLS, with a certificate that nobody but the test vouches for.

interface Secured {
  readonly server: RedisServer;
  /** Vouches for itself, and for whoever shows it. */
  readonly cert: string;
  readonly key: string;
}

async function startSecured(...options: readonly string[]): Promise<Secured> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Redis of a test' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const server = await startRedis(
    ...['--dir', folder, '--maxmemory-policy', 'noeviction'],
    ...['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile],
    ...options,
  );
  onTestFinished(() => server.stop());
  return { server, cert, key };
}

/** A crew talks through three servers; all of it comes once, and nobody is told of any trouble. */
async function goesOn(over: Pick<RedisClusterOptions, 'url' | 'nodes' | 'tls'>): Promise<Crew> {
  const ground = await startGround({ over });
  const crew = await Crew.start(ground, { size: 6 });
  await crew.talk({ perSecond: 10, seconds: 3 });
  await crew.settle();
  expect(crew.verdicts().all).toEqual({ messages: expect.any(Number), ...EXACT });
  expect(crew.troubles).toEqual([]);
  expect(ground.history().filter(([what]) => what === 'error')).toEqual([]);
  return crew;
}

/** What a server is told first of its store. */
async function complaintOf(options: RedisClusterOptions): Promise<string> {
  const server = createHoldfastServer({ cluster: redis(options) });
  onTestFinished(() => server.close());
  const told = new Promise<string>((resolve) => {
    server.onError((error) => resolve(String(error)));
  });
  server.to('anywhere').send('x', 1);
  return within(told, 'it is told what is wrong');
}

/** It is a cluster by itself. */
async function takeAllSlots({ server, cert, key }: Secured): Promise<void> {
  const admin = new Redis(server.url, { tls: { ca: cert, cert, key } });
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await pause(10);
  admin.disconnect();
}

describe.skipIf(!redisProgram || !nginxProgram)('Redis with TLS', () => {
  test('whose certificate is named: everything as without; who does not name it is told why there is no connection', async (context) => {
    const { server, cert } = await startSecured('--tls-auth-clients', 'no');
    const { url } = server;
    context.annotate(row('TLS', await goesOn({ url, tls: { ca: cert } })));
    expect(await complaintOf({ url })).toBe(`Error: Redis at ${url}: not connected: self-signed certificate`);
    const plain = url.replace('rediss:', 'redis:');
    expect(await complaintOf({ url: plain })).toContain(`Error: Redis at ${plain}: `);
  });

  test('a cluster that asks who servers are', async (context) => {
    const secured = await startSecured(
      ...['--cluster-enabled', 'yes', '--tls-cluster', 'yes', '--cluster-port', `${await freePort()}`],
      // Alone it does not know at which address it is.
      ...['--cluster-announce-ip', '127.0.0.1'],
    );
    await takeAllSlots(secured);
    const { server, cert, key } = secured;
    const nodes = [server.url];
    context.annotate(row('TLS to a cluster', await goesOn({ nodes, tls: { ca: cert, cert, key } })));
    expect(await complaintOf({ nodes })).toBe(
      `Error: Redis Cluster at ${server.url}: not connected: self-signed certificate`,
    );
  });
});
