/** The value at a share of them, 0 to 1, of the sorted; the nearest rank. 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** What was measured of one run. */
export interface Figures {
  /** That arrive at the 99, in a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, for each message that it has said to all. */
  readonly cpuMicros: number;
  readonly memoryMiB: number;
}

/** The same round without and with a stalled one. */
export interface Pair {
  readonly quick: Figures;
  readonly stalled: Figures;
}

export interface Comparison {
  readonly quick: number;
  readonly stalled: number;
  /** Median of what each round has compared, and the least and the most of them. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

export function compare(pairs: readonly Pair[], figure: keyof Figures): Comparison {
  const ratios = pairs.map(({ quick, stalled }) => stalled[figure] / quick[figure]);
  return {
    quick: median(pairs.map(({ quick }) => quick[figure])),
    stalled: median(pairs.map(({ stalled }) => stalled[figure])),
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
  };
}
