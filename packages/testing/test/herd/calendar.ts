const NOBODY = -1;

/**
 * When whom is to be looked at: a list for each millisecond, its links in one array. Each client stands in it once at
 * most, so a million of them need nothing but two arrays of numbers.
 */
export class Calendar {
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  constructor(clients: number, lengthMs: number) {
    this.#first = new Int32Array(lengthMs).fill(NOBODY);
    this.#next = new Int32Array(clients);
  }

  /** `at`: whole ms. What is beyond the end does not happen any more. */
  add(client: number, at: number): void {
    if (at >= this.#first.length) return;
    this.#next[client] = this.#first[at] ?? NOBODY;
    this.#first[at] = client;
  }

  /** Takes out all of this millisecond; they may be added anew meanwhile, to later ones. */
  take(at: number, visit: (client: number) => void): void {
    let client = this.#first[at] ?? NOBODY;
    this.#first[at] = NOBODY;
    while (client !== NOBODY) {
      // Read first: the visit may set it.
      const next = this.#next[client] ?? NOBODY;
      visit(client);
      client = next;
    }
  }
}
