import { Deferred, type DeliveryError, holdfastError, isPromiseLike } from '@holdfast/protocol';
import type { Answer } from '../ports/store.js';

/** Some 10 kB each while it is asked for again and again. */
const MOST_WAITING = 5_000;

/** What the application has sent to others and the store has not taken yet: while that is in trouble, no more than there is room for. */
export class Backlog {
  readonly #health: { readonly degraded: boolean };
  #waiting = 0;
  /** Who has to be told when nobody answers any more; undefined: nobody does. */
  #unanswered: Set<() => void> | undefined = new Set();

  constructor(health: { readonly degraded: boolean }) {
    this.#health = health;
  }

  /** Undefined: there is room. */
  refusal(messageId: string): DeliveryError | undefined {
    if (this.#waiting < MOST_WAITING || !this.#health.degraded) return undefined;
    const text = `${MOST_WAITING} messages wait already for a store that fails or is slow`;
    return holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId });
  }

  /** It waits until this is answered. */
  holds<T>(answer: Answer<T>): Answer<T> {
    if (!isPromiseLike(answer)) return answer;
    this.#waiting++;
    const over = (): void => {
      this.#waiting--;
    };
    answer.then(over, over);
    return answer;
  }

  /** The same, or `ERR_CLOSED` where the server closes before it is there: then it is asked for no more. */
  orClosed<T>(answer: PromiseLike<T>, messageId = ''): Promise<T> {
    const deferred = new Deferred<T>(messageId);
    const { promise } = deferred;
    const close = (): void => {
      // Who does not look at it does not want to know.
      promise.catch(() => undefined);
      const text = 'the server was closed, and its store had not answered';
      deferred.reject(holdfastError('ERR_CLOSED', text, { delivery: 'unknown', messageId }));
    };
    const unanswered = this.#unanswered;
    unanswered?.add(close);
    const over = (): void => void unanswered?.delete(close);
    answer.then(over, over);
    answer.then(
      (value) => deferred.resolve(value),
      (error: Error) => deferred.reject(error),
    );
    if (!unanswered) close();
    return promise;
  }

  /** No store answers any more. */
  close(): void {
    const unanswered = this.#unanswered ?? [];
    this.#unanswered = undefined;
    for (const close of unanswered) close();
  }
}
