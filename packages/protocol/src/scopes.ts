import { type AnyContract, type ContractSchemas, contractSchemas } from './contract.js';
import { checkNamespace, prefixOf } from './names.js';

/** Where names stand, and the contract of what is said there: a namespace, or, with an empty prefix, the client or server itself. */
export interface Scope {
  readonly prefix: string;
  readonly contract: AnyContract | undefined;
  /** By names as they are on the wire, with the prefix. */
  readonly schemas: ContractSchemas | undefined;
}

/** The namespaces of one client or server. */
export class Scopes {
  /** What is in no namespace. */
  readonly root: Scope;
  readonly #namespaces = new Map<string, Scope>();

  constructor(contract: AnyContract | undefined) {
    this.root = scopeOf('', contract);
  }

  /** Where this name stands; undefined for a namespace that nobody here knows. */
  of(name: string): Scope | undefined {
    const prefix = prefixOf(name);
    return prefix === '' ? this.root : this.#namespaces.get(prefix);
  }

  /**
   * The same scope for the same name. Throws a `TypeError` for what cannot name one, for a second contract, and for one that
   * comes late: what was said of the namespace before, such as who may enter it, would not count for it.
   */
  namespace(name: string, contract?: AnyContract): Scope {
    checkNamespace(name);
    const prefix = `${name}#`;
    const known = this.#namespaces.get(prefix);
    if (!known) {
      const scope = scopeOf(prefix, contract);
      this.#namespaces.set(prefix, scope);
      return scope;
    }
    if (contract === undefined || contract === known.contract) return known;
    const why = known.contract
      ? 'it has another contract already'
      : 'its contract is to be given the first time';
    throw new TypeError(`namespace('${name}'): ${why}`);
  }
}

function scopeOf(prefix: string, contract: AnyContract | undefined): Scope {
  if (contract === undefined) return { prefix, contract, schemas: undefined };
  const groups = Object.entries(contractSchemas(contract)).map(([group, schemas]) => [
    group,
    // Names alone need the prefix: versions and the schema of presence have none.
    schemas instanceof Map
      ? new Map(Array.from(schemas, ([name, schema]) => [prefix + name, schema]))
      : schemas,
  ]);
  return { prefix, contract, schemas: Object.fromEntries(groups) as ContractSchemas };
}
