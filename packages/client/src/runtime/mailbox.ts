export interface MailboxSurroundings {
  /** An event has been worked on, or failed half-way: listeners may be told. Never throws. */
  worked(): void;
  /** An event threw. Never throws itself. */
  failed(fault: unknown): void;
  /** Nothing waits any more. */
  empty(): void;
}

/** One event at a time: what comes while one is being worked on waits behind it. */
export class Mailbox {
  readonly #around: MailboxSurroundings;
  /** That which is being worked on, and those behind it. */
  readonly #events: (() => void)[] = [];

  constructor(around: MailboxSurroundings) {
    this.#around = around;
  }

  post(event: () => void): void {
    if (this.#events.push(event) === 1) this.#work();
  }

  /** Does what the application has called for before it returns. What that raises comes behind it, not into it. */
  atOnce<Result>(act: () => Result): Result {
    if (this.#events.length > 0) return act();
    this.#events.push(() => undefined);
    try {
      return act();
    } finally {
      this.#events.shift();
      if (this.#events.length > 0) this.#work();
    }
  }

  #work(): void {
    for (let next = this.#events[0]; next; next = this.#events[0]) {
      try {
        next();
      } catch (fault) {
        this.#around.failed(fault);
      }
      this.#around.worked();
      this.#events.shift();
    }
    this.#around.empty();
  }
}
