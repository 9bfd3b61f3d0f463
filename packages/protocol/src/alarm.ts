import type { Clock } from './ports.js';

/**
 * One timer for the nearest of many deadlines. It is only ever moved forward: when it rings too early, whoever set it
 * looks again. So a deadline that moves back with each message costs nothing.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: { readonly at: number; cancel(): void } | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `at` at the latest; `Infinity`: not at all. */
  set(at: number): void {
    if (at < Infinity && this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === Infinity) return;
    const delayMs = Math.max(0, at - this.#clock.now());
    const cancel = this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#ring();
    }, delayMs);
    this.#timer = { at, cancel };
  }
}
