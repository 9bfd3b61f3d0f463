import { median } from '../slow/figures.js';
import { type Measured, ratios, rowsOf } from './run.js';
import type { System } from './system.js';
import type { Workload } from './workloads.js';

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

/** The figure of the first system; of the others, the ratio to it, with its spread over the rounds. */
export function tableOf(
  measured: Measured,
  systems: readonly System[],
  workloads: readonly Workload[],
): string {
  const [first] = systems;
  const head = ['', ...systems.map(({ key }) => key), 'reach'];
  const rows = rowsOf(workloads).map(({ key, title, reach, better }) => {
    const figures = (system: System | undefined) => measured.get(key)?.get(system?.key ?? '') ?? [];
    const base = figures(first);
    const cells = systems.map((system, place) => {
      if (figures(system).length === 0) return '–';
      if (place === 0) return shown(median(base));
      const { median: ratio, least, most } = ratios(figures(system), base);
      const spread = base.length > 1 ? ` (${least.toFixed(2)}–${most.toFixed(2)})` : '';
      return `${ratio.toFixed(2)}${spread}`;
    });
    return line([title, ...cells, `${better === 'more' ? '≥' : '≤'} ${reach}`]);
  });
  return [line(head), line(['---', ...systems.map(() => '---:'), '---:']), ...rows].join('\n');
}
