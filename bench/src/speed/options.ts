import { parseArgs } from 'node:util';
import { whole } from '../command-line.js';
import type { Options } from './run.js';
import { BASE, FEW, SYSTEMS, systemOf, USUAL } from './systems/index.js';
import { WORKLOADS } from './workloads.js';

const keys = (list: readonly { readonly key: string }[]): string =>
  list.map(({ key }) => (/\s/.test(key) ? `'${key}'` : key)).join(', ');

/** What is measured beside the load. */
const OTHERS = ['connections', 'recovery'];

export const USAGE = `npm run bench -- [options]
  --rounds 5          how often each system is measured, 1 to 50; the usual systems take 100 s each, and three minutes besides
  --quick             one round, shorter, with fewer systems, connections and cuts: two minutes
  --system KEY        only this one beside ${BASE.key}, may be repeated. There are:
                      ${keys(SYSTEMS)}
  --all               all of them. Otherwise: ${keys(USUAL)};
                      with --quick: ${keys(FEW)}
  --workload KEY      only this one, may be repeated. There are:
                      ${keys(WORKLOADS)}, ${OTHERS.join(', ')}
  --fixed             only what needs no load: bytes on the wire, cost of codecs, sizes of clients; of all systems
  --profile           where server and client spend their time, with one --workload and one --system
  --charts FOLDER     writes a chart for each row; docs/charts when everything usual is measured
  --connections 5000  how many are opened to see what one costs, 10 to 20,000
  --cuts 20           how often a connection is cut to see how it recovers, 1 to 1,000`;

export interface CommandLine extends Options {
  /** What is measured: under load, what needs none, or what one system does under one workload (the first of each). */
  readonly mode: 'load' | 'fixed' | 'profile';
  /** Where charts are written; undefined: nowhere. */
  readonly charts: string | undefined;
}

const CHARTS = 'docs/charts';

export function readOptions(args: readonly string[]): CommandLine | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      system: { type: 'string', multiple: true },
      profile: { type: 'boolean', default: false },
      fixed: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      workload: { type: 'string', multiple: true },
      charts: { type: 'string' },
      connections: { type: 'string' },
      cuts: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick, workload, fixed, profile } = values;
  const known = [...WORKLOADS.map(({ key }) => key), ...OTHERS];
  for (const key of workload ?? []) {
    if (!known.includes(key)) {
      throw new TypeError(`--workload must be one of ${known.join(', ')}, not '${key}'`);
    }
  }
  if (profile && (values.system?.length !== 1 || WORKLOADS.every(({ key }) => String(workload) !== key))) {
    throw new TypeError(`--profile needs one --system and one --workload of ${keys(WORKLOADS)}`);
  }
  const isAsked = (key: string): boolean => workload?.includes(key) ?? true;
  const usual = values.all || fixed ? SYSTEMS : quick ? FEW : USUAL;
  const connections = whole('connections', values.connections ?? (quick ? '1000' : '5000'), 10, 20_000);
  const cuts = whole('cuts', values.cuts ?? (quick ? '8' : '20'), 1, 1_000);
  const isWhole = !(quick || workload || values.system || values.all);
  return {
    charts: values.charts ?? (isWhole ? CHARTS : undefined),
    mode: profile ? 'profile' : fixed ? 'fixed' : 'load',
    rounds: whole('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 50),
    ms: quick ? 300 : 1_000,
    systems: [...new Set([...(profile ? [] : [BASE]), ...(values.system?.map(systemOf) ?? usual)])],
    workloads: WORKLOADS.filter(({ key }) => isAsked(key)),
    connections: isAsked('connections') ? connections : 0,
    cuts: isAsked('recovery') ? cuts : 0,
  };
}
