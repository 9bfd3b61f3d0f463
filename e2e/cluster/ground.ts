import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nats } from '@holdfast/nats';
import type { RedisClusterOptions } from '@holdfast/redis';
import type { ServerStats } from '@holdfast/server';
import { onTestFinished } from 'vitest';
import type { NatsServer } from '../../test/nats-server.js';
import { freePort, startRedis } from '../../test/redis-server.js';
import { Child, type Ending } from './child.js';
import { type Nginx, startNginx } from './nginx.js';
import { RedisPlace } from './redis-place.js';

const program = fileURLToPath(new URL('./programs/node.mjs', import.meta.url));
const nginxFile = fileURLToPath(new URL('../../deploy/nginx.conf', import.meta.url));
const watchdog = fileURLToPath(new URL('../../deploy/watchdog.mjs', import.meta.url));
const DRAIN_MS = 10_000;

/** One line of the nodes' common file. */
export type Line = readonly [what: string, node: string, ...rest: readonly unknown[]];

export interface GroundOptions {
  readonly balance?: 'ip_hash' | 'round robin';
  readonly leaseMs?: number;
  /** How long servers wait for an answer of Redis; default: theirs. */
  readonly commandTimeoutMs?: number;
  /** Redis gets into trouble: through its `place`, then, and of this class. */
  readonly trouble?: 'node' | 'disk';
  /** Where servers find a Redis of the test's own. Default: one is started. */
  readonly over?: Pick<RedisClusterOptions, 'url' | 'nodes' | 'tls'>;
  /** Carries notes instead of Redis. */
  readonly bus?: NatsServer;
  /** Each node has a watchdog, as in containers. Default: none. */
  readonly watched?: 'watched';
}

/** Three servers behind nginx and over one Redis, each a process of its own; gone when the test is over. */
export interface Ground {
  /** Of nginx. */
  readonly url: string;
  /** Where Redis is, if it gets into trouble. */
  readonly place: RedisPlace | undefined;
  readonly redisOptions: RedisClusterOptions;
  readonly nginx: Nginx;
  readonly nodes: readonly TestNode[];
  /** What all nodes have written, in the order in which it happened. */
  history(): Line[];
  /** Users, each with the names of the nodes that have served it, in order. */
  served(): Map<string, string[]>;
}

/** A node, as it says itself. */
interface NodeState {
  readonly pid: number;
  readonly rss: number;
  readonly heap: number;
  readonly stats: ServerStats;
}

/** A server whose process may end and be started again, on the same port. */
class TestNode {
  readonly name: string;
  readonly #args: (port: number) => readonly string[];
  #child: Child | undefined;
  #port = 0;
  #serverPid = -1;
  #life: 'running' | 'ended' = 'ended';

  constructor(name: string, args: (port: number) => readonly string[]) {
    this.name = name;
    this.#args = args;
  }

  get port(): number {
    return this.#port;
  }

  get ended(): Promise<Ending> {
    return this.#child?.ended ?? Promise.resolve(0);
  }

  /** The status of one of its pages. */
  async page(path: '/health' | '/ready'): Promise<number> {
    return (await this.#get(path)).status;
  }

  /** What it says of itself. */
  async state(): Promise<NodeState> {
    return JSON.parse((await this.#get('/state')).body) as NodeState;
  }

  /** On a connection of its own: one that is kept may just be being closed. */
  #get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const asked = get({ host: '127.0.0.1', port: this.#port, path, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      asked.once('error', reject);
    });
  }

  async start(): Promise<void> {
    // Whoever watches it has to know where it listens.
    if (this.#port === 0) this.#port = await freePort();
    const ready = /listens on (\d+)\./;
    this.#child = await Child.start(process.execPath, { args: this.#args(this.#port), ready });
    this.#port = Number(ready.exec(this.#child.output)?.[1]);
    this.#serverPid = (await this.state()).pid;
    this.#life = 'running';
    void this.#child.ended.then(() => {
      this.#life = 'ended';
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** The server itself hangs, not its watchdog. */
  stopServer(): void {
    process.kill(this.#serverPid, 'SIGSTOP');
  }

  async kill(): Promise<void> {
    // Its watchdog ends with it, and would leave it behind.
    if (this.#serverPid !== this.#child?.pid && this.#life === 'running')
      process.kill(this.#serverPid, 'SIGKILL');
    else this.#child?.signal('SIGKILL');
    await this.#child?.ended;
  }

  /** It asks its clients to move, and ends by itself; how. */
  async drain(): Promise<Ending | undefined> {
    const ending = await this.#child?.stop('SIGTERM');
    if (ending !== 0) throw new Error(`${this.name} ended with ${ending}:\n${this.#child?.output}`);
    return ending;
  }
}

export async function startGround(options: GroundOptions = {}): Promise<Ground> {
  const { balance, leaseMs = 2_000, commandTimeoutMs, trouble, over, bus, watched } = options;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place = trouble && (await RedisPlace.start(trouble, folder));
  const ofNodes: RedisClusterOptions = {
    ...(over ?? { url: place?.url ?? (await redisIn(folder)) }),
    leaseMs,
    ...(place && { durability: place.durability }),
    ...(commandTimeoutMs && { commandTimeoutMs }),
  };
  const redisOptions: RedisClusterOptions = { ...ofNodes, ...(bus && { bus: nats({ servers: bus.url }) }) };
  const file = join(folder, 'history');
  writeFileSync(file, '');
  const nodes = ['node-1', 'node-2', 'node-3'].map((name) => {
    const rest = [file, JSON.stringify(ofNodes), String(DRAIN_MS), ...(bus ? [bus.url] : [])];
    return new TestNode(name, (port) => {
      const args = [program, name, String(port), ...rest];
      return watched ? [watchdog, `http://127.0.0.1:${port}/health`, ...args] : args;
    });
  });
  onTestFinished(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
  });
  await Promise.all(nodes.map((node) => node.start()));
  const ports = nodes.map(({ port }) => port);
  const nginx = await startNginx({ file: nginxFile, nodes: ports, ...(balance && { balance }) });
  onTestFinished(() => nginx.stop());
  const history = (): Line[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  const served = (): Map<string, string[]> => {
    const nodesOf = new Map<string, string[]>();
    for (const [what, node, user] of history()) {
      if (what === 'attach') nodesOf.set(String(user), [...(nodesOf.get(String(user)) ?? []), node]);
    }
    return nodesOf;
  };
  return {
    ...{ url: `ws://127.0.0.1:${nginx.port}/realtime`, place, redisOptions, nginx, nodes, history, served },
  };
}

async function redisIn(folder: string): Promise<string> {
  const redis = await startRedis('--dir', folder, '--maxmemory-policy', 'noeviction');
  onTestFinished(() => redis.stop());
  return redis.url;
}
