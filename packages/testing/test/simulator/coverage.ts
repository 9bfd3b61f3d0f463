/** How often what is interesting has happened: a run that meets nothing proves nothing. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  add(event: string, times = 1): void {
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + times);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  toJSON(): { [event: string]: number } {
    return Object.fromEntries(this.#counts);
  }
}
