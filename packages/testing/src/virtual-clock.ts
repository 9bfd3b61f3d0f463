import type { Clock } from '@holdfast/client/ports';

interface Timer {
  readonly at: number;
  /** Timers of one moment fire in the order in which they were set. */
  readonly order: number;
  /** Undefined once it has fired or was cancelled. */
  run: (() => void) | undefined;
}

/**
 * Time that stands still until it is moved. Between two timers every promise that can settle does, so a run with the
 * same inputs is the same run.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  /** A binary heap, the next one first; cancelled ones lie in it until they come up. */
  readonly #heap: Timer[] = [];
  #set = 0;

  /** `startAt` in ms since 1970; default 2024-01-01. */
  constructor(startAt = Date.UTC(2024, 0, 1)) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(timer);
    this.#set++;
    return () => this.#cancel(timer);
  }

  defer(run: () => void): void {
    queueMicrotask(run);
  }

  /** How many timers are set: 0 means that nothing will happen any more. */
  get timers(): number {
    return this.#set;
  }

  /** Moves time on, timer by timer; ms. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) await this.#fire(next);
    this.#now = end;
    await turn();
  }

  /**
   * Moves time on to the next timer that is due by `end`, ms since 1970, and fires it; without one, to `end`, and
   * returns false. For those who have their own way of letting promises settle in between.
   */
  fireNext(end: number): boolean {
    const next = this.#next();
    if (!next || next.at > end) {
      this.#now = Math.max(this.#now, end);
      return false;
    }
    this.#run(next);
    return true;
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

  #cancel(timer: Timer): void {
    if (!timer.run) return;
    timer.run = undefined;
    this.#set--;
  }

  #run(timer: Timer): void {
    const { run } = timer;
    this.#cancel(timer);
    this.#now = Math.max(this.#now, timer.at);
    run?.();
  }

  async #fire(timer: Timer): Promise<void> {
    this.#run(timer);
    await turn();
  }

  /** The next timer; it stays where it is until it has fired. */
  #next(): Timer | undefined {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (first.run) return first;
      this.#pop();
    }
    return undefined;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    for (let parent = (index - 1) >> 1; index > 0; parent = (index - 1) >> 1) {
      const above = heap[parent] as Timer;
      if (isBefore(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  /** Takes the first one out. */
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let child = heap[left];
      if (!child) break;
      const other = heap[right];
      const below = other && isBefore(other, child) ? right : left;
      child = heap[below] as Timer;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Lets every promise that can settle do so: a task of the platform comes only after all microtasks. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
