import { ByNumber } from '@holdfast/protocol';
import type { Message } from '../core/types.js';

/** Of a server that never says what it has handled, only the newest are remembered. */
const MAX_MESSAGES = 1_000;

/**
 * Events that the server has acknowledged and that are not known to have been handled: if the session ends before they
 * are, the application has to be told.
 */
export class Accepted {
  readonly #messages = new ByNumber<Message>();

  add(message: Message): void {
    this.#messages.set(message.seq, message);
    if (this.#messages.size <= MAX_MESSAGES) return;
    const [oldest] = this.#messages.keys();
    if (oldest !== undefined) this.#messages.delete(oldest);
  }

  /** It was refused after all. */
  take(seq: number): Message | undefined {
    const message = this.#messages.get(seq);
    this.#messages.delete(seq);
    return message;
  }

  /** These are settled for good. */
  handled(upTo: number, above: readonly number[]): void {
    for (const seq of this.#messages.keys()) {
      if (seq <= upTo || above.includes(seq)) this.#messages.delete(seq);
    }
  }

  /** The session is over: what is left, in order. */
  drain(): Message[] {
    const left = [...this.#messages.values()];
    this.#messages.clear();
    return left;
  }
}
