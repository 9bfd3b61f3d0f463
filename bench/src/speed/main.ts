// How fast: Holdfast, raw ws and others, each with a server and clients in processes of their own.
import { optionsOrExit } from '../command-line.js';
import { readOptions, USAGE } from './options.js';
import { run } from './run.js';
import { cpuTable, legend, recoveryTable, speedTable } from './tables.js';

const options = optionsOrExit(() => readOptions(process.argv.slice(2)), USAGE);
const { systems, workloads, connections, cuts } = options;
const { figures, cpu, recoveries } = await run(options, (line) => console.error(line));
const tables = [
  ...(workloads.length > 0 || connections > 0 ? [speedTable(figures, systems, workloads)] : []),
  ...(workloads.length > 0 ? [cpuTable(cpu, systems, workloads)] : []),
  ...(cuts > 0 ? [recoveryTable(recoveries, systems)] : []),
  `Node ${process.versions.node}, ${process.platform}.\n\n${legend(systems)}`,
];
console.log(tables.join('\n\n'));
