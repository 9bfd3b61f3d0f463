import type { ServerSession } from '../types.js';

/** What handlers are given of one session, in each namespace of its own; made when the first one asks. */
export class SessionFacades<S> {
  readonly #session: S;
  readonly #around: { facade(session: S, prefix: string): ServerSession };
  #own: ServerSession | undefined;
  #others: Map<string, ServerSession> | undefined;

  constructor(session: S, around: { facade(session: S, prefix: string): ServerSession }) {
    this.#session = session;
    this.#around = around;
  }

  /** An empty prefix: in none. */
  in(prefix: string): ServerSession {
    if (prefix === '') {
      this.#own ??= this.#around.facade(this.#session, prefix);
      return this.#own;
    }
    this.#others ??= new Map();
    const facade = this.#others.get(prefix) ?? this.#around.facade(this.#session, prefix);
    this.#others.set(prefix, facade);
    return facade;
  }
}
