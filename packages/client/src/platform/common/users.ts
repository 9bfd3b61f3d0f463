/** What to do when a user comes, and one task after the last has gone. */
interface Use {
  /** Nothing if it has begun. What was refused or ended under those who are there is asked for anew by who comes. */
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
    counts.set(name, (counts.get(name) ?? 0) + 1);
    begin();
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
