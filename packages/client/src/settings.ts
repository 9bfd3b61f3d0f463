import {
  type AnyContract,
  checkKeys,
  checkType,
  contractSchemas,
  json,
  type Logger,
  numberOption,
} from '@holdfast/protocol';
import type { ClientSettings } from './runtime/settings.js';
import type { ClientOptions, HeartbeatOptions, OutboxOptions, ReconnectOptions } from './types.js';

type Keys<O> = { readonly [K in keyof Required<O>]: true };
const keysOf = <O>(keys: Keys<O>): readonly string[] => Object.keys(keys);

const CLIENT_KEYS = keysOf<ClientOptions>({
  url: true,
  contract: true,
  auth: true,
  autoConnect: true,
  codec: true,
  reconnect: true,
  heartbeat: true,
  outbox: true,
  logger: true,
});
const RECONNECT_KEYS = keysOf<ReconnectOptions>({
  baseMs: true,
  capMs: true,
  minUptimeMs: true,
  maxAttempts: true,
});
const HEARTBEAT_KEYS = keysOf<HeartbeatOptions>({ intervalMs: true, timeoutMs: true, maxMissed: true });
const OUTBOX_KEYS = keysOf<OutboxOptions>({ maxMessages: true, maxBytes: true, ttlMs: true });

/** Throws a `TypeError` that names the option, the rule and the value. */
export function resolveOptions<C extends AnyContract>(
  options: ClientOptions<C>,
  defaults: { readonly logger: Logger; readonly baseUrl?: string | undefined },
): ClientSettings {
  checkKeys(options, CLIENT_KEYS, 'createClient(options)');
  const {
    contract,
    auth,
    autoConnect,
    codec = json(),
    reconnect = {},
    heartbeat = {},
    outbox = {},
  } = options;
  checkType(auth, 'string', 'auth');
  checkType(autoConnect, 'boolean', 'autoConnect');
  checkType(codec.encode, 'function', 'codec.encode');
  checkKeys(reconnect, RECONNECT_KEYS, 'reconnect');
  checkKeys(heartbeat, HEARTBEAT_KEYS, 'heartbeat');
  checkKeys(outbox, OUTBOX_KEYS, 'outbox');
  const { intervalMs } = heartbeat;
  return {
    url: resolveUrl(options.url, defaults.baseUrl),
    schemas: contract === undefined ? undefined : contractSchemas(contract),
    auth,
    autoConnect: autoConnect ?? false,
    codec,
    reconnect: {
      baseMs: numberOption(reconnect.baseMs, 'reconnect.baseMs', 500, { min: 1 }),
      capMs: numberOption(reconnect.capMs, 'reconnect.capMs', 30_000, { min: 1 }),
      minUptimeMs: numberOption(reconnect.minUptimeMs, 'reconnect.minUptimeMs', 5_000),
      maxAttempts: numberOption(reconnect.maxAttempts, 'reconnect.maxAttempts', Infinity, {
        min: 1,
        whole: true,
      }),
    },
    heartbeat: {
      intervalMs:
        intervalMs === undefined
          ? undefined
          : numberOption(intervalMs, 'heartbeat.intervalMs', 0, { min: 1 }),
      timeoutMs: numberOption(heartbeat.timeoutMs, 'heartbeat.timeoutMs', 5_000, { min: 1 }),
      maxMissed: numberOption(heartbeat.maxMissed, 'heartbeat.maxMissed', 1, { min: 1, whole: true }),
    },
    outbox: {
      maxMessages: numberOption(outbox.maxMessages, 'outbox.maxMessages', 1_000, { min: 1, whole: true }),
      maxBytes: numberOption(outbox.maxBytes, 'outbox.maxBytes', 1_048_576, { min: 1 }),
      ttlMs: numberOption(outbox.ttlMs, 'outbox.ttlMs', Infinity),
    },
    logger: options.logger ?? defaults.logger,
  };
}

const SCHEMES: { readonly [scheme: string]: string } = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
};

function resolveUrl(given: unknown, baseUrl: string | undefined): string {
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
  for (const name of ['token', 'access_token']) {
    // Addresses end up in logs, proxies and crash reports.
    if (url.searchParams.has(name))
      throw new TypeError(`url must not hold '${name}='; give the token as 'auth'`);
  }
  // Assigning `protocol` cannot be relied on: http and ws are not of one family everywhere.
  return scheme + url.href.slice(url.protocol.length).replace(/#.*$/, '');
}
