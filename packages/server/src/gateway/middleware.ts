import { after } from '../answer.js';
import type { Answer } from '../ports/store.js';
import type { EnteringSession, Handshake, Middleware } from '../types.js';

/** What the application has to say to whoever enters, one after the other. */
export class MiddlewareChain {
  readonly #all: Middleware[] = [];

  use(middleware: Middleware): void {
    if (typeof middleware !== 'function') {
      throw new TypeError(`use(middleware) must be a function, not ${typeof middleware}`);
    }
    this.#all.push(middleware);
  }

  /** Throws or rejects with what the first one does that does not let it in. */
  ask(session: EnteringSession, handshake: Handshake): Answer<void> {
    return this.#from(0, session, handshake);
  }

  #from(index: number, session: EnteringSession, handshake: Handshake): Answer<void> {
    const middleware = this.#all[index];
    if (!middleware) return undefined;
    return after(middleware(session, handshake) as Answer<unknown>, () =>
      this.#from(index + 1, session, handshake),
    );
  }
}
