import type { Listener } from './listeners.js';
import type { Unsubscribe } from './messages.js';
import { checkName } from './names.js';
import type { Scope } from './scopes.js';

/** Who answers which request, by its name on the wire: one handler for each. */
export class Handlers<H extends Listener> extends Map<string, H> {
  readonly #call: string;
  readonly #group: 'requests' | 'serverRequests' | 'streams';

  /** `group`: of the contract. `call`: by which handlers are added, for errors. */
  constructor(group: 'requests' | 'serverRequests' | 'streams', call = 'handle') {
    super();
    this.#group = group;
    this.#call = call;
  }

  /** Throws a `TypeError` for a bad name, what is no function, what is not in the contract, and a second handler. */
  add(name: string, handler: H, { prefix, schemas }: Scope): Unsubscribe {
    checkName(name, `${this.#call}(method)`, prefix);
    const method = prefix + name;
    const isUnknown = schemas && !schemas[this.#group].has(method);
    if (typeof handler !== 'function' || isUnknown || this.has(method)) {
      const isThere = isUnknown ? 'the contract has no such request' : 'there is a handler already';
      const why = typeof handler === 'function' ? isThere : 'a function is needed';
      throw new TypeError(`${this.#call}('${name}'): ${why}`);
    }
    this.set(method, handler);
    return () => {
      if (this.get(method) === handler) this.delete(method);
    };
  }
}
