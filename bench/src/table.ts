import type { Contestant } from './contestants/contestant.js';
import { markdownTable } from './markdown.js';
import type { Result, Way } from './run.js';
import { versionOf } from './versions.js';

const modules = new URL('../node_modules/', import.meta.url);

const nameOf = ({ packages, how }: Contestant): string =>
  `${packages.map((name) => `${name} ${versionOf(name, modules)}`).join(', ')}: ${how}`;

const columns: readonly (readonly [string, (way: Way) => number])[] = [
  ['sent', (way) => way.sent],
  ['lost', (way) => way.lost],
  ['of these, sender not told', (way) => way.untold],
  ['doubled', (way) => way.doubled],
  ['out of order', (way) => way.outOfOrder],
  ['reported failed or unknown', (way) => way.told],
];

/** Each figure up / down: from client to server, and back. */
export function tableOf(results: readonly Result[]): string {
  const head = ['up / down', ...columns.map(([title]) => title), 'seconds'];
  const rows = results.map(({ contestant, up, down, seconds, isOver }) => [
    nameOf(contestant),
    ...columns.map(([, count]) => [up, down].map((way) => count(way).toLocaleString('en')).join(' / ')),
    `${seconds.toFixed(1)}${isOver ? '' : ' (not over)'}`,
  ]);
  return markdownTable(head, rows);
}
