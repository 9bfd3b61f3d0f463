// How fast: Holdfast, raw ws and others, each with a server and clients in processes of their own.

import { parseArgs } from 'node:util';
import { optionsOrExit, whole } from '../command-line.js';
import { type Options, run } from './run.js';
import { SYSTEMS, systemOf } from './systems/index.js';
import { tableOf } from './table.js';
import { WORKLOADS } from './workloads.js';

const USAGE = `npm run bench -- [options]
  --rounds 5          how often each system is measured, 1 to 50; some 50 s each
  --quick             one round and 1,000 connections: two minutes
  --system KEY        only this one beside raw ws: ${SYSTEMS.map(({ key }) => `'${key}'`).join(', ')}
  --workload KEY      only this one: ${WORKLOADS.map(({ key }) => key).join(', ')}
  --connections 5000  how many are opened to see what one costs, 10 to 20,000`;

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      system: { type: 'string' },
      workload: { type: 'string' },
      connections: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick, system, workload } = values;
  const [first, ...others] = SYSTEMS;
  const workloads = WORKLOADS.filter(({ key }) => workload === undefined || key === workload);
  if (workloads.length === 0) {
    throw new TypeError(`--workload must be one of ${WORKLOADS.map(({ key }) => key).join(', ')}`);
  }
  const chosen = system === undefined ? others : [systemOf(system)].filter((one) => one !== first);
  return {
    rounds: whole('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 50),
    connections: whole('connections', values.connections ?? (quick ? '1000' : '5000'), 10, 20_000),
    systems: [...(first ? [first] : []), ...chosen],
    workloads,
  };
}

const options = optionsOrExit(readOptions, USAGE);
const measured = await run(options, (told) => console.error(told));
console.log(tableOf(measured, options.systems, options.workloads));
