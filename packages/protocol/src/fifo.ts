/**
 * A list that is filled at its end and emptied from its front: of a plain array, all that stay are moved up each time, which
 * for a thousand that wait takes longer than what is done with the few that go.
 */
export class Fifo<T> {
  /** Those before `#first` have been taken. */
  readonly #items: T[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  /** The one at the front is 0. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#first + index];
  }

  get last(): T | undefined {
    return this.at(this.length - 1);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first ones out. */
  take(count: number): T[] {
    const taken = this.#items.slice(this.#first, this.#first + count);
    this.#first += taken.length;
    // No more than wait are kept alive for nothing.
    if (2 * this.#first >= this.#items.length) this.#moveUp();
    return taken;
  }

  /** All of them. Who changes this array changes the list. */
  get items(): T[] {
    this.#moveUp();
    return this.#items;
  }

  #moveUp(): void {
    if (this.#first === 0) return;
    this.#items.splice(0, this.#first);
    this.#first = 0;
  }
}
