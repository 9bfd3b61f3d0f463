import {
  type AnyContract,
  type Codec,
  type ContractSchemas,
  checkClass,
  checkFunctions,
  checkKeys,
  checkOneOf,
  checkOptions,
  checkThat,
  checkType,
  type Delivery,
  holdfastError,
  json,
  type Logger,
  messageOf,
  type OptionRule,
  Scopes,
} from '@holdfast/protocol';
import type { OutboxStorage } from './core/types.js';
import type { ClientSettings } from './runtime/settings.js';
import { checkToken } from './runtime/tokens.js';
import type {
  ClientOptions,
  HeartbeatOptions,
  OutboxOptions,
  ReconnectOptions,
  TokenSource,
} from './types.js';

/** As it is given: it is looked at where it is used. */
const asGiven = <Value>(value: Value): Value => value;

const flag = (value = false, what: string): boolean => checkType(value, 'boolean', what);

/** Throws a `TypeError` that names the option, the rule and the value. */
export function resolveOptions<C extends AnyContract>(
  options: ClientOptions<C>,
  defaults: { readonly logger: Logger; readonly baseUrl?: string | undefined },
): ClientSettings {
  const rules = {
    url: asGiven<unknown>,
    contract: asGiven<C | undefined>,
    auth: checkTokenSource,
    tokenIn: (value: ClientSettings['tokenIn'] = 'hello', what: string) =>
      checkOneOf(value, ['hello', 'subprotocol'], what),
    allowTokenInUrl: flag,
    autoConnect: flag,
    codec: (codec: Codec = json(), what: string) => {
      checkFunctions(codec, ['encode', 'frame', 'decode'], what);
      checkType(codec.name, 'string', `${what}.name`);
      return codec;
    },
    delivery: asGiven<{ readonly [event: string]: unknown } | undefined>,
    reconnect: resolveReconnect,
    heartbeat: resolveHeartbeat,
    outbox: resolveOutbox,
    logger: (logger = defaults.logger, what: string) =>
      checkFunctions(logger, ['debug', 'info', 'warn', 'error'], what),
  } satisfies { readonly [name in keyof ClientOptions]-?: OptionRule };
  const checked = checkOptions(options, 'createClient(options)', rules, '');
  const { url, contract, allowTokenInUrl, delivery, ...settings } = checked;
  const address = (url: unknown): string => resolveUrl(url, defaults.baseUrl, allowTokenInUrl);
  const scopes = new Scopes(contract);
  return {
    ...settings,
    url: typeof url === 'function' ? resolverOf(url as UrlSource, address) : address(url),
    scopes,
    delivery: resolveDelivery(delivery, settings.outbox.storage, scopes.root.schemas),
  };
}

export function resolveHeartbeat(options?: HeartbeatOptions): ClientSettings['heartbeat'] {
  return checkOptions(options, 'heartbeat', {
    // 0, which nobody may give: as the server proposes.
    intervalMs: [0, 1],
    timeoutMs: [5_000, 1],
    maxMissed: [1, 1, 'whole'],
  });
}

export function resolveReconnect(options?: ReconnectOptions): ClientSettings['reconnect'] {
  return checkOptions(options, 'reconnect', {
    baseMs: [500, 1],
    capMs: [30_000, 1],
    minUptimeMs: [5_000, 0],
    maxAttempts: [Infinity, 1, 'whole'],
    maxElapsedMs: [Infinity, 0],
    policy: (policy: ReconnectOptions['policy'], what: string) => checkType(policy, 'function', what),
  });
}

function resolveOutbox(options?: OutboxOptions): ClientSettings['outbox'] {
  return checkOptions(options, 'outbox', {
    maxMessages: [1_000, 1, 'whole'],
    maxBytes: [1_048_576, 1],
    ttlMs: [Infinity, 0],
    overflow: (overflow: ClientSettings['outbox']['overflow'] = 'reject', what: string) =>
      checkOneOf(overflow, ['reject', 'wait', 'drop-oldest'], what),
    storage: (storage: unknown, what: string) =>
      (storage === undefined ? storage : checkFunctions(storage, ['open'], what)) as
        | OutboxStorage
        | undefined,
  });
}

function resolveDelivery(
  delivery: { readonly [event: string]: unknown } = {},
  storage: OutboxStorage | undefined,
  schemas: ContractSchemas | undefined,
): ClientSettings['delivery'] {
  checkKeys(delivery, schemas ? [...schemas.clientEvents.keys()] : Object.keys(delivery ?? {}), 'delivery');
  for (const [event, usual] of Object.entries(delivery)) {
    checkClass(usual, `delivery: '${event}'`);
    if (usual === 'durable' && !storage)
      throw new TypeError(`delivery: '${event}' is 'durable', which needs an 'outbox.storage'`);
  }
  return new Map(Object.entries(delivery as { [event: string]: Delivery }));
}

/** Throws a `TypeError` unless `source` is absent, a function, or a token that a first frame can carry. */
export function checkTokenSource(source: TokenSource | undefined, what: string): TokenSource | undefined {
  if (typeof source !== 'function' && source !== undefined) checkToken(source, what);
  return source;
}

type UrlSource = Extract<ClientOptions['url'], (...args: never[]) => unknown>;

/** An address of the application's own making, checked for each attempt. */
function resolverOf(url: UrlSource, address: (url: unknown) => string): ClientSettings['url'] {
  return async (context) => {
    try {
      return address(await url(context));
    } catch (cause) {
      throw holdfastError('ERR_TOKEN_SOURCE', `url() gave no address: ${messageOf(cause)}`, { cause });
    }
  };
}

export function resolveUrl(given: unknown, baseUrl: string | undefined, allowsToken: boolean): string {
  checkThat(typeof given === 'string' || given instanceof URL, 'url', 'a string or a URL', given);
  let url: URL;
  try {
    url = new URL(given as string | URL, baseUrl);
  } catch {
    const hint = '; outside of a page it must be a whole one, such as wss://example.com/realtime';
    throw new TypeError(`url '${given}' is not an address${baseUrl === undefined ? hint : ''}`);
  }
  const { protocol, href, searchParams, hostname } = url;
  checkOneOf(protocol, ['ws:', 'wss:', 'http:', 'https:'], 'the scheme of url');
  for (const name of allowsToken ? [] : ['token', 'access_token']) {
    // Addresses end up in logs, proxies and crash reports.
    if (searchParams.has(name)) throw new TypeError(`url must not hold '${name}='; give the token as 'auth'`);
  }
  // Assigning `protocol` cannot be relied on: http and ws are not of one family everywhere.
  const address = href.replace(/^http/, 'ws').replace(/#.*$/, '');
  if (address.startsWith('ws:') && baseUrl?.startsWith('https:') && !LOOPBACK.test(hostname)) {
    throw new TypeError(`url '${href}' is not for a page from https: its browser asks for wss:`);
  }
  return address;
}

/** Browsers let these pass (Secure Contexts, section 3.1). */
const LOOPBACK = /^((.+\.)?localhost|\[::1\]|127(\.\d+){3})$/;
