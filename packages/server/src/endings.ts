import { type Clock, isPromiseLike } from '@holdfast/protocol';
import type { Answer } from './ports/store.js';
import type { Session } from './session.js';

/** Who is sent away does not stay by not reading, nor because a store does not answer. */
const LAST_WORDS_MS = 1_000;

/** Sessions that the application is ending: what was said to each before has its time. */
export class Endings {
  readonly #clock: Clock;
  readonly #underWay = new Set<Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When that is written, or has had its time. */
  patiently(written: Answer<void>): Answer<void> {
    if (isPromiseLike(written)) return this.#within(written);
  }

  /** The store is being told, or will be; its note of that may come later than its answer. */
  begun(session: Session | undefined, answered: Promise<void>): void {
    const heard = new Promise<void>((resolve) => {
      if (!session || session.ended) resolve();
      else session.aborter.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const over = this.#within(Promise.allSettled([answered, heard])).then(() => {
      this.#underWay.delete(over);
    });
    this.#underWay.add(over);
  }

  /** When those that have begun are over. */
  over(): Answer<void> {
    if (this.#underWay.size > 0) return Promise.all(this.#underWay).then(() => undefined);
  }

  #within(awaited: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(resolve, LAST_WORDS_MS);
      const over = (): void => {
        cancel();
        resolve();
      };
      awaited.then(over, over);
    });
  }
}
