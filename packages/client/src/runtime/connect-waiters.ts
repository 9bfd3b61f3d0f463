import { defer, holdfastError, type Sending } from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Those who have called `connect()` and wait for what becomes of it. */
export class ConnectWaiters {
  readonly #waiters = new Set<Waiter>();

  /** `signal` ends the waiting, not the connecting. */
  add(signal: AbortSignal | undefined): Sending<void> {
    const { sending, resolve, reject } = defer<void>('');
    const waiter = { resolve, reject };
    const abort = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) {
      abort();
      return sending;
    }
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    const done = (): void => {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
    };
    sending.then(done, done);
    return sending;
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
