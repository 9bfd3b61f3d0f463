/** So many tokens a second, of which so many are saved up. Whoever owns it says what time it is; it may jump. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #level: number;
  #at = 0;

  /** Full at first. `perSecond` above 0, `burst` at least 1; both may be `Infinity`. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#level = burst;
  }

  /** How many there are, with parts of one; `now` in ms. */
  level(now: number): number {
    const earned = now > this.#at ? ((now - this.#at) / 1_000) * this.#perSecond : 0;
    this.#at = now;
    this.#level = this.#perSecond === Infinity ? this.#burst : Math.min(this.#burst, this.#level + earned);
    return this.#level;
  }

  /** False: there is none. */
  take(now: number): boolean {
    if (this.level(now) < 1) return false;
    this.#level--;
    return true;
  }

  /** In how many ms there would be so many, if nobody took any; also more than it holds. */
  msUntil(tokens: number, now: number): number {
    return Math.max(0, ((tokens - this.level(now)) / this.#perSecond) * 1_000);
  }

  isFull(now: number): boolean {
    return this.level(now) >= this.#burst;
  }
}

const FEW = 1_024;

/** A bucket for each key. Those that are full are as good as new, so they are forgotten. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, TokenBucket>();
  /** Looked through when there are so many: twice what was left of the last time, so each look pays for itself. */
  #lookAtSize = FEW;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Undefined: it is full. */
  known(key: string): TokenBucket | undefined {
    return this.#buckets.get(key);
  }

  of(key: string, now: number): TokenBucket {
    const known = this.#buckets.get(key);
    if (known) return known;
    if (this.#buckets.size >= this.#lookAtSize) this.#forget(now);
    const made = new TokenBucket(this.#perSecond, this.#burst);
    this.#buckets.set(key, made);
    return made;
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    this.#lookAtSize = Math.max(FEW, 2 * this.#buckets.size);
  }
}
