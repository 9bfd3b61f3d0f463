import { type AuthError, CloseCode, type HoldfastError, holdfastError } from '@holdfast/protocol';
import { backoffDelay, delayBefore } from '../backoff.js';
import { consequenceOf, FAULTS } from '../classify.js';
import {
  type Attempting,
  type Connected,
  type ConnectionEffect,
  type ConnectionSettings,
  type Failed,
  hangUp,
  type Step,
  type Surroundings,
  type Trail,
  trailOf,
} from './state.js';

const SAME_FAULT_MS = 60_000;

type Loss = Pick<Failed, 'error' | 'code' | 'endCode' | 'hopeless'>;

/** An attempt or a connection is over: what comes next depends on why. */
export function lose(
  connection: Attempting | Connected,
  { error, code, endCode, hopeless = false }: Loss,
  around: Surroundings,
  settings: ConnectionSettings,
): Step {
  const effects = hangUp(connection, code);
  const faultCode = endCode ?? code ?? CloseCode.BAD_FRAME;
  const isFault = error.code === 'ERR_PROTOCOL' && FAULTS.includes(faultCode);
  const fault = isFault ? { code: faultCode, at: around.now } : connection.fault;
  const trail = { ...trailOf(connection), fault };
  const fail = (error: HoldfastError): Step => ({
    connection: { ...trail, status: 'failed', error },
    effects,
  });
  if (hopeless || isRepeated(connection, fault)) return fail(error);
  const consequence = consequenceOf(error);
  if (consequence === 'fail') return fail(error);
  if (consequence === 'needs-auth' || (consequence === 'renew-token' && !around.canRenewToken)) {
    return { connection: { ...trail, status: 'needs-auth', error: error as AuthError }, effects };
  }
  return tryAgain(connection, { trail, error, effects }, around, settings);
}

function isRepeated({ fault: before }: Trail, fault: Trail['fault']): boolean {
  if (!before || !fault || before === fault) return false;
  return before.code === fault.code && fault.at - before.at < SAME_FAULT_MS;
}

interface Lost {
  readonly trail: Trail;
  readonly error: HoldfastError;
  readonly effects: readonly ConnectionEffect[];
}

function tryAgain(
  connection: Attempting | Connected,
  { trail, error, effects }: Lost,
  around: Surroundings,
  { reconnect }: ConnectionSettings,
): Step {
  const { now, isOffline } = around;
  const isUp = connection.status === 'connected';
  const downSince = isUp ? now : connection.downSince;
  const attempt = isUp && now - connection.since >= reconnect.minUptimeMs ? 1 : connection.attempt + 1;
  const gaveUp = (what: string): Step => {
    const cause = holdfastError('ERR_GAVE_UP', `gave up after ${what}: ${error.message}`, { cause: error });
    return { connection: { ...trail, status: 'failed', error: cause }, effects };
  };
  if (attempt > reconnect.maxAttempts) return gaveUp(`${connection.attempt} attempts`);
  const elapsedMs = now - downSince;
  const delay = delayOf({ attempt, elapsedMs, error, isUp }, { ...around, ...trail }, reconnect);
  if (delay === null) return gaveUp('a word of reconnect.policy');
  const leftMs = reconnect.maxElapsedMs - elapsedMs;
  if (delay > leftMs) return gaveUp(`${Math.round(elapsedMs)} ms`);
  // Without a network an attempt is in vain; but what the platform says of it may be wrong.
  const isOrdered = 'retryAfterMs' in error;
  const waitMs = isOffline && !isOrdered ? Math.max(delay, Math.min(reconnect.capMs, leftMs)) : delay;
  const waitingFor = isOrdered ? 'server' : isOffline ? 'online' : 'timer';
  return {
    connection: {
      ...{ ...trail, status: 'waiting', attempt, since: Math.floor(now), downSince },
      ...{ retryAt: Math.floor(now) + waitMs, waitingFor, lastError: error },
    },
    effects,
  };
}

interface Next {
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly error: HoldfastError;
  /** It was a connection that was lost, not an attempt that failed. */
  readonly isUp: boolean;
}

/** The server's word wins; then the application's; then ours. */
function delayOf(
  { attempt, elapsedMs, error, isUp }: Next,
  { fraction, spreadMs }: Surroundings & Trail,
  { policy, ...backoff }: ConnectionSettings['reconnect'],
): number | null {
  if ('retryAfterMs' in error) {
    return delayBefore(backoff, { attempt, spreadMs, retryAfterMs: error.retryAfterMs }, fraction);
  }
  // A token that ran out concerns this client alone. With a fresh one it is not the same attempt again, and refused
  // ones are counted; but nobody counts those that are let in and sent away.
  if (consequenceOf(error) === 'renew-token') return backoffDelay(backoff, isUp ? attempt : 1, fraction);
  const own = policy?.({ attempt, elapsedMs, error });
  return own === undefined ? delayBefore(backoff, { attempt, spreadMs: isUp ? spreadMs : 0 }, fraction) : own;
}
