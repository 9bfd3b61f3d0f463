import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusPort, Clock } from '@holdfast/server/ports';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../../../test/redis-cluster.js';
import { type RedisServer, redisProgram, startRedis } from '../../../../test/redis-server.js';
import type { StoreOptions, StoreUnderTest } from '../../../../test/session-store/harness.js';
import { BusLine } from '../../src/bus-line.js';
import { Connection } from '../../src/connection.js';
import type { Address } from '../../src/dial.js';
import { Listening } from '../../src/notes.js';
import { type Commands, RedisStore, type RedisStoreOptions } from '../../src/redis-store.js';

export { redisProgram };

export const random = { id: (): string => randomBytes(12).toString('base64url') };

interface RedisStoreUnderTest extends StoreUnderTest {
  readonly store: RedisStore;
  readonly prefix: string;
  /** Another server's, on connections of its own. */
  beside(by?: (connection: Connection) => Commands): Promise<RedisStore>;
}

/** What stores of a test stand on. */
interface Ground {
  readonly at: Address;
  /** For another server. */
  readonly besideAt: Address;
  /** As many connections as there are nodes: what is said on each comes after what this node has said before. */
  readonly admins: readonly Redis[];
  stop(): Promise<void>;
}

/** Stores over one Redis that lives as long as the file's tests. Each is alone, by its prefix. */
export const redisForTests = (...options: readonly string[]) => redisWith(undefined, ...options);

/** As `redisForTests`, with notes that go over a bus. */
export function redisWith(bus: (() => BusPort) | undefined, ...options: readonly string[]) {
  let server: RedisServer;
  const stores = storesOver(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
    server = await startRedis('--dir', folder, ...options);
    const admin = new Redis(server.url);
    if (options.includes('--cluster-enabled')) await takeAllSlots(admin);
    const stop = async (): Promise<void> => {
      admin.disconnect();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    const at = { url: server.url };
    return { at, besideAt: at, admins: [admin], stop };
  }, bus);
  return { make: stores.make, admin: () => stores.ground().admins[0] as Redis, server: () => server };
}

/** As `redisForTests`, over a cluster of three masters. */
export function redisClusterForTests(replicas = 0) {
  let cluster: RedisCluster;
  const stores = storesOver(async () => {
    cluster = await startRedisCluster(replicas);
    // Any node names the others; that of the first url is the one on which notes are heard.
    const [first, second] = [cluster.urls.slice(0, 1), cluster.urls.slice(1, 2)];
    return {
      at: { nodes: second },
      besideAt: { nodes: first },
      admins: cluster.masters.map(({ admin }) => admin),
      stop: cluster.stop,
    };
  });
  return { make: stores.make, cluster: () => cluster };
}

function storesOver(start: () => Promise<Ground>, bus?: () => BusPort) {
  let ground: Ground | undefined;
  let connection: Connection;
  let stores = 0;
  const onGround = (): Ground => {
    if (!ground) throw new Error('the ground has not been laid');
    return ground;
  };
  beforeAll(async () => {
    ground = await start();
    connection = connectionTo(ground.at);
  }, 60_000);
  afterAll(async () => {
    await connection?.close();
    await ground?.stop();
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
      const line = bus && (await lineOn(bus(), prefix));
      const store = new RedisStore(one, random, { ...all, line });
      await store.subscribed;
      return store;
    };
    return {
      store: await storeOn(connection),
      prefix,
      pass: async (ms) => {
        now += ms;
      },
      settle: () => settled(connection, onGround().admins),
      beside: (by = (connection) => connection) => {
        const another = connectionTo(onGround().besideAt);
        onTestFinished(() => another.close());
        return storeOn(by(another));
      },
    };
  };
  return { make, ground: onGround };
}

const clockAt = (speed: number): Clock => ({
  now: () => speed * performance.now(),
  setTimer: (run, ms) => {
    const timer = setTimeout(run, ms / speed);
    return () => clearTimeout(timer);
  },
  defer: queueMicrotask,
});
/** Before a test begins, a line has to have looked once. */
const hurried = clockAt(50);

export const connectionTo = (at: Address, commandTimeoutMs = 10_000, clock = clockAt(1)): Connection =>
  new Connection({ at, commandTimeoutMs, clock });

/** Gone when the test is over. */
async function lineOn(bus: BusPort, channel: string): Promise<BusLine> {
  const listening = new Listening();
  const up = new Promise<void>((resolve) => {
    listening.listen(({ about }) => about === 'missed' && resolve());
  });
  const away = (): void => undefined;
  const around = { bus, channel, clock: hurried, id: random.id(), beatMs: 10_000, listening, away };
  const line = new BusLine(around);
  onTestFinished(() => line.close());
  await up;
  return line;
}

/** It is a cluster by itself. */
async function takeAllSlots(admin: Redis): Promise<void> {
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let settlings = 0;
/** What was told before arrives before what is told now, by the same node. */
async function settled(connection: Connection, admins: readonly Redis[]): Promise<void> {
  const channel = `settled ${++settlings}`;
  let missing = admins.length;
  await new Promise<void>((resolve, reject) => {
    const heard = (): void => {
      if (--missing === 0) resolve();
    };
    connection
      .subscribe(channel, { heard, missed: () => undefined })
      .then(() => Promise.all(admins.map((admin) => admin.publish(channel, 'now'))))
      .catch(reject);
  });
  await connection.unsubscribe(channel);
}
