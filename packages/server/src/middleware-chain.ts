import { after } from './answer.js';
import type { Answer } from './ports/store.js';

/** What the application has to say, one after the other: whoever throws a `RejectError` refuses. */
export class MiddlewareChain<A extends readonly unknown[]> {
  readonly #call: string;
  readonly #all: ((...what: A) => unknown)[] = [];

  /** `call`: by which middleware is added, for errors. */
  constructor(call: string) {
    this.#call = call;
  }

  use(middleware: (...what: A) => unknown): void {
    if (typeof middleware !== 'function') {
      throw new TypeError(`${this.#call}(middleware) must be a function, not ${typeof middleware}`);
    }
    this.#all.push(middleware);
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Throws or rejects with what the first one does that refuses. */
  ask(...what: A): Answer<void> {
    return this.#from(0, what);
  }

  #from(index: number, what: A): Answer<void> {
    const middleware = this.#all[index];
    if (!middleware) return undefined;
    return after(middleware(...what) as Answer<unknown>, () => this.#from(index + 1, what));
  }
}
