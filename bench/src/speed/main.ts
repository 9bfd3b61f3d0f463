// How fast: Holdfast, raw ws and others, each with a server and clients in processes of their own.
import { optionsOrExit } from '../command-line.js';
import { speedCharts, writeCharts } from './charts/speed-charts.js';
import { fixedFigures } from './fixed/fixed-figures.js';
import { type CommandLine, readOptions, USAGE } from './options.js';
import { profile } from './profile/profile.js';
import { run } from './run.js';
import { cpuTable, legend, recoveryTable, speedTable } from './tables.js';

const tell = (line: string): void => console.error(line);

async function underLoad(options: CommandLine): Promise<string> {
  const { systems, workloads, connections, cuts, charts } = options;
  const { figures, cpu, recoveries } = await run(options, tell);
  if (charts !== undefined) writeCharts(charts, speedCharts(figures, systems, workloads));
  return [
    ...(workloads.length > 0 || connections > 0 ? [speedTable(figures, systems, workloads)] : []),
    ...(workloads.length > 0 ? [cpuTable(cpu, systems, workloads)] : []),
    ...(cuts > 0 ? [recoveryTable(recoveries, systems)] : []),
  ].join('\n\n');
}

async function oneProfile({ systems: [system], workloads: [workload] }: CommandLine): Promise<string> {
  if (!system || !workload) throw new TypeError('nothing to be looked at');
  return profile(system, workload, tell);
}

const measures = {
  load: underLoad,
  fixed: ({ systems }: CommandLine) => fixedFigures(systems, tell),
  profile: oneProfile,
};

const options = optionsOrExit(() => readOptions(process.argv.slice(2)), USAGE);
console.log(await measures[options.mode](options));
console.log(`\nNode ${process.versions.node}, ${process.platform}.\n\n${legend(options.systems)}`);
// What was served and dialled in this process would keep it.
process.exit();
