import { prefixOf } from '@holdfast/protocol';

/** The rooms of a session: all of them by their whole names, and those of each scope as that calls them. */
export class JoinedRooms {
  readonly all: ReadonlySet<string>;
  readonly #all = new Set<string>();
  readonly #byPrefix = new Map<string, Set<string>>();

  constructor() {
    this.all = this.#all;
  }

  /** Goes on saying what is so. Without the room of a namespace itself. */
  in(prefix: string): ReadonlySet<string> {
    return this.#of(prefix);
  }

  add(name: string): void {
    this.#all.add(name);
    const prefix = prefixOf(name);
    if (name !== prefix) this.#of(prefix).add(name.slice(prefix.length));
  }

  delete(name: string): void {
    this.#all.delete(name);
    const prefix = prefixOf(name);
    this.#byPrefix.get(prefix)?.delete(name.slice(prefix.length));
  }

  #of(prefix: string): Set<string> {
    const known = this.#byPrefix.get(prefix) ?? new Set();
    this.#byPrefix.set(prefix, known);
    return known;
  }
}
