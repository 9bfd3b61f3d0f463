import { NONE_HANDLED } from '../none-handled.js';
import type { Handled } from '../ports/store.js';

/**
 * So many numbers above the low mark are told, the newest: the older ones have been told before, as a rule. Who is not
 * told of one takes it for unknown, which is no lie.
 */
const TOLD_ABOVE = 1_000;

/**
 * Which of a client's numbers have been handled. One handler that takes its time holds the low mark while thousands
 * are handled above it, so they are kept as ranges: there are never more of them than there are unhandled messages.
 */
export class HandledMarks {
  #low = 0;
  /** Ascending; between two of them, and below the first, at least one number is missing. */
  readonly #above: [from: number, to: number][] = [];

  mark(seq: number): void {
    if (seq <= this.#low) return;
    if (seq === this.#low + 1 && this.#above.length === 0) {
      this.#low = seq;
      return;
    }
    // Nearly always at one of the ends: the oldest that was missing, or the newest of all.
    let index = this.#above.length;
    while (index > 0 && (this.#above[index - 1]?.[0] ?? 0) > seq) index--;
    const before = this.#above[index - 1];
    const after = this.#above[index];
    if (before && before[1] >= seq) return;
    const [from, to] = [before?.[1] === seq - 1, after?.[0] === seq + 1];
    if (before && after && from && to) {
      before[1] = after[1];
      this.#above.splice(index, 1);
    } else if (before && from) before[1] = seq;
    else if (after && to) after[0] = seq;
    else this.#above.splice(index, 0, [seq, seq]);
    this.#raise();
  }

  told(): Handled {
    if (this.#low === 0 && this.#above.length === 0) return NONE_HANDLED;
    const above: number[] = [];
    for (let index = this.#above.length - 1; index >= 0 && above.length < TOLD_ABOVE; index--) {
      const [from, to] = this.#above[index] ?? [0, -1];
      for (let seq = to; seq >= from && above.length < TOLD_ABOVE; seq--) above.push(seq);
    }
    return { low: this.#low, above: above.reverse() };
  }

  #raise(): void {
    const first = this.#above[0];
    if (first?.[0] !== this.#low + 1) return;
    this.#low = first[1];
    this.#above.shift();
  }
}
