import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedis } from './redis-server.js';

/** One process of a cluster. */
interface ClusterNode {
  readonly server: RedisServer;
  /** A connection to this node alone. */
  readonly admin: Redis;
  /** As the cluster names it. */
  readonly id: string;
}

export interface RedisCluster {
  /** Each has a third of the slots, and in this order. */
  readonly masters: readonly ClusterNode[];
  /** Of the master at the same place; as many as were asked for. */
  readonly replicas: readonly ClusterNode[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const MASTERS = 3;

/** A Redis Cluster of the test's own: three masters, and replicas for the first of them. */
export async function startRedisCluster(replicas = 0): Promise<RedisCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-cluster-'));
  const nodes: ClusterNode[] = [];
  const stop = async (): Promise<void> => {
    for (const { admin, server } of nodes) {
      admin.disconnect();
      await server.stop();
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (let index = 0; index < MASTERS + replicas; index++) nodes.push(await startNode(folder));
    await meet(nodes);
    return {
      masters: nodes.slice(0, MASTERS),
      replicas: nodes.slice(MASTERS),
      urls: nodes.map(({ server }) => server.url),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its bus is on a port of its own: the usual one, 10,000 above, may be none. */
async function startNode(folder: string): Promise<ClusterNode> {
  const busPort = await freePort();
  const server = await startRedis(
    ...['--dir', folder, '--cluster-enabled', 'yes', '--cluster-port', `${busPort}`],
    ...['--cluster-config-file', `nodes-${busPort}.conf`, '--cluster-node-timeout', '1000'],
    // A replica that has just been made may take over.
    ...[
      '--cluster-replica-validity-factor',
      '0',
      '--enable-debug-command',
      'yes',
      '--repl-diskless-sync-delay',
      '0',
    ],
  );
  const admin = new Redis(server.url);
  admin.on('error', () => undefined);
  return { server, admin, id: String(await admin.call('CLUSTER', 'MYID')) };
}

async function meet(nodes: readonly ClusterNode[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  for (const [index, { admin }] of masters.entries()) {
    const from = Math.ceil((index * SLOTS) / MASTERS);
    const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    // Or two of them might have the same, and slots would change their place.
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first, ...others] = nodes;
  for (const { admin } of others) await admin.call('CLUSTER', 'MEET', '127.0.0.1', ...portsOf(first));
  await until(async () => (await Promise.all(nodes.map(knows))).every((count) => count === nodes.length));
  for (const [index, replica] of nodes.slice(MASTERS).entries()) {
    await replica.admin.call('CLUSTER', 'REPLICATE', masters[index]?.id ?? '');
    await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'));
  }
  await until(async () => (await Promise.all(nodes.map(isWell))).every(Boolean));
}

function portsOf(node: ClusterNode | undefined): [port: string, busPort: string] {
  const args = node?.server.process.spawnargs ?? [];
  return [String(node?.server.port), args[args.indexOf('--cluster-port') + 1] ?? ''];
}

const knows = async ({ admin }: ClusterNode): Promise<number> =>
  String(await admin.call('CLUSTER', 'NODES'))
    .split('\n')
    .filter((line) => line.includes('connected') && !line.includes('handshake')).length;

const isWell = async ({ admin }: ClusterNode): Promise<boolean> =>
  String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok');

/** Looks again and again; there is a deadline, the test's own. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
