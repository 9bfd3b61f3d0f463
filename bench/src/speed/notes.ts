/** What was measured, by row and system: one value for each round; none of what a system cannot do. */
export class Notes<T> {
  readonly #rows = new Map<string, Map<string, T[]>>();

  add(row: string, system: string, value: T): void {
    const bySystem = this.#rows.get(row) ?? new Map<string, T[]>();
    this.#rows.set(row, bySystem.set(system, [...(bySystem.get(system) ?? []), value]));
  }

  of(row: string, system: string): readonly T[] {
    return this.#rows.get(row)?.get(system) ?? [];
  }
}
