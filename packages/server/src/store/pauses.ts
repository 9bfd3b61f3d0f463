import type { Clock, Random } from '@holdfast/protocol';

/** Waiting before something is tried again; all of it may be cut short at once. */
export class Pauses {
  readonly #clock: Clock;
  readonly #random: Pick<Random, 'fraction'>;
  readonly #waiting = new Set<{ readonly cancel: () => void; readonly cutShort: (() => void) | undefined }>();
  #stage: 'open' | 'stopped' = 'open';

  constructor(clock: Clock, random: Pick<Random, 'fraction'>) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Half of `ms` to all of it: servers that share a store must not come back to it all at once. For ever, if it was stopped. */
  wait(ms: number, mayBeCutShort: boolean): Promise<'over' | 'cut short'> {
    return new Promise((resolve) => {
      if (this.#stage === 'stopped') return;
      const end = (how: 'over' | 'cut short'): void => {
        this.#waiting.delete(one);
        resolve(how);
      };
      const cancel = this.#clock.setTimer(() => end('over'), ms * (0.5 + this.#random.fraction() / 2));
      const cutShort = (): void => {
        cancel();
        end('cut short');
      };
      const one = { cancel, cutShort: mayBeCutShort ? cutShort : undefined };
      this.#waiting.add(one);
    });
  }

  /** The oldest first. */
  cutShort(): void {
    for (const { cutShort } of [...this.#waiting]) cutShort?.();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stage = 'stopped';
    for (const { cancel } of this.#waiting) cancel();
    this.#waiting.clear();
  }
}
