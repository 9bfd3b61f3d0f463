import type { Clock } from '@holdfast/client/ports';
import type { VirtualClock } from '@holdfast/testing';

const MOST_TIMERS_AT_ONCE = 20_000;

/**
 * A process: whatever happens in it happens through `run`. It can stand still (SIGSTOP, a frozen page, a sleeping
 * laptop) while the world's time goes on, and it can die.
 */
export class SimProcess implements Clock {
  readonly #clock: VirtualClock;
  #life: 'running' | 'paused' | 'dead' = 'running';
  readonly #held: (() => void)[] = [];
  #pausedSince = 0;
  #pauses: { readonly from: number; readonly to: number }[] = [];
  /** How many are set. */
  timers = 0;
  /** Timers of a hidden page come this late at least; ms. */
  throttleMs = 0;

  #timersNow = 0;
  #timersAt = 0;
  readonly #spins: () => void;

  /** `spins`: it sets timer after timer and time does not move; that is its end. */
  constructor(clock: VirtualClock, spins: () => void) {
    this.#clock = clock;
    this.#spins = spins;
  }

  get alive(): boolean {
    return this.#life !== 'dead';
  }

  get paused(): boolean {
    return this.#life === 'paused';
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(run: () => void, delayMs: number): () => void {
    this.#count();
    let state: 'set' | 'over' = 'set';
    const end = (): boolean => {
      if (state === 'over') return false;
      state = 'over';
      this.timers--;
      return true;
    };
    this.timers++;
    const fire = (): void =>
      this.run(() => {
        if (end()) run();
      });
    const cancel = this.#clock.setTimer(fire, Math.max(delayMs, this.throttleMs));
    return () => {
      if (end()) cancel();
    };
  }

  #count(): void {
    const now = this.now();
    this.#timersNow = now === this.#timersAt ? this.#timersNow + 1 : 0;
    this.#timersAt = now;
    if (this.#timersNow !== MOST_TIMERS_AT_ONCE) return;
    this.#spins();
    this.die();
  }

  defer(run: () => void): void {
    queueMicrotask(() => this.run(run));
  }

  /** Now, or when the process goes on, or never; in order. */
  run(what: () => void): void {
    if (this.#life === 'running' && this.#held.length === 0) what();
    else if (this.#life !== 'dead') this.#held.push(what);
  }

  pause(): void {
    if (this.#life !== 'running') return;
    this.#life = 'paused';
    this.#pausedSince = this.now();
  }

  resume(): void {
    if (this.#life !== 'paused') return;
    this.#life = 'running';
    this.#pauses.push({ from: this.#pausedSince, to: this.now() });
    this.#catchUp();
  }

  /** One task each, as a platform would. */
  #catchUp(): void {
    this.#clock.setTimer(() => {
      if (this.#life !== 'running') return;
      const [next] = this.#held;
      next?.();
      this.#held.shift();
      if (this.#held.length > 0) this.#catchUp();
    }, 0);
  }

  die(): void {
    this.#life = 'dead';
    this.#held.length = 0;
  }

  /** True if it stood still for so long after `since`. */
  stoodStill(ms: number, since: number): boolean {
    const now = this.now();
    const pauses = this.paused ? [...this.#pauses, { from: this.#pausedSince, to: now }] : this.#pauses;
    return pauses.some(({ from, to }) => to - Math.max(from, since) >= ms);
  }
}
