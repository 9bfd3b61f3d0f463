import { Alarm, type Clock } from '@holdfast/protocol';

/** Somebody with a deadline. What stands here belongs to the `Deadlines` that it has been given to. */
export interface Due {
  dueAt: number;
  /** Where it stands in the heap; below 0: it is not there. */
  heapIndex: number;
  ring(): void;
}

/**
 * An alarm for each of thousands, with one timer for all: a timer of its own would take half a kilobyte, as much as all else
 * that watches a connection. As with `Alarm`, a deadline is only ever moved forward: who is rung too early looks again.
 */
export class Deadlines {
  /** A binary heap: the one at `i` is due no later than those at `2i + 1` and `2i + 2`, so the first is due first. */
  readonly #heap: Due[] = [];
  readonly #clock: Clock;
  readonly #alarm: Alarm;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.#ring());
  }

  /** Rings at `at` at the latest; `Infinity`: not at all. */
  set(due: Due, at: number): void {
    if (at === Infinity) return this.#remove(due);
    if (due.heapIndex >= 0 && due.dueAt <= at) return;
    due.dueAt = at;
    if (due.heapIndex < 0) due.heapIndex = this.#heap.push(due) - 1;
    this.#rise(due);
    if (due.heapIndex === 0) this.#alarm.set(at);
  }

  #ring(): void {
    const now = this.#clock.now();
    try {
      // Who is due again at once is so in another task: nobody keeps all others waiting.
      for (let left = this.#heap.length; left > 0; left--) {
        const [first] = this.#heap;
        if (!first || first.dueAt > now) break;
        this.#remove(first);
        first.ring();
      }
    } finally {
      // Also if one of them has thrown.
      const [next] = this.#heap;
      if (next) this.#alarm.set(next.dueAt);
    }
  }

  #remove(due: Due): void {
    const { heapIndex } = due;
    if (heapIndex < 0) return;
    due.heapIndex = -1;
    const last = this.#heap.pop();
    if (last && last !== due) {
      this.#put(last, heapIndex);
      this.#rise(last);
      this.#sink(last);
    }
    if (this.#heap.length === 0) this.#alarm.set(Infinity);
  }

  #put(due: Due, heapIndex: number): void {
    this.#heap[heapIndex] = due;
    due.heapIndex = heapIndex;
  }

  #rise(due: Due): void {
    for (;;) {
      const { heapIndex } = due;
      const above = heapIndex > 0 ? this.#heap[(heapIndex - 1) >> 1] : undefined;
      if (!above || above.dueAt <= due.dueAt) return;
      this.#put(due, above.heapIndex);
      this.#put(above, heapIndex);
    }
  }

  #sink(due: Due): void {
    for (;;) {
      const { heapIndex } = due;
      const [left, right] = [this.#heap[2 * heapIndex + 1], this.#heap[2 * heapIndex + 2]];
      const below = left && right && right.dueAt < left.dueAt ? right : left;
      if (!below || below.dueAt >= due.dueAt) return;
      this.#put(due, below.heapIndex);
      this.#put(below, heapIndex);
    }
  }
}
