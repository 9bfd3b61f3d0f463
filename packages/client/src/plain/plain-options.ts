import { checkFunctions, checkKeys, checkType, numberOptions } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import { guardedPolicy } from '../runtime/guarded-policy.js';
import { resolveHeartbeat, resolveReconnect, resolveUrl } from '../settings.js';
import type { HeartbeatOptions, OutboxOptions, ReconnectOptions } from '../types.js';
import type { PlainSettings } from './plain-connection.js';
import type { PlainOutboxSettings } from './plain-outbox.js';

/** An address, or a function that gives one for each attempt. */
export type PlainUrl = string | URL | (() => string | URL | PromiseLike<string | URL>);

export interface PlainOptions {
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

const DEFAULT_INTERVAL_MS = 20_000;
/** The machine asks after 1.25 intervals of silence, since it expects a server that pings; this one does not. */
const ASKED_AFTER = 1.25;

/** What options of the libraries that this class replaces are called here. */
const RENAMED: { readonly [name: string]: string } = {
  maxReconnectionDelay: 'reconnect.capMs',
  minReconnectionDelay: 'reconnect.baseMs',
  reconnectionDelayGrowFactor: 'reconnect.policy',
  minUptime: 'reconnect.minUptimeMs',
  maxRetries: 'reconnect.maxAttempts',
  maxEnqueuedMessages: 'outbox.maxMessages',
};

/** Throws a `TypeError` that names the option, the rule and the value; a `SyntaxError` for an address, as `WebSocket`. */
export function resolvePlain(
  ports: ClientPorts,
  url: PlainUrl,
  protocols: string | readonly string[],
  options: PlainOptions,
): PlainSettings & { readonly outbox: PlainOutboxSettings } {
  for (const name of Object.keys(options)) {
    if (RENAMED[name]) throw new TypeError(`ReconnectingWebSocket: '${name}' is '${RENAMED[name]}' here`);
  }
  checkKeys(options, ['reconnect', 'outbox', 'heartbeat'], 'ReconnectingWebSocket(options)');
  const { message, isPong = () => false, ...numbers } = options.heartbeat ?? { message: undefined };
  if (options.heartbeat && typeof message !== 'string') {
    checkFunctions({ message }, ['message'], 'heartbeat');
  }
  checkType(isPong, 'function', 'heartbeat.isPong');
  const heartbeat = resolveHeartbeat(numbers);
  const intervalMs = (heartbeat.intervalMs || DEFAULT_INTERVAL_MS) / ASKED_AFTER;
  const address = (given: unknown): string => asSyntaxError(() => resolveUrl(given, ports.baseUrl, true));
  const fixed = typeof url === 'function' ? undefined : address(url);
  const failed = (error: unknown): void => ports.logger.error('Holdfast: reconnect.policy failed', error);
  return {
    reconnect: guardedPolicy(resolveReconnect(options.reconnect), failed),
    heartbeat: { ...heartbeat, intervalMs: message === undefined ? Infinity : intervalMs },
    url: () => fixed ?? Promise.resolve((url as () => string)()).then(address),
    protocols: typeof protocols === 'string' ? [protocols] : protocols,
    ping: message === undefined ? undefined : () => (typeof message === 'function' ? message() : message),
    isPong,
    outbox: resolveOutbox(options.outbox),
  };
}

function resolveOutbox(options: NonNullable<PlainOptions['outbox']> = {}): PlainOutboxSettings {
  checkKeys(options, ['maxMessages', 'maxBytes', 'overflow'], 'outbox');
  const { overflow = 'reject', ...numbers } = options;
  if (overflow !== 'reject' && overflow !== 'drop-oldest') {
    throw new TypeError(`outbox.overflow must be 'reject' or 'drop-oldest', not ${String(overflow)}`);
  }
  const bounds = numberOptions(numbers, 'outbox', {
    maxMessages: [1_000, 1, 'whole'],
    maxBytes: [1_048_576, 1],
  });
  return { ...bounds, overflow };
}

/** What `new WebSocket()` throws for an address that is none. */
function asSyntaxError<V>(read: () => V): V {
  try {
    return read();
  } catch (error) {
    throw new DOMException(error instanceof Error ? error.message : String(error), 'SyntaxError');
  }
}
