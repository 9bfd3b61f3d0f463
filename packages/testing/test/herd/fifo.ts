const FIELDS = 3;

/** Attempts in the order in which they came, in one array of numbers: a herd makes millions of them. */
export class Fifo {
  #entries = new Float64Array(FIELDS * 1_024);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(client: number, attempt: number, at: number): void {
    if ((this.#size + 1) * FIELDS > this.#entries.length) this.#grow();
    const index = (this.#head + this.#size * FIELDS) % this.#entries.length;
    this.#entries[index] = client;
    this.#entries[index + 1] = attempt;
    this.#entries[index + 2] = at;
    this.#size++;
  }

  /** Of the first one; `Infinity` if there is none. */
  get at(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#entries[this.#head + 2] ?? 0);
  }

  get client(): number {
    return this.#entries[this.#head] ?? 0;
  }

  get attempt(): number {
    return this.#entries[this.#head + 1] ?? 0;
  }

  shift(): void {
    this.#head = (this.#head + FIELDS) % this.#entries.length;
    this.#size--;
  }

  #grow(): void {
    const entries = new Float64Array(this.#entries.length * 2);
    entries.set(this.#entries.subarray(this.#head));
    entries.set(this.#entries.subarray(0, this.#head), this.#entries.length - this.#head);
    this.#entries = entries;
    this.#head = 0;
  }
}
