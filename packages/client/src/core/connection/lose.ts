import { type AuthError, CloseCode, type HoldfastError, holdfastError } from '@holdfast/protocol';
import { backoffDelay, delayBefore } from '../backoff.js';
import { consequenceOf, FAULTS, retryAfterOf } from '../classify.js';
import {
  type Attempting,
  type Connected,
  type Connection,
  hangUp,
  type Loss,
  type Step,
  type Surroundings,
  to,
  trailOf,
} from './state.js';

const SAME_FAULT_MS = 60_000;

/** The state that follows a loss, without what goes from any state to any other. */
type Next = Connection extends infer State
  ? State extends { readonly status: 'waiting' | 'needs-auth' | 'failed' }
    ? Omit<State, 'dial' | 'spreadMs' | 'fault'>
    : never
  : never;

/** An attempt or a connection is over: what comes next depends on why. */
export function lose(connection: Attempting | Connected, loss: Loss, around: Surroundings): Step {
  const { error, code, endCode = code ?? CloseCode.BAD_FRAME, hopeless } = loss;
  const { fault: before } = connection;
  const { now: at } = around;
  const isFault = error.code === 'ERR_PROTOCOL' && FAULTS.includes(endCode);
  const isRepeated = isFault && before?.code === endCode && at - before.at < SAME_FAULT_MS;
  const next: Next = hopeless || isRepeated ? { status: 'failed', error } : follow(connection, error, around);
  const fault = isFault ? { code: endCode, at } : before;
  return to({ ...trailOf(connection), fault, ...next }, ...hangUp(connection, code));
}

function follow(connection: Attempting | Connected, error: HoldfastError, around: Surroundings): Next {
  const consequence = consequenceOf(error);
  if (consequence === 'fail') return { status: 'failed', error };
  if (consequence === 'needs-auth' || (consequence === 'renew-token' && !around.canRenewToken)) {
    return { status: 'needs-auth', error: error as AuthError };
  }
  const { now, isOffline, reconnect } = around;
  const isUp = connection.status === 'connected';
  const downSince = isUp ? now : connection.downSince;
  const attempt = isUp && now - connection.since >= reconnect.minUptimeMs ? 1 : connection.attempt + 1;
  const elapsedMs = now - downSince;
  const leftMs = reconnect.maxElapsedMs - elapsedMs;
  const gaveUp = (what: string): Next => {
    const text = `gave up after ${what}: ${error.message}`;
    return { status: 'failed', error: holdfastError('ERR_GAVE_UP', text, { cause: error }) };
  };
  if (attempt > reconnect.maxAttempts) return gaveUp(`${connection.attempt} attempts`);
  const delay = delayOf(connection, { attempt, elapsedMs, error }, around);
  if (delay === null) return gaveUp('a word of reconnect.policy');
  if (delay > leftMs) return gaveUp(`${Math.round(elapsedMs)} ms`);
  // Without a network an attempt is in vain; but what the platform says of it may be wrong.
  const isOrdered = retryAfterOf(error) !== undefined;
  const waitMs = isOffline && !isOrdered ? Math.max(delay, Math.min(reconnect.capMs, leftMs)) : delay;
  return {
    ...{ status: 'waiting', attempt, since: Math.floor(now), downSince, lastError: error },
    ...{
      retryAt: Math.floor(now) + waitMs,
      waitingFor: isOrdered ? 'server' : isOffline ? 'online' : 'timer',
    },
  };
}

interface Attempt {
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly error: HoldfastError;
}

/** The server's word wins; then the application's; then ours. */
function delayOf(
  { status, spreadMs }: Attempting | Connected,
  next: Attempt,
  { fraction, reconnect }: Surroundings,
): number | null {
  const { attempt, error } = next;
  // It was a connection that was lost, not an attempt that failed.
  const isUp = status === 'connected';
  // A token that ran out concerns this client alone. With a fresh one it is not the same attempt again, and refused
  // ones are counted; but nobody counts those that are let in and sent away.
  if (consequenceOf(error) === 'renew-token') return backoffDelay(reconnect, isUp ? attempt : 1, fraction);
  const retryAfterMs = retryAfterOf(error);
  const own = retryAfterMs === undefined ? reconnect.policy?.(next) : undefined;
  if (own !== undefined) return own;
  return delayBefore(reconnect, { attempt, spreadMs: isUp ? spreadMs : 0, retryAfterMs }, fraction);
}
