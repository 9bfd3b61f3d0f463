import {
  type AnyContract,
  type Codec,
  checkFunctions,
  checkKeys,
  checkOptions,
  checkType,
  json,
  type Logger,
  MAX_HELLO_BYTES,
  numberOption,
  Scopes,
} from '@holdfast/protocol';
import type { TokenPlaces } from './gateway/upgrade-token.js';
import { Counts } from './observe/counts.js';
import { type FailedAt, harmless, inWords, logFailure, logLines, onlyTrouble } from './observe/log.js';
import { HOOKS, type Observed, type Observer, tellAll } from './observe/observer.js';
import type { OutboxOptions, ServerOptions } from './options.js';
import type { Cluster, ClusterPort } from './ports/cluster.js';
import type { OutboxRules } from './ports/store.js';
import type { Authenticate, User } from './types.js';

/** Options, checked, with every default filled in. */
export interface ServerSettings {
  readonly scopes: Scopes;
  readonly auth: Authenticate<User> | undefined;
  readonly tokenFrom: TokenPlaces;
  readonly authAt: 'hello' | 'upgrade';
  /** Undefined: those of the attached server itself. */
  readonly origins: ReadonlySet<string> | undefined;
  /** Undefined: undecided. */
  readonly trustProxy: number | undefined;
  /** In order of preference. */
  readonly codecs: readonly [Codec, ...Codec[]];
  /** Undefined: this server is alone. */
  readonly cluster: ClusterPort | undefined;
  readonly heartbeatMs: number;
  readonly sessionTtlMs: number;
  readonly concurrency: number;
  readonly maxMessageBytes: number;
  readonly maxRooms: number;
  readonly maxBufferedBytes: number;
  readonly slowConsumerMs: number;
  readonly outbox: OutboxRules;
  readonly acceptPerSecond: number;
  readonly messagesPerSecond: number;
  readonly burst: number;
  readonly userMessagesPerSecond: number;
  readonly connectionsPerUser: number;
  readonly connectionsPerAddress: number;
  readonly addressAcceptPerSecond: number;
  readonly logger: Logger;
  /** Tells the logger of a failure that nobody else was told of. */
  readonly logFailure: (error: unknown, where: FailedAt) => void;
  /** Hears what happens: the counts, and whoever the application has given. */
  readonly observe: Observed;
  readonly counts: Counts;
}

/** More is a mistake: an address, or a port. */
const MAX_PROXIES = 16;

const MESSAGES_PER_SECOND = 500;

const OPTIONS = [
  'contract',
  'auth',
  'tokenFrom',
  'authAt',
  'origins',
  'trustProxy',
  'codecs',
  'cluster',
  'heartbeat',
  'sessionTtlMs',
  'concurrency',
  'limits',
  'outbox',
  'logger',
  'observe',
] as const satisfies readonly (keyof ServerOptions)[];

/** Throws a `TypeError` that names the option, the rule and the value. */
export function resolveOptions<C extends AnyContract, U extends User>(
  options: ServerOptions<C, U>,
  defaults: { readonly logger: Logger },
): ServerSettings {
  checkKeys(options, OPTIONS, 'createHoldfastServer(options)');
  const { contract, auth, origins, codecs = [json()] } = options;
  const given = options.logger ?? onlyTrouble(defaults.logger);
  checkType(auth, 'function', 'auth');
  checkFunctions(given, ['debug', 'info', 'warn', 'error'], 'logger');
  const logger = harmless(given);
  if (origins !== undefined && !Array.isArray(origins)) throw new TypeError('origins must be an array');
  const [preferred, ...others] = Array.isArray(codecs) ? codecs : [];
  if (
    typeof preferred?.encode !== 'function' ||
    others.some((codec) => typeof codec?.encode !== 'function')
  ) {
    throw new TypeError('codecs must be an array of one or more codecs, such as json()');
  }
  const counts = new Counts();
  const logs = options.logger ? [logLines(logger)] : [];
  const heartbeat = checkOptions(options.heartbeat, 'heartbeat', { intervalMs: [20_000, 10, 'whole'] });
  const sessionTtlMs = numberOption(options.sessionTtlMs, 'sessionTtlMs', 120_000);
  const concurrency = numberOption(options.concurrency, 'concurrency', 16, { min: 1, whole: true });
  const limits = checkOptions(options.limits, 'limits', {
    // Less, and a client with a long token could not even say HELLO.
    maxMessageBytes: [1_048_576, MAX_HELLO_BYTES, 'whole'],
    maxRooms: [128, 0, 'whole'],
    maxBufferedBytes: [1_048_576, 1_024],
    slowConsumerMs: [30_000, 10],
    acceptPerSecond: [1_000, 1],
    messagesPerSecond: [MESSAGES_PER_SECOND, 1],
    burst: [2_000, 1, 'whole'],
    userMessagesPerSecond: [4 * (options.limits?.messagesPerSecond ?? MESSAGES_PER_SECOND), 1],
    connectionsPerUser: [100, 1, 'whole'],
    connectionsPerAddress: [1_000, 1, 'whole'],
    addressAcceptPerSecond: [10, 0.1],
  });
  return {
    scopes: new Scopes(contract),
    auth,
    tokenFrom: tokenPlaces(options.tokenFrom),
    authAt: authTime(options.authAt, auth),
    origins: origins && new Set(origins.map(checkOrigin)),
    trustProxy:
      options.trustProxy === undefined
        ? undefined
        : numberOption(options.trustProxy, 'trustProxy', 0, { max: MAX_PROXIES, whole: true }),
    codecs: [preferred, ...others],
    cluster: clusterPort(options.cluster),
    heartbeatMs: heartbeat.intervalMs,
    sessionTtlMs,
    concurrency,
    ...limits,
    outbox: outboxRules(options.outbox),
    logger,
    logFailure: (error, where) => (options.logger ? logFailure : inWords)(logger, error, where),
    observe: observedBy([counts, ...logs, ...observersOf(options.observe)], logger),
    counts,
  };
}

function clusterPort(cluster: Cluster | undefined): ClusterPort | undefined {
  if (cluster === undefined || isClusterPort(cluster)) return cluster;
  throw new TypeError('cluster must be what redis() of @holdfast/redis returns');
}

const isClusterPort = (cluster: Cluster): cluster is ClusterPort =>
  typeof (cluster as Partial<ClusterPort> | null)?.connect === 'function';

function outboxRules(given: OutboxOptions = {}): OutboxRules {
  checkKeys(given, ['maxMessages', 'maxBytes', 'overflow'], 'outbox');
  const { overflow = 'reject', ...bounds } = given;
  if (overflow !== 'reject' && overflow !== 'drop-oldest' && overflow !== 'disconnect') {
    const allowed = "'reject', 'drop-oldest' or 'disconnect'";
    throw new TypeError(`outbox.overflow must be ${allowed}, not '${String(overflow).slice(0, 40)}'`);
  }
  const { maxMessages, maxBytes } = checkOptions(bounds, 'outbox', {
    maxMessages: [1_000, 1, 'whole'],
    maxBytes: [1_048_576, 1],
  });
  const isSaid = bounds.maxMessages !== undefined || bounds.maxBytes !== undefined;
  return { bounds: isSaid ? [maxMessages, maxBytes] : undefined, overflow };
}

function observersOf(observer: Observer | undefined): readonly Observer[] {
  checkType(observer, 'object', 'observe');
  for (const hook of HOOKS) checkType(observer?.[hook], 'function', `observe.${hook}`);
  return observer ? [observer] : [];
}

function observedBy(observers: readonly Observer[], logger: Logger): Observed {
  return tellAll(observers, (error) => logger.error('Holdfast: an observer failed', error));
}

function checkOrigin(origin: string): string {
  const whole = URL.canParse(origin) ? new URL(origin).origin : undefined;
  if (whole === origin && whole !== 'null') return origin;
  throw new TypeError(`origins: '${origin}' is not an exact origin, such as https://example.com`);
}

/** What a cookie may be called (RFC 6265 §4.1.1). */
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

function tokenPlaces(given: ServerOptions['tokenFrom'] = {}): TokenPlaces {
  checkKeys(given, ['cookie', 'query'], 'tokenFrom');
  const { cookie, query } = given;
  checkType(cookie, 'string', 'tokenFrom.cookie');
  checkType(query, 'string', 'tokenFrom.query');
  if (cookie !== undefined && !COOKIE_NAME.test(cookie)) {
    throw new TypeError(`tokenFrom.cookie must be the name of a cookie, not '${cookie.slice(0, 40)}'`);
  }
  if (query === '') throw new TypeError("tokenFrom.query must be the name of a parameter, not ''");
  return { cookie, query };
}

function authTime(authAt: unknown, auth: unknown): 'hello' | 'upgrade' {
  if (authAt === undefined || authAt === 'hello') return 'hello';
  if (authAt !== 'upgrade') {
    throw new TypeError(`authAt must be 'hello' or 'upgrade', not '${String(authAt).slice(0, 40)}'`);
  }
  if (auth === undefined) throw new TypeError("authAt: 'upgrade' needs auth, which says who it is");
  return authAt;
}
