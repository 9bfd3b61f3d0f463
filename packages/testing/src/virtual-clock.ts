import type { Clock } from '@holdfast/client/ports';

interface Timer {
  readonly at: number;
  /** Timers of one moment fire in the order in which they were set. */
  readonly order: number;
  readonly run: () => void;
}

/**
 * Time that stands still until it is moved. Between two timers every promise that can settle does, so a run with the
 * same inputs is the same run.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** `startAt` in ms since 1970; default 2024-01-01. */
  constructor(startAt = Date.UTC(2024, 0, 1)) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  defer(run: () => void): void {
    queueMicrotask(run);
  }

  /** How many timers are set: 0 means that nothing will happen any more. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves time on, timer by timer; ms. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) await this.#fire(next);
    this.#now = end;
    await turn();
  }

  /** Runs what is due, without moving time. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  /**
   * Moves time on until `promise` settles, and gives its value. Rejects when `limitMs` have passed, or when no timer
   * is left that could settle it.
   */
  async until<V>(promise: PromiseLike<V>, limitMs = 600_000): Promise<V> {
    const end = this.#now + limitMs;
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await turn();
    while (!settled) {
      const next = this.#next();
      if (!next) throw new Error('until(): nothing is left that could settle the promise');
      if (next.at > end) throw new Error(`until(): not settled within ${limitMs} virtual ms`);
      await this.#fire(next);
    }
    return promise;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.run();
    await turn();
  }
}

/** Lets every promise that can settle do so: a task of the platform comes only after all microtasks. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
