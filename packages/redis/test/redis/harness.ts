import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RedisServer, redisProgram, startRedis } from '../../../../test/redis-server.js';
import type { StoreOptions, StoreUnderTest } from '../../../../test/session-store/harness.js';
import { Connection } from '../../src/connection.js';
import { type Commands, RedisStore, type RedisStoreOptions } from '../../src/redis-store.js';

export { redisProgram };

export const random = { id: (): string => randomBytes(12).toString('base64url') };

export interface RedisStoreUnderTest extends StoreUnderTest {
  readonly store: RedisStore;
  readonly prefix: string;
  /** Another server's, on connections of its own. */
  beside(by?: (connection: Connection) => Commands): Promise<RedisStore>;
}

/** Stores over one Redis that lives as long as the file's tests. Each is alone, by its prefix. */
export function redisForTests(...options: readonly string[]) {
  let server: RedisServer;
  let connection: Connection;
  let admin: Redis;
  let stores = 0;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
    server = await startRedis('--dir', folder, ...options);
    admin = new Redis(server.url);
    if (options.includes('--cluster-enabled')) await takeAllSlots(admin);
    connection = new Connection({ url: server.url, commandTimeoutMs: 10_000 });
  });
  afterAll(async () => {
    admin?.disconnect();
    await connection?.close();
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const make = async (
    storeOptions: StoreOptions & { readonly durability?: 'node' | 'disk' } = {},
  ): Promise<RedisStoreUnderTest> => {
    const prefix = `t${++stores}:`;
    let now = 1_700_000_000_000;
    const all: RedisStoreOptions = {
      ...{ prefix, durability: 'node', leaseMs: 10_000, now: () => now },
      ...storeOptions,
    };
    const storeOn = async (one: Commands): Promise<RedisStore> => {
      const store = new RedisStore(one, random, all);
      await store.subscribed;
      return store;
    };
    return {
      store: await storeOn(connection),
      prefix,
      pass: async (ms) => {
        now += ms;
      },
      settle: () => settled(connection),
      beside: (by = (connection) => connection) => {
        const another = new Connection({ url: server.url, commandTimeoutMs: 10_000 });
        onTestFinished(() => another.close());
        return storeOn(by(another));
      },
    };
  };
  return { make, admin: () => admin, server: () => server };
}

/** It is a cluster by itself. */
async function takeAllSlots(admin: Redis): Promise<void> {
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let settlings = 0;
/** What was told before arrives before what is told now. */
async function settled(connection: Connection): Promise<void> {
  const channel = `settled ${++settlings}`;
  await new Promise<void>((resolve) => {
    void connection
      .subscribe(channel, { heard: () => resolve(), missed: () => undefined })
      .then(() => connection.publish(channel, Buffer.from('now')));
  });
  await connection.unsubscribe(channel);
}
