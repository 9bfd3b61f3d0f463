import { Tally } from '../tally.js';
import { wallMs } from '../wall-clock.js';
import type { Arrivals } from './questions.js';

/** Notes which numbers come, and when. */
export class ArrivalLog {
  readonly #tally = new Tally();
  readonly #heardAt: number[] = [];

  hear(number: number): void {
    this.#tally.hear(number);
    this.#heardAt[number - 1] ??= wallMs();
  }

  get heard(): number {
    return this.#tally.heard;
  }

  arrivals(): Arrivals {
    return {
      heardAt: Array.from(this.#heardAt, (at: number | undefined) => at ?? null),
      doubled: this.#tally.doubled,
    };
  }
}
