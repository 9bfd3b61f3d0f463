import { markdownTable } from '../markdown.js';
import { median } from '../slow/figures.js';
import { versionOf } from '../versions.js';
import type { Cpu } from './contest.js';
import type { Notes } from './notes.js';
import { ratios } from './ratios.js';
import type { Recovery } from './recoveries.js';
import type { System } from './system.js';
import { CONNECTION_COSTS, type Workload } from './workloads.js';

export const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

const NOTHING = '–';

/** The figure of the first system; of the others, the ratio to it, with its spread over the rounds. */
export function speedTable(
  figures: Notes<number>,
  systems: readonly System[],
  workloads: readonly Workload[],
): string {
  const [first] = systems;
  const rows = [...workloads, ...CONNECTION_COSTS].flatMap(({ key, title, reach, better }) => {
    const base = figures.of(key, first?.key ?? '');
    const cells = systems.map((system, place) => {
      const own = figures.of(key, system.key);
      if (own.length === 0) return NOTHING;
      if (place === 0) return shown(median(base));
      const { median: ratio, least, most } = ratios(own, base);
      const spread = own.length > 1 ? ` (${least.toFixed(2)}–${most.toFixed(2)})` : '';
      return `${ratio.toFixed(2)}${spread}`;
    });
    if (cells.every((cell) => cell === NOTHING)) return [];
    return [[title, ...cells, reach === undefined ? '' : `${better === 'more' ? '≥' : '≤'} ${reach}`]];
  });
  return markdownTable(['', ...systems.map(({ key }) => key), 'reach'], rows);
}

/** Server and client, median of the rounds. µs of a message are seconds of a million. */
export function cpuTable(
  cpu: Notes<Cpu>,
  systems: readonly System[],
  workloads: readonly Workload[],
): string {
  const rows = workloads.map(({ key, title }) => {
    const cells = systems.map((system) => {
      const all = cpu.of(key, system.key);
      if (all.length === 0) return NOTHING;
      const side = (of: keyof Cpu): string => shown(median(all.map((one) => one[of])));
      return `${side('server')} + ${side('client')}`;
    });
    return [title, ...cells];
  });
  return markdownTable(['processor, s: server + client', ...systems.map(({ key }) => key)], rows);
}

export function recoveryTable(recoveries: ReadonlyMap<string, Recovery>, systems: readonly System[]): string {
  const rows = systems.map(({ key }) => {
    const found = recoveries.get(key);
    if (!found) return [key, NOTHING, NOTHING, NOTHING, NOTHING];
    const counts = [found.sent, found.lost, found.doubled].map((count) => count.toLocaleString('en'));
    return [key, ...counts, found.recoveriesMs.length === 0 ? NOTHING : shown(median(found.recoveriesMs))];
  });
  const head = ['', 'sent', 'lost', 'doubled', 'from a cut to the first message after it, median, ms'];
  return markdownTable(head, rows);
}

const modules = new URL('../../node_modules/', import.meta.url);

/** What each system is, and what it has nothing for. */
export function legend(systems: readonly System[]): string {
  return systems
    .map(({ key, packages, how, cannot = {} }) => {
      const versions = packages.map((name) => `${name} ${versionOf(name, modules)}`).join(', ');
      const lacks = Object.entries(cannot).map(([ability, why]) => ` No ${ability}: ${why}.`);
      return `- ${key} (${versions}): ${how}.${lacks.join('')}`;
    })
    .join('\n');
}
