/** Several servers of Holdfast over one Redis: `createHoldfastServer({ cluster: redis({ url }) })`. */
import { checkKeys, checkType, numberOption } from '@holdfast/protocol';
import type { Bus, BusPort, Cluster, ClusterPort, ClusterSurroundings } from '@holdfast/server/ports';
import { BusLine } from './bus-line.js';
import { Connection } from './connection.js';
import type { Address } from './dial.js';
import { Keys } from './keys.js';
import { Listening } from './notes.js';
import { RedisStore } from './redis-store.js';
import { checkTls, type Pem, type RedisTlsOptions } from './tls.js';

export type { Bus, Cluster, Pem, RedisTlsOptions };

/** Servers that share a Redis must have the same, but for `commandTimeoutMs` and `tls`. */
export interface RedisClusterOptions {
  /** `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS. This or `nodes`. */
  url?: string | URL | undefined;
  /**
   * Some nodes of a Redis Cluster, as `url` but without a database; they name the others, which are reached at what they call
   * themselves, by the same user and password. This or `url`.
   */
  nodes?: readonly (string | URL)[] | undefined;
  /** With `rediss://`: whom to trust, and who we are. Default: whom Node trusts, and nobody. */
  tls?: RedisTlsOptions | undefined;
  /** Of every key and of the channel on which servers tell each other; default `holdfast:`. */
  prefix?: string | undefined;
  /**
   * What an acknowledged message survives, as Redis is set up; clients are told. `node` (default): any server of yours, not
   * Redis itself: when that begins anew, or a replica takes over, sessions of before are lost, and clients are told which
   * messages nobody knows of. `disk`: Redis' end, too; only for one that writes with `appendonly yes` and is not replaced
   * by a replica. With `appendfsync everysec` a crash of its machine may cost a second, and nobody is told.
   */
  durability?: 'node' | 'disk' | undefined;
  /**
   * How long a server may be silent until another one runs what it had begun to run. Ms, by Redis' clock; at least 1_000,
   * default 10_000.
   */
  leaseMs?: number | undefined;
  /**
   * After so long without an answer a command has failed, and is asked again where that is safe; meanwhile nothing is
   * acknowledged, and newcomers are told to come again. Ms, at least 100, default 5_000.
   */
  commandTimeoutMs?: number | undefined;
  /**
   * What carries notes between servers instead of Redis: `nats()` of `@holdfast/nats`. Default: none, Redis tells them in the
   * very step that they are about. With a bus a server tells them after it, so some may be missing, which is found out within
   * `leaseMs`.
   */
  bus?: Bus | undefined;
}

const OPTIONS = [
  'url',
  'nodes',
  'tls',
  'prefix',
  'durability',
  'leaseMs',
  'commandTimeoutMs',
  'bus',
] as const satisfies readonly (keyof RedisClusterOptions)[];

/**
 * Sessions and rooms in Redis 7, for all servers that name the same one. Connects when a server is made with it, two
 * connections for each (to a cluster, one for each node and one; with a `bus`, one less), and ends with the server. Throws a `TypeError` that names the option, the rule and the value.
 */
export function redis(options: RedisClusterOptions): Cluster {
  checkKeys(options, OPTIONS, 'redis(options)');
  const { prefix = 'holdfast:', durability = 'node' } = options;
  const at = checkAddress(options);
  checkType(prefix, 'string', 'prefix');
  if (durability !== 'node' && durability !== 'disk') {
    throw new TypeError(`durability must be 'node' or 'disk', not '${String(durability).slice(0, 40)}'`);
  }
  const leaseMs = numberOption(options.leaseMs, 'leaseMs', 10_000, { min: 1_000, whole: true });
  const commandTimeoutMs = numberOption(options.commandTimeoutMs, 'commandTimeoutMs', 5_000, {
    min: 100,
    max: 2 ** 30,
  });
  const bus = checkBus(options.bus);
  const cluster: ClusterPort = {
    name: 'redis',
    connect(around) {
      const connection = new Connection({ at, commandTimeoutMs, clock: around.clock });
      const line = bus && lineOn(bus, around, { prefix, leaseMs });
      const store = new RedisStore(connection, around.random, { prefix, durability, leaseMs, line });
      const close = async (): Promise<void> => {
        await connection.close();
        // What was answered last has been told.
        await line?.close();
      };
      return { store, close };
    },
  };
  return Object.freeze(cluster);
}

/** Others have to hear of this server four times in a lease. */
const BEATS = 4;

const lineOn = (
  bus: BusPort,
  { clock, random, away }: ClusterSurroundings,
  { prefix, leaseMs }: { readonly prefix: string; readonly leaseMs: number },
): BusLine =>
  new BusLine({
    ...{ bus, clock, away, channel: new Keys(prefix).notes, id: random.id(), beatMs: leaseMs / BEATS },
    listening: new Listening(),
  });

function checkBus(bus: Bus | undefined): BusPort | undefined {
  if (bus === undefined || isBusPort(bus)) return bus;
  throw new TypeError('bus must be what nats() of @holdfast/nats returns');
}

const isBusPort = (bus: Bus): bus is BusPort => typeof (bus as Partial<BusPort> | null)?.join === 'function';

function checkAddress({ url, nodes, tls }: RedisClusterOptions): Address {
  if (nodes === undefined) {
    const one = checkUrl(url, 'url');
    return { url: one, tls: checkTls(tls, [one]) };
  }
  if (url !== undefined) throw new TypeError('redis(options): name a url or nodes, not both');
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw new TypeError('nodes must be an array of one url or more');
  const urls = nodes.map((node: unknown, index) => checkUrl(node, `nodes[${index}]`));
  const [first, ...others] = urls.map((node) => new URL(node));
  for (const [index, { pathname }] of urls.map((node) => new URL(node)).entries()) {
    if (!/^(\/0?)?$/.test(pathname))
      throw new TypeError(`nodes[${index}] must name no database: a cluster has none`);
  }
  const isSame = ({ protocol, username, password }: URL): boolean =>
    protocol === first?.protocol && username === first.username && password === first.password;
  if (!others.every(isSame)) throw new TypeError('nodes must have the same user, password and protocol');
  return { nodes: urls, tls: checkTls(tls, urls) };
}

/** A password may stand in it: what is wrong with it is said without it. */
function checkUrl(given: unknown, name: string): string {
  const url = given instanceof URL ? given.href : given;
  if (typeof url === 'string' && URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol)) return url;
  throw new TypeError(`${name} must be redis://… or rediss://…`);
}
