/** So many places of deleted ones are not worth clearing up. */
const FEW = 32;

/**
 * As a `Map` in the order of its keys, which are numbers, and nearly always rise from one to the next. Mostly the lowest
 * goes first, and often it is the only one: a `Map` makes a new table whenever its last entry goes, which for a lone
 * message took longer than its handler.
 */
export class ByNumber<V extends object> {
  /** Ascending; those before `#first` have been deleted. */
  #keys: number[] = [];
  /** Undefined: deleted. */
  #values: (V | undefined)[] = [];
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): V | undefined {
    return this.#values[this.#placeOf(key)];
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  set(key: number, value: V): void {
    const place = this.#placeOf(key);
    const known = place < 0 ? undefined : this.#values[place];
    if (known === undefined) this.#size++;
    if (place >= 0) this.#values[place] = value;
    else if (key < (this.#keys.at(-1) ?? -Infinity)) {
      this.#keys.splice(~place, 0, key);
      this.#values.splice(~place, 0, value);
    } else {
      this.#keys.push(key);
      this.#values.push(value);
    }
  }

  /** True if it was there. */
  delete(key: number): boolean {
    const place = this.#placeOf(key);
    if (place < 0 || this.#values[place] === undefined) return false;
    this.#values[place] = undefined;
    this.#size--;
    if (this.#size === 0) this.clear();
    else this.#clearUp(place);
    return true;
  }

  clear(): void {
    // What holds one at a time, as most do, keeps its place in memory for the next one.
    if (this.#keys.length === 1) {
      this.#keys.pop();
      this.#values.pop();
    } else {
      this.#keys.length = 0;
      this.#values.length = 0;
    }
    this.#first = 0;
    this.#size = 0;
  }

  /** In ascending order, until `visit` says true; it deletes nothing. Says whether one did. */
  some(visit: (value: V, key: number) => boolean): boolean {
    for (let place = this.#first; place < this.#keys.length; place++) {
      const value = this.#values[place];
      if (value !== undefined && visit(value, this.#keys[place] ?? 0)) return true;
    }
    return false;
  }

  /** In ascending order. What is deleted meanwhile is left out. */
  *entries(): Generator<readonly [key: number, value: V]> {
    // By key: places change when there is much to clear up.
    let last = -Infinity;
    for (let place = this.#first; place < this.#keys.length; place++) {
      const [key, value] = [this.#keys[place] ?? 0, this.#values[place]];
      if (key <= last || value === undefined) continue;
      last = key;
      yield [key, value];
      if (this.#keys[place] !== key) place = -1;
    }
  }

  [Symbol.iterator](): Generator<readonly [key: number, value: V]> {
    return this.entries();
  }

  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  *keys(): Generator<number> {
    for (const [key] of this.entries()) yield key;
  }

  /** Negative: it is not there, and would belong at the complement of that. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    let low = this.#first;
    if (keys[low] === key) return low;
    let high = keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = keys[middle] ?? 0;
      if (found === key) return middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return ~low;
  }

  #clearUp(place: number): void {
    if (place === this.#first) {
      while (this.#values[this.#first] === undefined) this.#first++;
    }
    if (this.#keys.length < FEW || this.#keys.length < 2 * this.#size) return;
    const kept = this.#keys.filter((_, at) => this.#values[at] !== undefined);
    this.#values = this.#values.filter((value) => value !== undefined);
    this.#keys = kept;
    this.#first = 0;
  }
}
