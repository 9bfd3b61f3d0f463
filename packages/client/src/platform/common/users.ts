/** What to do when the first user comes, and one task after the last has gone. */
interface Use {
  begin(): void;
  end(): void;
}

/**
 * Counts who uses what, by object and name. A component that React unmounts and mounts again at once, as StrictMode does to
 * each, does not end anything: that happens a task later, if nobody has come by then.
 */
export class Users {
  readonly #counts = new WeakMap<object, Map<string, number>>();

  /** Ends when the returned function is called. */
  add(of: object, name: string, { begin, end }: Use): () => void {
    const counts = this.#counts.get(of) ?? new Map<string, number>();
    this.#counts.set(of, counts);
    const before = counts.get(name);
    counts.set(name, (before ?? 0) + 1);
    // Where there were none, but a moment ago, it goes on.
    if (before === undefined) begin();
    return () => {
      counts.set(name, (counts.get(name) ?? 0) - 1);
      setTimeout(() => {
        if (counts.get(name) !== 0) return;
        counts.delete(name);
        end();
      });
    };
  }
}
