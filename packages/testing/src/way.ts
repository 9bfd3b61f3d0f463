import type { Clock } from '@holdfast/client/ports';

/** One direction of one connection: a queue before a line of some speed, and then the way. */
export class Way {
  readonly #clock: Clock;
  readonly #arrive: (run: () => void) => void;
  /** When the line is free, and when the last message arrives: nothing overtakes. */
  #freeAt = -Infinity;
  #lastAt = -Infinity;
  #buffered = 0;

  /** `arrive` is given what is to happen at the other end. */
  constructor(clock: Clock, arrive: (run: () => void) => void) {
    this.#clock = clock;
    this.#arrive = arrive;
  }

  /** Bytes before the line. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /** `drained` is called when nothing stands before the line any more, unless it was free. */
  carry(bytes: number, bytesPerMs: number, latencyMs: number, run: () => void, drained?: () => void): void {
    const now = this.#clock.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / bytesPerMs;
    if (this.#freeAt > now && bytes > 0) {
      this.#buffered += bytes;
      this.#clock.setTimer(() => {
        this.#buffered -= bytes;
        if (this.#buffered === 0) drained?.();
      }, this.#freeAt - now);
    }
    this.#lastAt = Math.max(this.#lastAt, this.#freeAt + latencyMs);
    this.#clock.setTimer(() => this.#arrive(run), this.#lastAt - now);
  }
}
