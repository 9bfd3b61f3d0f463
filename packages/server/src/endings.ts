import { type Clock, isPromiseLike } from '@holdfast/protocol';
import { after, type InOrder } from './answer.js';
import type { Answer } from './ports/store.js';
import type { Session } from './session.js';

/** So long what was said before has to be written: nobody stays by not reading, nor because a store does not answer. */
const LAST_WORDS_MS = 1_000;

/** Sessions that the application is ending: what was said to each before has its time. */
export class Endings {
  readonly #clock: Clock;
  readonly #lookups: Pick<InOrder, 'begun'>;
  readonly #underWay = new Set<Promise<void>>();

  /** `lookups`: what was said before to whoever has to be looked up first. */
  constructor(clock: Clock, lookups: Pick<InOrder, 'begun'>) {
    this.#clock = clock;
    this.#lookups = lookups;
  }

  /** When what was said to it before is written, or has had its time. */
  patiently(session: Session | undefined): Answer<void> {
    const kept = after(this.#lookups.begun(), () => session?.turns.over());
    const written = after(kept, () => session?.attachment?.written());
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
