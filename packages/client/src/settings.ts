import {
  type AnyContract,
  type ContractSchemas,
  checkClass,
  checkFunctions,
  checkKeys,
  checkType,
  type Delivery,
  holdfastError,
  json,
  type Logger,
  numberOptions,
  Scopes,
} from '@holdfast/protocol';
import type { OutboxStorage } from './core/types.js';
import type { ClientSettings } from './runtime/settings.js';
import { MAX_TOKEN_LENGTH } from './runtime/tokens.js';
import type {
  ClientOptions,
  HeartbeatOptions,
  OutboxOptions,
  ReconnectOptions,
  TokenSource,
} from './types.js';

const OPTIONS = [
  'url',
  'contract',
  'auth',
  'tokenIn',
  'allowTokenInUrl',
  'autoConnect',
  'codec',
  'delivery',
  'reconnect',
  'heartbeat',
  'outbox',
  'logger',
] as const satisfies readonly (keyof ClientOptions)[];

/** Throws a `TypeError` that names the option, the rule and the value. */
export function resolveOptions<C extends AnyContract>(
  options: ClientOptions<C>,
  defaults: { readonly logger: Logger; readonly baseUrl?: string | undefined },
): ClientSettings {
  checkKeys(options, OPTIONS, 'createClient(options)');
  const { url, contract, auth, autoConnect = false, codec = json(), logger = defaults.logger } = options;
  const { tokenIn = 'hello', allowTokenInUrl = false } = options;
  checkTokenSource(auth, 'auth');
  checkType(allowTokenInUrl, 'boolean', 'allowTokenInUrl');
  if (tokenIn !== 'hello' && tokenIn !== 'subprotocol') {
    throw new TypeError(`tokenIn must be 'hello' or 'subprotocol', not ${String(tokenIn)}`);
  }
  const address = (url: unknown): string => resolveUrl(url, defaults.baseUrl, allowTokenInUrl);
  checkType(autoConnect, 'boolean', 'autoConnect');
  checkFunctions(codec, ['encode', 'frame', 'decode'], 'codec');
  checkType(codec.name, 'string', 'codec.name');
  checkFunctions(logger, ['debug', 'info', 'warn', 'error'], 'logger');
  const scopes = new Scopes(contract);
  return {
    url: typeof url === 'function' ? resolverOf(url, address) : address(url),
    scopes,
    delivery: resolveDelivery(options, scopes.root.schemas),
    auth,
    tokenIn,
    autoConnect,
    codec,
    logger,
    reconnect: resolveReconnect(options.reconnect),
    heartbeat: resolveHeartbeat(options.heartbeat),
    outbox: resolveOutbox(options.outbox),
  };
}

export function resolveHeartbeat(options: HeartbeatOptions = {}): ClientSettings['heartbeat'] {
  return numberOptions(options, 'heartbeat', {
    // 0, which nobody may give: as the server proposes.
    intervalMs: [0, 1],
    timeoutMs: [5_000, 1],
    maxMissed: [1, 1, 'whole'],
  });
}

export function resolveReconnect(options: ReconnectOptions = {}): ClientSettings['reconnect'] {
  const names = ['baseMs', 'capMs', 'minUptimeMs', 'maxAttempts', 'maxElapsedMs', 'policy'] as const;
  checkKeys(options, names, 'reconnect');
  const { policy, ...numbers } = options;
  checkType(policy, 'function', 'reconnect.policy');
  const settings = numberOptions(numbers, 'reconnect', {
    baseMs: [500, 1],
    capMs: [30_000, 1],
    minUptimeMs: [5_000, 0],
    maxAttempts: [Infinity, 1, 'whole'],
    maxElapsedMs: [Infinity, 0],
  });
  return { ...settings, policy };
}

function resolveOutbox(options: OutboxOptions = {}): ClientSettings['outbox'] {
  checkKeys(options, ['maxMessages', 'maxBytes', 'ttlMs', 'overflow', 'storage'], 'outbox');
  const { overflow = 'reject', storage, ...numbers } = options;
  if (overflow !== 'reject' && overflow !== 'wait' && overflow !== 'drop-oldest') {
    const allowed = `'reject', 'wait' or 'drop-oldest'`;
    throw new TypeError(`outbox.overflow must be ${allowed}, not ${String(overflow)}`);
  }
  const bounds = numberOptions(numbers, 'outbox', {
    maxMessages: [1_000, 1, 'whole'],
    maxBytes: [1_048_576, 1],
    ttlMs: [Infinity, 0],
  });
  if (storage !== undefined) checkFunctions(storage, ['open'], 'outbox.storage');
  return { ...bounds, overflow, storage: storage as OutboxStorage | undefined };
}

function resolveDelivery(
  {
    delivery = {},
    outbox,
  }: {
    readonly delivery?: { readonly [event: string]: unknown } | undefined;
    readonly outbox?: OutboxOptions | undefined;
  },
  schemas: ContractSchemas | undefined,
): ClientSettings['delivery'] {
  checkKeys(delivery, schemas ? [...schemas.clientEvents.keys()] : Object.keys(delivery), 'delivery');
  for (const [event, usual] of Object.entries(delivery)) {
    checkClass(usual, `delivery: '${event}'`);
    if (usual === 'durable' && !outbox?.storage)
      throw new TypeError(`delivery: '${event}' is 'durable', which needs an 'outbox.storage'`);
  }
  return new Map(Object.entries(delivery as { [event: string]: Delivery }));
}

/** Throws a `TypeError` unless `token` is absent or one that a first frame can carry. */
function checkToken(token: unknown, what: string): void {
  checkType(token, 'string', what);
  if (typeof token === 'string' && token.length > MAX_TOKEN_LENGTH) {
    throw new TypeError(`${what} may have ${MAX_TOKEN_LENGTH} characters, not ${token.length}`);
  }
}

/** Throws a `TypeError` unless `source` is absent, a token or a function. */
export function checkTokenSource(source: unknown, what: string): asserts source is TokenSource | undefined {
  if (typeof source !== 'function') checkToken(source, what);
}

type UrlSource = Extract<ClientOptions['url'], (...args: never[]) => unknown>;

/** An address of the application's own making, checked for each attempt. */
function resolverOf(url: UrlSource, address: (url: unknown) => string): ClientSettings['url'] {
  return async (context) => {
    try {
      return address(await url(context));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw holdfastError('ERR_TOKEN_SOURCE', `url() gave no address: ${why}`, { cause });
    }
  };
}

const SCHEMES: { readonly [scheme: string]: string } = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
};

export function resolveUrl(given: unknown, baseUrl: string | undefined, allowsToken: boolean): string {
  if (typeof given !== 'string' && !(given instanceof URL)) {
    throw new TypeError(`url must be a string or a URL, not ${given === null ? 'null' : typeof given}`);
  }
  let url: URL;
  try {
    url = new URL(given, baseUrl);
  } catch {
    const hint =
      baseUrl === undefined
        ? '; outside of a page it must be a whole one, such as wss://example.com/realtime'
        : '';
    throw new TypeError(`url '${given}' is not an address${hint}`);
  }
  const scheme = SCHEMES[url.protocol];
  if (!scheme) throw new TypeError(`url must begin with ws:, wss:, http: or https:, not ${url.protocol}`);
  for (const name of allowsToken ? [] : ['token', 'access_token']) {
    // Addresses end up in logs, proxies and crash reports.
    if (url.searchParams.has(name))
      throw new TypeError(`url must not hold '${name}='; give the token as 'auth'`);
  }
  if (scheme === 'ws:' && baseUrl?.startsWith('https:') && !isLoopback(url.hostname)) {
    throw new TypeError(`url '${url.href}' is not for a page from https: its browser asks for wss:`);
  }
  // Assigning `protocol` cannot be relied on: http and ws are not of one family everywhere.
  return scheme + url.href.slice(url.protocol.length).replace(/#.*$/, '');
}

/** Browsers let these pass (Secure Contexts, section 3.1). */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
