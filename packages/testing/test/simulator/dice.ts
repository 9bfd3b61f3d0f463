import { seededRandom } from '@holdfast/testing';

/** All chance of a run comes from here: the same seed throws the same dice. */
export class Dice {
  readonly #random: ReturnType<typeof seededRandom>;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From 0 to below `sides`, whole. */
  roll(sides: number): number {
    return Math.floor(this.#random.fraction() * sides);
  }

  /** From `least` to `most`, whole. */
  between(least: number, most: number): number {
    return least + this.roll(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.#random.fraction() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)] as T;
  }

  /** One of the names, as often as its weight says. */
  weighted<N extends string>(weights: { readonly [name in N]: number }): N {
    const entries = Object.entries(weights) as [N, number][];
    let left = this.#random.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries[0] as [N, number])[0];
  }
}
