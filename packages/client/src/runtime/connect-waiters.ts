import { Deferred, holdfastError, type Sending } from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';

/** One call of `connect()`. */
export interface Waiter {
  readonly sending: Sending<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** Those who have called `connect()` and wait for what becomes of it. */
export class ConnectWaiters {
  readonly #waiters = new Set<Waiter>();

  /** `signal` ends the waiting, not the connecting. */
  make(signal: AbortSignal | undefined): Waiter {
    const waiter = new Deferred<void>('');
    const abort = (): void => waiter.reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    const done = (): void => {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
    };
    waiter.sending.then(done, done);
    return waiter;
  }

  /** From here on it is told: what was before its own attempt is not its business. */
  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  /** Tells them where the connection has come to. */
  settle(connection: Connection): void {
    for (const waiter of this.#waiters) {
      if (connection.status === 'connected') waiter.resolve();
      else if ('error' in connection) waiter.reject(connection.error);
      else if (connection.status === 'idle') {
        waiter.reject(holdfastError('ERR_CONNECTION_LOST', 'disconnect() was called'));
      } else if (connection.status === 'closed') {
        const details = { delivery: 'unsent', messageId: '' } as const;
        waiter.reject(holdfastError('ERR_CLOSED', `the client is closed: ${connection.reason}`, details));
      }
    }
  }
}
