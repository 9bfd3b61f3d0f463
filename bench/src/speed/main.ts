// How fast: Holdfast, raw ws and others, each with a server and clients in processes of their own.

import { parseArgs } from 'node:util';
import { optionsOrExit, whole } from '../command-line.js';
import { type Options, run } from './run.js';
import { BASE, FEW, SYSTEMS, systemOf, USUAL } from './systems/index.js';
import { tableOf } from './table.js';
import { WORKLOADS } from './workloads.js';

const keys = (list: readonly { readonly key: string }[]): string =>
  list.map(({ key }) => `'${key}'`).join(', ');

const USAGE = `npm run bench -- [options]
  --rounds 5          how often each system is measured, 1 to 50
  --quick             one round, fewer systems, 1,000 connections: two minutes
  --system KEY        only this one beside '${BASE.key}', may be repeated
  --all               every system: ${keys(SYSTEMS)}
                      otherwise ${keys(USUAL)}; with --quick ${keys(FEW)}
  --workload KEY      only this one: ${WORKLOADS.map(({ key }) => key).join(', ')}
  --connections 5000  how many are opened to see what one costs, 10 to 20,000`;

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      system: { type: 'string', multiple: true },
      all: { type: 'boolean', default: false },
      workload: { type: 'string' },
      connections: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick, workload } = values;
  const workloads = WORKLOADS.filter(({ key }) => workload === undefined || key === workload);
  if (workloads.length === 0) {
    throw new TypeError(`--workload must be one of ${WORKLOADS.map(({ key }) => key).join(', ')}`);
  }
  const usual = values.all ? SYSTEMS : quick ? FEW : USUAL;
  const chosen = values.system?.map(systemOf) ?? usual;
  return {
    rounds: whole('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 50),
    connections: whole('connections', values.connections ?? (quick ? '1000' : '5000'), 10, 20_000),
    systems: [...new Set([BASE, ...chosen])],
    workloads,
  };
}

const options = optionsOrExit(readOptions, USAGE);
const measured = await run(options, (told) => console.error(told));
console.log(tableOf(measured, options.systems, options.workloads));
