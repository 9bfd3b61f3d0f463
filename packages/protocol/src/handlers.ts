import { checkName } from './contract.js';
import type { Listener } from './listeners.js';
import type { Unsubscribe } from './messages.js';

/** Who answers which request: one handler for each method. */
export class Handlers<H extends Listener> {
  readonly #known: ReadonlyMap<string, unknown> | undefined;
  readonly #call: string;
  readonly #byMethod = new Map<string, H>();

  /** `known`: the requests of the contract, where there is one. `call`: by which handlers are added, for errors. */
  constructor(known: ReadonlyMap<string, unknown> | undefined, call = 'handle') {
    this.#known = known;
    this.#call = call;
  }

  /** Throws a `TypeError` for a bad name, what is no function, what is not in the contract, and a second handler. */
  add(method: string, handler: H): Unsubscribe {
    checkName(method, `${this.#call}(method)`);
    const fail = (why: string): never => {
      throw new TypeError(`${this.#call}('${method}'): ${why}`);
    };
    if (typeof handler !== 'function') fail('a function is needed');
    if (this.#known && !this.#known.has(method)) fail('the contract has no such request');
    if (this.has(method)) fail('there is a handler already');
    this.#byMethod.set(method, handler);
    return () => {
      if (this.#byMethod.get(method) === handler) this.#byMethod.delete(method);
    };
  }

  has(method: string): boolean {
    return this.#byMethod.has(method);
  }

  get(method: string): H | undefined {
    return this.#byMethod.get(method);
  }

  clear(): void {
    this.#byMethod.clear();
  }
}
