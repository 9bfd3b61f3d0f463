import { markdownTable } from '../markdown.js';
import { compare, type Figures, type Pair } from './figures.js';

const rows: readonly (readonly [title: string, figure: keyof Figures, digits: number])[] = [
  ['messages a second at the 99', 'perSecond', 0],
  ['latency, median, ms', 'p50Ms', 2],
  ['latency, 99th percentile, ms', 'p99Ms', 2],
  ["the server's processor for each message to all, µs", 'cpuMicros', 0],
  ["the server's memory, MiB", 'memoryMiB', 1],
];

export function tableOf(name: string, second: string, pairs: readonly Pair[]): string {
  const head = [name, '100 quick', second, 'ratio', 'in the rounds'];
  const body = rows.map(([title, figure, digits]) => {
    const { quick, stalled, ratio, least, most } = compare(pairs, figure);
    const shown = (value: number): string =>
      value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    const spread = `${least.toFixed(2)} to ${most.toFixed(2)}`;
    return [title, shown(quick), shown(stalled), ratio.toFixed(2), spread];
  });
  return markdownTable(head, body);
}
