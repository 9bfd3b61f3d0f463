import type { ConnectionOptions } from 'node:tls';
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis';
import type { RedisTlsOptions } from './tls.js';

/** Where Redis is: one, or some nodes of a cluster, which name the others. */
export type Address = ({ readonly url: string } | { readonly nodes: readonly string[] }) & {
  readonly tls?: RedisTlsOptions | undefined;
};

type AddressOfCluster = Extract<Address, { readonly nodes: readonly string[] }>;

/** The two connections of a server. Of a cluster, the first one is as many as there are nodes. */
export interface Dialled {
  readonly commands: Redis | Cluster;
  readonly notes: Redis;
  /** The first attempt to connect is over. */
  readonly tried: Promise<unknown>;
  /** For errors: without a password. */
  readonly name: string;
  /** Why there is no connection, as far as is known: who asks meanwhile is only told that there is none. */
  reason(): string | undefined;
  /** Names the node that has this key, as far as is known. */
  nodeOf(key: string): string;
  /** `changed` is called when nodes have come or gone: what they had to pass on may be missing. */
  watch(changed: () => void): void;
}

/** Between attempts to connect; ms. */
const LONGEST_PAUSE_MS = 1_000;
const pauseMs = (times: number): number => Math.min(LONGEST_PAUSE_MS, 50 * times);

export function dial(at: Address, commandTimeoutMs: number): Dialled {
  const options: RedisOptions = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: commandTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // What is not answered would stay in the connection's own row until that ends.
    socketTimeout: 2 * commandTimeoutMs,
    retryStrategy: pauseMs,
  };
  const ofNotes: RedisOptions = {
    ...options,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
    autoResubscribe: false,
    // Until somebody wants to hear: with another bus nobody does.
    lazyConnect: true,
  };
  if ('nodes' in at) return dialCluster(at, options, ofNotes);
  const tls = at.tls ? { tls: at.tls as ConnectionOptions } : {};
  return dialOne(at.url, { ...options, ...tls }, { ...ofNotes, ...tls });
}

function dialOne(url: string, options: RedisOptions, ofNotes: RedisOptions): Dialled {
  const [commands, notes] = [new Redis(url, options), new Redis(url, ofNotes)];
  return {
    commands,
    notes,
    reason: reasonOf(commands, notes),
    tried: new Promise<void>((resolve) => {
      for (const event of ['ready', 'close']) commands.once(event, () => resolve());
    }),
    name: `Redis at ${withoutPassword(url)}`,
    nodeOf: () => '',
    watch: () => undefined,
  };
}

/** What `CLUSTER SLOTS` names: a host and a port. */
interface Node {
  readonly host: string;
  readonly port: number;
}

function dialCluster(at: AddressOfCluster, options: RedisOptions, ofNotes: RedisOptions): Dialled {
  const { nodes: urls, tls } = at;
  const named = urls.map(nodeOf);
  const identity = identityOf(urls[0] ?? '', tls);
  // Each node has connections of its own, made and given up by the library.
  const { enableOfflineQueue: _queue, retryStrategy: _retry, ...ofNodes } = options;
  // The library keeps this very list, and looks there when it has lost all nodes.
  const seeds = [...named];
  const cluster = new Cluster(seeds, {
    enableOfflineQueue: false,
    redisOptions: { ...ofNodes, ...identity },
    // A node that is gone may have done what it was asked: whoever asked decides what is asked again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: pauseMs,
    // A name stays one, for the certificate that bears it.
    dnsLookup: (address, found) => found(null, address),
  });
  const known = (): Node[] => cluster.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port }));
  // Those that were named may be gone by then, and those that they have named are not.
  cluster.on('refresh', () => void seeds.splice(0, seeds.length, ...named, ...known()));
  let attempts = 0;
  const next = (): Node => {
    const [first, ...others] = known();
    const all = first ? [first, ...others] : seeds;
    return all[attempts++ % all.length] ?? { host: '', port: 0 };
  };
  const notes: Redis = new Redis({
    ...{ ...ofNotes, ...identity, ...next() },
    // All nodes hear all notes: who has lost one listens to another.
    retryStrategy: (times) => {
      Object.assign(notes.options, next());
      return pauseMs(times);
    },
  });
  return {
    commands: cluster,
    notes,
    // A cluster knows of its nodes only that they have not answered.
    reason: reasonOf(cluster, notes),
    tried: new Promise<void>((resolve) => {
      cluster.once('ready', () => Promise.all(cluster.nodes().map(connected)).then(() => resolve()));
      cluster.once('close', () => resolve());
    }),
    name: `Redis Cluster at ${urls.map(withoutPassword).join(', ')}`,
    nodeOf: (key) => cluster.slots[new Command('get', [key]).getSlot()]?.[0] ?? '',
    watch: (changed) => {
      cluster.once('ready', () => {
        cluster.on('+node', (node: Redis) => {
          void connected(node);
          changed();
        });
        cluster.on('-node', ({ options: { host, port } }: Redis) => {
          // What is cut off from the others hears nothing, and says nothing of that.
          if (notes.options.host === host && notes.options.port === port) notes.disconnect(true);
          changed();
        });
      });
    },
  };
}

/** The library's own words for what it was not asked for: they say nothing of why. */
const SAYS_NOTHING = /enableOfflineQueue|^Connection is closed|^Failed to refresh slots cache/;

/** What each has said last, since it stood. Without a listener the library would write that to the console. */
function reasonOf(...connections: readonly (Redis | Cluster)[]): () => string | undefined {
  const reasons = new Map<object, string>();
  for (const connection of connections) {
    connection.on('error', (error: NodeJS.ErrnoException & { readonly lastNodeError?: Error }) => {
      const said = [error.lastNodeError?.message, error.message, error.code];
      const reason = said.find((words) => words && !SAYS_NOTHING.test(words));
      if (reason) reasons.set(connection, reason);
    });
    connection.on('ready', () => reasons.delete(connection));
  }
  return () => connections.map((connection) => reasons.get(connection)).find(Boolean);
}

/** The library would wait for the first command, and refuse the second one as long as the connection does not stand. */
const connected = (node: Redis): Promise<void> => node.connect().catch(() => undefined);

const nodeOf = (url: string): Node => {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
};

/** Who we are to each node, also to those that are only heard of. */
function identityOf(url: string, tls: RedisTlsOptions = {}): RedisOptions {
  const { protocol, username, password } = new URL(url);
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(protocol === 'rediss:' ? { tls: tls as ConnectionOptions } : {}),
  };
}

function withoutPassword(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
