import { markdownTable } from '../../markdown.js';
import type { SelfTime } from './self-time.js';

const TOP = 12;

/** Whose time it is. */
export function groupOf({ name, url }: SelfTime): string {
  if (name === '(garbage collector)') return 'garbage collection';
  if (/^json(Parse|Stringify)$/.test(name)) return 'JSON';
  if (url === '') return /^write/.test(name) ? 'write system calls' : 'native code';
  if (url.startsWith('node:')) return 'Node';
  const [, name_] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (name_ !== undefined) return name_;
  const [, own] = /\/(packages\/[^/]+|bench)\//.exec(url) ?? [];
  return own ?? url;
}

const placeOf = ({ url, line }: SelfTime): string =>
  url === '' ? '' : `${url.replace(/^.*\/(node_modules|packages|bench)\//, '$1/')}:${line}`;

/** The functions that took most, then the groups; shares are those of the time in which there was something to do. */
export function profileTables(side: string, times: readonly SelfTime[]): string {
  const busy = times.reduce((sum, { micros }) => sum + micros, 0);
  const share = (micros: number): string => ((100 * micros) / busy).toFixed(1);
  const top = times.slice(0, TOP).map((time) => [time.name, placeOf(time), share(time.micros)]);
  const groups = new Map<string, number>();
  for (const time of times) groups.set(groupOf(time), (groups.get(groupOf(time)) ?? 0) + time.micros);
  const rows = [...groups].sort(([, a], [, b]) => b - a).map(([group, micros]) => [group, share(micros)]);
  return [
    markdownTable([side, 'where', '% of busy time'], top),
    markdownTable([`${side}, all of it`, '% of busy time'], rows),
  ].join('\n\n');
}
