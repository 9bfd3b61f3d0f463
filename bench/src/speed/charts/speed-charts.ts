import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Notes } from '../notes.js';
import { ratios } from '../ratios.js';
import type { System } from '../system.js';
import { OURS } from '../systems/index.js';
import { CONNECTION_COSTS, type Workload } from '../workloads.js';
import { svgOf } from './bar-chart.js';

/** A chart for each row of the table, by name of its file. */
export function speedCharts(
  figures: Notes<number>,
  systems: readonly System[],
  workloads: readonly Workload[],
): ReadonlyMap<string, string> {
  const [first] = systems;
  const charts = new Map<string, string>();
  for (const { key, chart: title, reach, better } of [...workloads, ...CONNECTION_COSTS]) {
    const base = figures.of(key, first?.key ?? '');
    const bars = systems.flatMap((system) => {
      const own = figures.of(key, system.key);
      if (own.length === 0) return [];
      return [{ label: system.key, ratio: ratios(own, base).median, isHighlighted: OURS.includes(system) }];
    });
    if (base.length > 0) charts.set(`${key}.svg`, svgOf({ title, bars, reach, better }));
  }
  return charts;
}

export function writeCharts(folder: string, charts: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of charts) writeFileSync(join(folder, name), svg);
}
