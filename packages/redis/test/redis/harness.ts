import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { type RedisServer, redisProgram, startRedis } from '../../../../test/redis-server.js';
import type { StoreOptions, StoreUnderTest } from '../../../../test/session-store/harness.js';
import { Connection } from '../../src/connection.js';
import { RedisStore } from '../../src/redis-store.js';

export { redisProgram };

const random = { id: (): string => randomBytes(12).toString('base64url') };

/** Stores over one Redis that lives as long as the file's tests. Each is alone, by its prefix. */
export function redisForTests() {
  let server: RedisServer;
  let connection: Connection;
  let stores = 0;
  beforeAll(async () => {
    server = await startRedis();
    connection = new Connection({ url: server.url, commandTimeoutMs: 10_000 });
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  const make = async (
    options: StoreOptions = {},
  ): Promise<StoreUnderTest & { store: RedisStore; prefix: string }> => {
    const prefix = `t${++stores}:`;
    let now = 1_700_000_000_000;
    const fixed = { prefix, durability: 'node', leaseMs: 10_000, now: () => now } as const;
    const store = new RedisStore(connection, random, { ...fixed, ...options });
    await store.subscribed;
    return {
      store,
      prefix,
      pass: async (ms) => {
        now += ms;
      },
      settle: () => settled(connection),
    };
  };
  return { make, connection: () => connection, server: () => server };
}

let settlings = 0;
/** What was told before arrives before what is told now. */
async function settled(connection: Connection): Promise<void> {
  const channel = `settled ${++settlings}`;
  await new Promise<void>((resolve) => {
    void connection
      .subscribe(channel, () => resolve())
      .then(() => connection.publish(channel, Buffer.from('now')));
  });
  await connection.unsubscribe(channel);
}
