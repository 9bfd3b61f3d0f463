import type { Listener } from './listeners.js';
import type { Unsubscribe } from './messages.js';
import { checkName } from './names.js';
import type { Scope } from './scopes.js';

/** Who answers which request: one handler for each method. */
export class Handlers<H extends Listener> {
  readonly #call: string;
  readonly #group: 'requests' | 'serverRequests' | 'streams';
  readonly #byMethod = new Map<string, H>();

  /** `group`: of the contract. `call`: by which handlers are added, for errors. */
  constructor(group: 'requests' | 'serverRequests' | 'streams', call = 'handle') {
    this.#group = group;
    this.#call = call;
  }

  /** Throws a `TypeError` for a bad name, what is no function, what is not in the contract, and a second handler. */
  add(name: string, handler: H, { prefix, schemas }: Scope): Unsubscribe {
    checkName(name, `${this.#call}(method)`, prefix);
    const method = prefix + name;
    const fail = (why: string): never => {
      throw new TypeError(`${this.#call}('${name}'): ${why}`);
    };
    if (typeof handler !== 'function') fail('a function is needed');
    if (schemas && !schemas[this.#group].has(method)) fail('the contract has no such request');
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
