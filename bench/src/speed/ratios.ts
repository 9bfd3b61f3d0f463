import { median } from '../slow/figures.js';

export interface Ratios {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of the rounds, each compared with the first system in the same round. */
export function ratios(figures: readonly number[], first: readonly number[]): Ratios {
  const each = figures.map((figure, round) => figure / (first[round] ?? figure));
  return { median: median(each), least: Math.min(...each), most: Math.max(...each) };
}
