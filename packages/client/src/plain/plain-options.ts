import { checkKeys, checkOptions, checkType, type Logger } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import { guardedPolicy } from '../runtime/guarded-policy.js';
import { resolveHeartbeat, resolveReconnect, resolveUrl } from '../settings.js';
import type { HeartbeatOptions, OutboxOptions, ReconnectOptions } from '../types.js';
import type { PlainAddress, PlainSettings } from './plain-connection.js';
import type { PlainOutboxSettings } from './plain-outbox.js';
import { RENAMED } from './renamed.js';

/** An address, or a function that gives one for each attempt. */
export type PlainUrl = string | URL | (() => string | URL | PromiseLike<string | URL>);

type Protocols = string | readonly string[] | null | undefined;
/** Subprotocols, or a function that gives them for each attempt, such as one with a fresh token in it. */
export type PlainProtocols = Protocols | (() => Protocols | PromiseLike<Protocols>);

export interface PlainOptions {
  /** Whether to dial by itself; default true. Without it the socket is `CLOSED`, and keeps, until `reconnect()`. */
  autoConnect?: boolean | undefined;
  /** As for `createClient`. */
  reconnect?: ReconnectOptions | undefined;
  /** What waits for a connection; default 1_000 messages, 1_048_576 bytes, `reject`: `send` throws `ERR_OUTBOX_FULL`. */
  outbox?:
    | (Pick<OutboxOptions, 'maxMessages' | 'maxBytes'> & { overflow?: 'reject' | 'drop-oldest' | undefined })
    | undefined;
  /** What to send when nothing has come for `intervalMs`, default 20_000. Without it a dead connection is not noticed. */
  heartbeat?:
    | (HeartbeatOptions & {
        message: string | (() => string);
        /** Which message is the answer, and not for the application; any message proves that the connection lives. */
        isPong?: ((data: string | Uint8Array) => boolean) | undefined;
      })
    | undefined;
}

type Resolved = PlainSettings & {
  readonly outbox: PlainOutboxSettings;
  readonly autoConnect: boolean;
  /** The address, where it is always the same. */
  readonly url: string | undefined;
};

const DEFAULT_INTERVAL_MS = 20_000;
/** The machine asks after 1.25 intervals of silence, since it expects a server that pings; this one does not. */
const ASKED_AFTER = 1.25;

/** Throws a `TypeError` that names the option, the rule and the value; a `SyntaxError` for an address, as `WebSocket`. */
export function resolvePlain(
  ports: ClientPorts,
  url: PlainUrl,
  protocols: PlainProtocols,
  options: PlainOptions,
): Resolved {
  for (const name of Object.keys(options)) {
    const hint = Object.hasOwn(RENAMED, name) ? RENAMED[name] : undefined;
    if (hint !== undefined) throw new TypeError(`ReconnectingWebSocket: '${name}' ${hint}`);
  }
  checkKeys(options, ['autoConnect', 'reconnect', 'outbox', 'heartbeat'], 'ReconnectingWebSocket(options)');
  const { autoConnect = true } = options;
  checkType(autoConnect, 'boolean', 'autoConnect');
  const address = (given: unknown): string => addressOf(given, ports.baseUrl);
  const fixedUrl = typeof url === 'function' ? undefined : address(url);
  const fixedProtocols = typeof protocols === 'function' ? undefined : protocolsOf(protocols);
  const fixed = fixedUrl !== undefined && fixedProtocols && { url: fixedUrl, protocols: fixedProtocols };
  const fresh = async (): Promise<PlainAddress> => {
    const given = [fixedUrl ?? (url as () => string)(), fixedProtocols ?? (protocols as () => Protocols)()];
    const [ownUrl, ownProtocols] = await Promise.all(given);
    return { url: fixedUrl ?? address(ownUrl), protocols: protocolsOf(ownProtocols) };
  };
  const failed = (error: unknown): void => ports.logger.error('Holdfast: reconnect.policy failed', error);
  return {
    ...resolvePings(options.heartbeat, ports.logger),
    reconnect: guardedPolicy(resolveReconnect(options.reconnect), failed),
    address: () => fixed || fresh(),
    url: fixedUrl,
    outbox: resolveOutbox(options.outbox),
    autoConnect,
  };
}

/** What the application's functions do wrong is told, and changes nothing. */
function resolvePings(
  options: PlainOptions['heartbeat'],
  logger: Logger,
): Pick<Resolved, 'heartbeat' | 'ping' | 'isPong'> {
  const { message, isPong = () => false, ...numbers } = options ?? { message: undefined };
  if (options && typeof message !== 'string' && typeof message !== 'function') {
    throw new TypeError(`heartbeat.message must be a string or a function, not ${typeof message}`);
  }
  checkType(isPong, 'function', 'heartbeat.isPong');
  const heartbeat = resolveHeartbeat(numbers);
  const intervalMs = (heartbeat.intervalMs || DEFAULT_INTERVAL_MS) / ASKED_AFTER;
  const guarded = <V>(name: string, call: () => V, otherwise: V): V => {
    try {
      return call();
    } catch (error) {
      logger.error(`Holdfast: heartbeat.${name} failed`, error);
      return otherwise;
    }
  };
  return {
    heartbeat: { ...heartbeat, intervalMs: message === undefined ? Infinity : intervalMs },
    ping: () =>
      typeof message === 'function' ? guarded<string | undefined>('message', message, undefined) : message,
    isPong: (data) => guarded('isPong', () => isPong(data), false),
  };
}

function resolveOutbox(options: NonNullable<PlainOptions['outbox']> = {}): PlainOutboxSettings {
  checkKeys(options, ['maxMessages', 'maxBytes', 'overflow'], 'outbox');
  const { overflow = 'reject', ...numbers } = options;
  if (overflow !== 'reject' && overflow !== 'drop-oldest') {
    throw new TypeError(`outbox.overflow must be 'reject' or 'drop-oldest', not ${String(overflow)}`);
  }
  const bounds = checkOptions(numbers, 'outbox', {
    maxMessages: [1_000, 1, 'whole'],
    maxBytes: [1_048_576, 1],
  });
  return { ...bounds, overflow };
}

/** What `new WebSocket()` throws for an address that is none; one with a fragment is none. */
function addressOf(given: unknown, baseUrl: string | undefined): string {
  try {
    if (String(given).includes('#')) throw new TypeError(`url '${given}' must not have a fragment`);
    return resolveUrl(given, baseUrl, true);
  } catch (error) {
    throw new DOMException(error instanceof Error ? error.message : String(error), 'SyntaxError');
  }
}

/** A token of HTTP (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Throws what `new WebSocket()` throws for subprotocols that cannot be asked for. */
function protocolsOf(given: Protocols): readonly string[] {
  const protocols = typeof given === 'string' ? [given] : (given ?? []);
  if (!Array.isArray(protocols)) {
    throw new TypeError(`protocols must be a string, an array or a function, not ${typeof given}`);
  }
  const wrong = protocols.find((name, at) => !TOKEN.test(name) || protocols.indexOf(name) !== at);
  if (wrong === undefined) return [...protocols];
  throw new DOMException(`protocols: '${wrong}' is no token, or stands there twice`, 'SyntaxError');
}
