import { type Clock, Deferred, type HoldfastError, holdfastError } from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';

/** How long somebody waits. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Limit extends Partial<Patience> {
  readonly clock?: Clock;
  /** What is said when the time is over. */
  readonly late?: HoldfastError;
}

/** Somebody who waits, and may have enough of it before it is over: `done` is called then, too. */
export function waiterOf(
  { signal, timeoutMs = Infinity, late, clock }: Limit,
  done: () => void,
): Deferred<void> {
  const waiter = new Deferred<void>('');
  const abort = (): void => waiter.reject(signal?.reason as Error);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const cancelTimer =
    timeoutMs < Infinity ? clock?.setTimer(() => waiter.reject(late as Error), timeoutMs) : undefined;
  const over = (): void => {
    cancelTimer?.();
    signal?.removeEventListener('abort', abort);
    done();
  };
  waiter.promise.then(over, over);
  return waiter;
}

/** Tells those who have called `connect()` where the connection has come to. */
export function tellWaiters(waiters: ReadonlySet<Deferred<void>>, connection: Connection): void {
  const error = endOf(connection);
  for (const waiter of waiters) {
    if (error) waiter.reject(error);
    else if (connection.status === 'connected') waiter.resolve();
  }
}

function endOf(connection: Connection): HoldfastError | undefined {
  if ('error' in connection) return connection.error;
  if (connection.status === 'idle') {
    return holdfastError('ERR_CONNECTION_LOST', 'disconnect() was called');
  }
  if (connection.status !== 'closed') return undefined;
  const details = { delivery: 'unsent', messageId: '' } as const;
  return holdfastError('ERR_CLOSED', `the client is closed: ${connection.reason}`, details);
}
