import type { Direction } from '@holdfast/testing';
import type { SimProcess } from './sim-process.js';

/** Silence of 1.25 heartbeats of 20 s, and 5 s for the answer to a ping; timers of a hidden page are late by two more. */
const NOTICED_WITHIN_MS = 1.25 * 20_000 + 5_000 + 2_000;

/** Since when nothing has come to a client that is awake: it has to notice. */
export class Hearing {
  readonly #process: SimProcess;
  #line: 'open' | 'silent' = 'open';
  #since = Infinity;

  constructor(process: SimProcess) {
    this.#process = process;
  }

  frozen(direction: Direction | 'both'): void {
    if (direction === 'up' || this.#line === 'silent') return;
    this.#line = 'silent';
    this.awake();
  }

  healed(): void {
    this.#line = 'open';
    this.#since = Infinity;
  }

  /** Time that it slept through does not count. */
  awake(): void {
    this.#since = this.#line === 'silent' && !this.#process.paused ? this.#process.now() : Infinity;
  }

  /** True if whoever is connected since then must have noticed by now that nothing comes. */
  mustKnow(connectedSince: number): boolean {
    const silentSince = Math.max(this.#since, connectedSince);
    return !this.#process.paused && this.#process.now() - silentSince > NOTICED_WITHIN_MS;
  }
}
