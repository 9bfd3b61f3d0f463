/** What became of messages that flowed one way while connections were cut. */
export interface Recovery {
  readonly cuts: number;
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  /** From each cut to the first arrival of a message that was said after it, ms. */
  readonly recoveriesMs: readonly number[];
}

/** All times of the same clock. Nothing of a cut after which nothing that was said has arrived. */
export function recoveries(
  cutsAt: readonly number[],
  saidAt: readonly number[],
  heardAt: readonly (number | null)[],
): number[] {
  return cutsAt.flatMap((cutAt) => {
    const first = saidAt.reduce((least, said, index) => {
      const heard = heardAt[index] ?? Infinity;
      return said >= cutAt && heard < least ? heard : least;
    }, Infinity);
    return first === Infinity ? [] : [first - cutAt];
  });
}
