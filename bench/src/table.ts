import { readFileSync } from 'node:fs';
import type { Contestant } from './contestants/contestant.js';
import type { Result, Way } from './run.js';

/** As installed; `exports` of a package may hide its own manifest from `import`. */
function versionOf(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

const nameOf = ({ packages, how }: Contestant): string =>
  `${packages.map((name) => `${name} ${versionOf(name)}`).join(', ')}: ${how}`;

const columns: readonly (readonly [string, (way: Way) => number])[] = [
  ['sent', (way) => way.sent],
  ['lost', (way) => way.lost],
  ['of these, sender not told', (way) => way.untold],
  ['doubled', (way) => way.doubled],
  ['out of order', (way) => way.outOfOrder],
  ['reported failed or unknown', (way) => way.told],
];

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Each figure up / down: from client to server, and back. */
export function tableOf(results: readonly Result[]): string {
  const head = ['up / down', ...columns.map(([title]) => title), 'seconds'];
  const rows = results.map(({ contestant, up, down, seconds, isOver }) => [
    nameOf(contestant),
    ...columns.map(([, count]) => [up, down].map((way) => count(way).toLocaleString('en')).join(' / ')),
    `${seconds.toFixed(1)}${isOver ? '' : ' (not over)'}`,
  ]);
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}
