/**
 * In which incarnation each node of Redis is, as far as is known here: so a publication names the one in which it is tried first,
 * and nobody has to ask before each.
 */
export class Incarnations {
  readonly #known = new Map<string, string>();
  readonly #nodeOf: (key: string) => string;
  readonly #ask: (key: string) => Promise<string>;

  constructor(nodeOf: (key: string) => string, ask: (key: string) => Promise<string>) {
    this.#nodeOf = nodeOf;
    this.#ask = ask;
  }

  of(key: string): string | Promise<string> {
    const node = this.#nodeOf(key);
    return this.#known.get(node) ?? this.#asked(key, node);
  }

  /** It is over. By its name: which node had it, and which one has its keys by now, is known a moment later. */
  forget(incarnation: string): void {
    for (const [node, known] of this.#known) if (known === incarnation) this.#known.delete(node);
  }

  async #asked(key: string, node: string): Promise<string> {
    const incarnation = await this.#ask(key);
    this.#known.set(node, incarnation);
    return incarnation;
  }
}
