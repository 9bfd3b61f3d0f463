import { type DeliveryError, holdfastError, isPromiseLike } from '@holdfast/protocol';
import type { Answer } from '../ports/store.js';

/** Some 10 kB each while it is asked for again and again. */
const MOST_WAITING = 5_000;

/** What the application has sent to others and the store has not taken yet: while that is in trouble, no more than there is room for. */
export class Backlog {
  readonly #health: { readonly degraded: boolean };
  #waiting = 0;

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
}
