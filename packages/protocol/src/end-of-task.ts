import type { Clock } from './ports.js';

/** What is written at the end of a task. An interface, not a function: each connection has one. */
export interface Flushed {
  flush(): void;
}

/**
 * Flushes once at the end of a task, however often that is asked for: what one task says shares frames. A task counts as
 * over after a microtask in which nobody has asked: by then, whoever awaits what was said has called its `then` (ECMA-262,
 * 27.2.2.2).
 */
export class EndOfTask {
  readonly #clock: Pick<Clock, 'defer'>;
  readonly #flushed: Flushed;
  #asked = 0;

  constructor(clock: Pick<Clock, 'defer'>, flushed: Flushed) {
    this.#clock = clock;
    this.#flushed = flushed;
  }

  /** How often it was asked for since the last flush. */
  get asked(): number {
    return this.#asked;
  }

  ask(): void {
    if (this.#asked++ === 0) this.#wait();
  }

  #wait(): void {
    this.#clock.defer(() => {
      const before = this.#asked;
      this.#clock.defer(() => {
        if (this.#asked > before) return this.#wait();
        this.#asked = 0;
        this.#flushed.flush();
      });
    });
  }
}
