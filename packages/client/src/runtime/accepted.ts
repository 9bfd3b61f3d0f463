import type { Message } from '../core/types.js';

/** Of a server that never says what it has handled, only the newest are remembered. */
const MAX_MESSAGES = 1_000;

/**
 * Events that the server has acknowledged and that are not known to have been handled: if the session ends before they
 * are, the application has to be told.
 */
export class Accepted {
  readonly #messages = new Map<number, Message>();
  /** What is handled is often told in the very frame that acknowledges it, and a frame's items come before its ack. */
  #upTo = 0;
  #above: readonly number[] = [];

  add(message: Message): void {
    if (this.#isHandled(message.seq)) return;
    this.#messages.set(message.seq, message);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MAX_MESSAGES && oldest !== undefined) this.#messages.delete(oldest);
  }

  /** It was refused after all. */
  take(seq: number): Message | undefined {
    const message = this.#messages.get(seq);
    this.#messages.delete(seq);
    return message;
  }

  /** These are settled for good. */
  handled(upTo: number, above: readonly number[]): void {
    this.#upTo = upTo;
    this.#above = above;
    for (const seq of this.#messages.keys()) if (this.#isHandled(seq)) this.#messages.delete(seq);
  }

  /** The session is over: what is left, in order. */
  drain(): Message[] {
    const left = [...this.#messages.values()];
    this.#messages.clear();
    this.handled(0, []);
    return left;
  }

  #isHandled(seq: number): boolean {
    return seq <= this.#upTo || this.#above.includes(seq);
  }
}
