import { type AuthError, CloseCode, type HoldfastError, holdfastError } from '@holdfast/protocol';
import type { ConnectionState } from '../types.js';
import { type BackoffSettings, backoffDelay } from './backoff.js';
import { consequenceOf } from './classify.js';
import {
  doubting,
  type Heartbeat,
  heard,
  heartbeatDueAt,
  heartbeatNeed,
  patience,
  pinged,
  ponged,
  startHeartbeat,
} from './heartbeat.js';

/**
 * The client's connection as a pure machine: `step` takes a state and an event and gives the next state and what
 * is to be done. It holds no socket and no timer: the runtime carries out the effects and sends a `tick` when
 * `deadlineOf` says so.
 */
export type Connection =
  | { readonly status: 'idle'; readonly dial: number }
  | Attempting
  | Connected
  | Waiting
  | { readonly status: 'needs-auth'; readonly dial: number; readonly error: AuthError }
  | { readonly status: 'failed'; readonly dial: number; readonly error: HoldfastError }
  | { readonly status: 'closed'; readonly dial: number; readonly reason: string };

interface Attempting {
  readonly status: 'dialing' | 'handshaking';
  /** Number of the newest dial: what an older one has to say changes nothing. */
  readonly dial: number;
  /** Counted from 1, from `connect()` or the last connection that was stable. */
  readonly attempt: number;
  readonly since: number;
  readonly deadlineAt: number;
  /** Absent on the first attempt. */
  readonly lastError?: HoldfastError | undefined;
}

interface Connected {
  readonly status: 'connected';
  readonly dial: number;
  readonly attempt: number;
  readonly since: number;
  readonly sessionId: string;
  readonly userId: string;
  readonly recovered: boolean;
  readonly heartbeat: Heartbeat;
}

interface Waiting {
  readonly status: 'waiting';
  readonly dial: number;
  /** The attempt that is waited for. */
  readonly attempt: number;
  readonly since: number;
  readonly retryAt: number;
  readonly lastError: HoldfastError;
}

interface Welcomed {
  readonly sessionId: string;
  readonly userId: string;
  /** A session of an earlier connection goes on. */
  readonly recovered: boolean;
  readonly heartbeatMs: number;
}

export type ConnectionEvent =
  /** The application wants to be up: dial, or try now. `anew`: leave the connection that stands. */
  | { readonly type: 'connect'; readonly anew: boolean }
  | { readonly type: 'disconnect' }
  | { readonly type: 'close'; readonly reason: string }
  /** The socket of this dial stands. */
  | { readonly type: 'opened'; readonly dial: number }
  | { readonly type: 'welcomed'; readonly dial: number; readonly welcome: Welcomed }
  /** The dial or connection has failed; `code` is told to the socket that is left. */
  | { readonly type: 'failed'; readonly dial: number; readonly error: HoldfastError; readonly code?: number }
  /** A frame came, with a ping or pong in it or not. */
  | { readonly type: 'heard'; readonly dial: number }
  | { readonly type: 'ping-came'; readonly dial: number }
  | { readonly type: 'pong-came'; readonly dial: number }
  /** The network or the page is back: a wait is over, and a connection must prove itself. */
  | { readonly type: 'hurry' }
  /** The time of `deadlineOf` has come, or somebody thinks so. */
  | { readonly type: 'tick' };

export type ConnectionEffect =
  | { readonly do: 'dial'; readonly dial: number }
  | { readonly do: 'hello' }
  | { readonly do: 'ping' }
  | { readonly do: 'pong' }
  | { readonly do: 'bye' }
  /** Leave the socket at once: what it says from now on is stale. */
  | { readonly do: 'hang-up'; readonly code: number; readonly reason: string };

export interface ConnectionSettings {
  readonly reconnect: BackoffSettings & { readonly minUptimeMs: number; readonly maxAttempts: number };
  readonly heartbeat: {
    /** 0: what the server proposes. */
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly maxMissed: number;
  };
}

/** What a step may ask for, beside its state and event. */
export interface Surroundings {
  readonly now: number;
  /** From 0 to 1, for jitter. */
  readonly fraction: number;
  /** When the oldest unacknowledged message was written. */
  readonly awaitingSince: number | undefined;
}

export interface Step {
  readonly connection: Connection;
  readonly effects: readonly ConnectionEffect[];
}

const DIAL_TIMEOUT_MS = 10_000;
const WELCOME_TIMEOUT_MS = 10_000;
const MIN_HEARTBEAT_MS = 1_000;

export const initialConnection: Connection = { status: 'idle', dial: 0 };

export function step(
  connection: Connection,
  event: ConnectionEvent,
  around: Surroundings,
  settings: ConnectionSettings,
): Step {
  if (connection.status === 'closed' || ('dial' in event && event.dial !== connection.dial)) {
    return stay(connection);
  }
  switch (event.type) {
    case 'connect':
      return connect(connection, event.anew, around);
    case 'disconnect':
      return { connection: { status: 'idle', dial: connection.dial + 1 }, effects: hangUp(connection) };
    case 'close':
      return close(connection, event.reason);
    case 'opened':
      if (connection.status !== 'dialing') return stay(connection);
      return {
        connection: { ...connection, status: 'handshaking', deadlineAt: around.now + WELCOME_TIMEOUT_MS },
        effects: [{ do: 'hello' }],
      };
    case 'welcomed':
      return connection.status === 'handshaking'
        ? establish(connection, event.welcome, around, settings)
        : stay(connection);
    case 'failed':
      return fail(connection, event.error, around, settings, event.code);
    case 'hurry':
      return hurry(connection, around);
    case 'tick':
      return tick(connection, around, settings);
    default:
      return connection.status === 'connected' ? listen(connection, event.type, around) : stay(connection);
  }
}

/** When the machine needs a `tick`; undefined in the states that only the application leaves. */
export function deadlineOf(connection: Connection, awaitingSince: number | undefined): number | undefined {
  switch (connection.status) {
    case 'dialing':
    case 'handshaking':
      return connection.deadlineAt;
    case 'waiting':
      return connection.retryAt;
    case 'connected':
      return heartbeatDueAt(connection.heartbeat, awaitingSince);
    default:
      return undefined;
  }
}

/** What the application is shown. */
export function stateOf(connection: Connection): ConnectionState {
  switch (connection.status) {
    case 'dialing':
    case 'handshaking': {
      const { attempt, since, lastError } = connection;
      return lastError
        ? { status: 'reconnecting', attempt, waitingFor: 'answer', since, lastError }
        : { status: 'connecting', attempt, phase: connection.status, since };
    }
    case 'connected': {
      const { sessionId, userId, recovered, since, heartbeat } = connection;
      const rttMs = heartbeat.rttMs === undefined ? undefined : Math.round(heartbeat.rttMs * 10) / 10;
      return {
        status: 'connected',
        recovered,
        sessionId,
        userId,
        since,
        ...(rttMs === undefined ? {} : { rttMs }),
      };
    }
    case 'waiting': {
      const { attempt, retryAt, since, lastError } = connection;
      return { status: 'reconnecting', attempt, waitingFor: 'timer', retryAt, since, lastError };
    }
    case 'idle':
      return { status: 'idle' };
    case 'closed':
      return { status: 'closed', reason: connection.reason };
    case 'needs-auth':
      return { status: 'needs-auth', error: connection.error };
    case 'failed':
      return { status: 'failed', error: connection.error };
  }
}

/** Heartbeats make a new connection at each frame, but the application is told only of what it can see. */
export function sameState(a: ConnectionState, b: ConnectionState): boolean {
  const keys = Object.keys(b) as (keyof ConnectionState)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}

function stay(connection: Connection): Step {
  return { connection, effects: [] };
}

function hangUp(connection: Connection, code: number = CloseCode.NORMAL, reason = ''): ConnectionEffect[] {
  const { status } = connection;
  const hasSocket = status === 'dialing' || status === 'handshaking' || status === 'connected';
  return hasSocket ? [{ do: 'hang-up', code, reason }] : [];
}

/** BYE also before the WELCOME: the session that it would bring is over, then. */
function close(connection: Connection, reason: string): Step {
  const { status, dial } = connection;
  const bye: ConnectionEffect[] = status === 'connected' || status === 'handshaking' ? [{ do: 'bye' }] : [];
  const effects = [...bye, ...hangUp(connection)];
  return { connection: { status: 'closed', dial: dial + 1, reason }, effects };
}

function connect(connection: Connection, anew: boolean, around: Surroundings): Step {
  switch (connection.status) {
    case 'waiting':
      return dial(connection, connection.attempt, around, connection.lastError);
    case 'dialing':
    case 'handshaking':
    case 'connected':
      return anew ? dial(connection, 1, around) : stay(connection);
    default:
      return dial(connection, 1, around);
  }
}

function dial(from: Connection, attempt: number, { now }: Surroundings, lastError?: HoldfastError): Step {
  const dial = from.dial + 1;
  const deadlineAt = now + DIAL_TIMEOUT_MS;
  return {
    connection: { status: 'dialing', dial, attempt, since: Math.floor(now), deadlineAt, lastError },
    effects: [...hangUp(from), { do: 'dial', dial }],
  };
}

function establish(
  { dial, attempt }: Attempting,
  { sessionId, userId, recovered, heartbeatMs }: Welcomed,
  { now }: Surroundings,
  { heartbeat: settings }: ConnectionSettings,
): Step {
  // Asks at once, so that the round-trip time is known from the start.
  // Whatever a server proposes must not become a storm of pings.
  const intervalMs = settings.intervalMs || Math.max(heartbeatMs, MIN_HEARTBEAT_MS);
  const heartbeat = pinged(startHeartbeat({ ...settings, intervalMs }, now), now);
  const who = { sessionId, userId, recovered };
  return {
    connection: { status: 'connected', dial, attempt, since: Math.floor(now), ...who, heartbeat },
    effects: [{ do: 'ping' }],
  };
}

function fail(
  connection: Connection,
  error: HoldfastError,
  around: Surroundings,
  { reconnect }: ConnectionSettings,
  code?: number,
): Step {
  const effects = hangUp(connection, code);
  // Only what has a socket can fail.
  if (effects.length === 0 || !('attempt' in connection)) return stay(connection);
  // Whatever the socket still says is stale from here on.
  const dial = connection.dial + 1;
  switch (consequenceOf(error)) {
    case 'needs-auth':
      return { connection: { status: 'needs-auth', dial, error: error as AuthError }, effects };
    case 'fail':
      return { connection: { status: 'failed', dial, error }, effects };
    case 'retry':
  }
  const { now, fraction } = around;
  const wasStable = connection.status === 'connected' && now - connection.since >= reconnect.minUptimeMs;
  const attempt = wasStable ? 1 : connection.attempt + 1;
  if (attempt > reconnect.maxAttempts) {
    const text = `gave up after ${connection.attempt} attempts: ${error.message}`;
    const gaveUp = holdfastError('ERR_GAVE_UP', text, { cause: error });
    return { connection: { status: 'failed', dial, error: gaveUp }, effects };
  }
  const retryAt = Math.floor(now) + backoffDelay(reconnect, attempt, fraction);
  return {
    connection: { status: 'waiting', dial, attempt, since: Math.floor(now), retryAt, lastError: error },
    effects,
  };
}

function listen(
  connection: Connected,
  what: 'heard' | 'ping-came' | 'pong-came',
  { now }: Surroundings,
): Step {
  const heartbeat = heard(connection.heartbeat, now);
  switch (what) {
    case 'heard':
      return stay({ ...connection, heartbeat });
    case 'pong-came':
      return stay({ ...connection, heartbeat: ponged(heartbeat, now) });
    case 'ping-came': {
      // Answered here, from the message event, which browsers do not throttle. Our own ping goes with the answer
      // and costs no frame; it keeps the round-trip time fresh.
      if (heartbeat.pingedAt !== undefined)
        return { connection: { ...connection, heartbeat }, effects: [{ do: 'pong' }] };
      return {
        connection: { ...connection, heartbeat: pinged(heartbeat, now) },
        effects: [{ do: 'pong' }, { do: 'ping' }],
      };
    }
  }
}

function hurry(connection: Connection, around: Surroundings): Step {
  if (connection.status === 'waiting') {
    return dial(connection, connection.attempt, around, connection.lastError);
  }
  if (connection.status !== 'connected') return stay(connection);
  const heartbeat = pinged(connection.heartbeat, around.now, patience(connection.heartbeat));
  return { connection: { ...connection, heartbeat }, effects: [{ do: 'ping' }] };
}

function tick(connection: Connection, around: Surroundings, settings: ConnectionSettings): Step {
  const { now, awaitingSince } = around;
  const deadlineAt = deadlineOf(connection, awaitingSince);
  if (deadlineAt === undefined || now < deadlineAt) return stay(connection);
  switch (connection.status) {
    case 'waiting':
      return dial(connection, connection.attempt, around, connection.lastError);
    case 'dialing': {
      const error = holdfastError('ERR_DIAL_TIMEOUT', `no connection within ${DIAL_TIMEOUT_MS} ms`);
      return fail(connection, error, around, settings);
    }
    case 'handshaking': {
      const error = holdfastError('ERR_WELCOME_TIMEOUT', `no welcome within ${WELCOME_TIMEOUT_MS} ms`);
      return fail(connection, error, around, settings, CloseCode.TIMEOUT);
    }
    case 'connected':
      return beat(connection, around, settings);
    default:
      return stay(connection);
  }
}

function beat(connection: Connected, around: Surroundings, settings: ConnectionSettings): Step {
  const { heartbeat } = connection;
  switch (heartbeatNeed(heartbeat, around.now, around.awaitingSince)) {
    case 'nothing':
      return stay(connection);
    case 'ping':
      return {
        connection: {
          ...connection,
          heartbeat: pinged(doubting(heartbeat, around.now, around.awaitingSince), around.now),
        },
        effects: [{ do: 'ping' }],
      };
    case 'give-up': {
      const silentMs = Math.round(around.now - heartbeat.heardAt);
      const error = holdfastError(
        'ERR_CONNECTION_LOST',
        `nothing heard for ${silentMs} ms, and no answer to a ping`,
      );
      return fail(connection, error, around, settings, CloseCode.TIMEOUT);
    }
  }
}
