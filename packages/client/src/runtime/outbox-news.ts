import type { OutboxState } from '../types.js';
import type { Dispatcher } from './dispatcher.js';
import type { Exchange } from './exchange.js';

/** Tells what waits, when that has changed, and who waits for nothing to be open any more. */
export class OutboxNews {
  readonly #exchange: Exchange;
  readonly #dispatcher: Dispatcher;
  #told: OutboxState | undefined;
  readonly #flushed = new Set<() => void>();

  constructor(exchange: Exchange, dispatcher: Dispatcher) {
    this.#exchange = exchange;
    this.#dispatcher = dispatcher;
  }

  /** Calls `tell` when nothing is open any more, until the returned function is called. */
  whenFlushed(tell: () => void): () => void {
    this.#flushed.add(tell);
    return () => this.#flushed.delete(tell);
  }

  tell(isClosed: boolean): void {
    const { outbox, busy } = this.#exchange;
    if (outbox !== this.#told) {
      this.#told = outbox;
      this.#dispatcher.outbox(outbox);
    }
    if (this.#flushed.size === 0 || (!isClosed && busy)) return;
    for (const tell of this.#flushed) tell();
    this.#flushed.clear();
  }
}
