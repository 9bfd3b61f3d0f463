import { median } from '../slow/figures.js';
import { Contest } from './contest.js';
import type { System } from './system.js';
import { CONNECTION_COSTS, WORKLOADS, type Workload } from './workloads.js';

export interface Options {
  readonly rounds: number;
  /** That are opened to see what one costs. */
  readonly connections: number;
  readonly systems: readonly System[];
  readonly workloads: readonly Workload[];
}

/** One figure for each round, by row and system; none of what a system cannot do. */
export type Measured = ReadonlyMap<string, ReadonlyMap<string, number[]>>;

/**
 * Each round measures every system once for every workload, one after the other: what else slows the machine down for a
 * while slows all of them. The first round warms up and is not counted.
 */
export async function run(options: Options, told: (line: string) => void): Promise<Measured> {
  const { rounds, systems, workloads } = options;
  const measured = new Map<string, Map<string, number[]>>();
  const note = (row: string, { key }: System, figure: number): void => {
    const byRow = measured.get(row) ?? new Map<string, number[]>();
    measured.set(row, byRow.set(key, [...(byRow.get(key) ?? []), figure]));
  };
  const contests = new Map<System, Contest>();
  try {
    for (const system of systems) contests.set(system, await Contest.start(system));
    for (let round = 0; round <= rounds; round++) {
      for (const workload of workloads) {
        told(round === 0 ? `warm-up: ${workload.key}` : `round ${round} of ${rounds}: ${workload.key}`);
        for (const [system, contest] of contests) {
          if (system.cannot?.[workload.question.ask] !== undefined) continue;
          const { messages, seconds, p50Ms = 0 } = await contest.count(workload.question);
          if (round > 0) note(workload.key, system, workload.figure === 'rate' ? messages / seconds : p50Ms);
        }
      }
    }
  } finally {
    await Promise.all([...contests.values()].map((contest) => contest.end()));
  }
  await connectionCosts(options, note, told);
  return measured;
}

async function connectionCosts(
  { systems, connections }: Options,
  note: (row: string, system: System, figure: number) => void,
  told: (line: string) => void,
): Promise<void> {
  for (const system of systems) {
    told(`${connections.toLocaleString('en')} connections: ${system.key}`);
    const contest = await Contest.start(system);
    try {
      await contest.count({ ask: 'connect', connections: Math.ceil(connections / 10) });
      const before = await contest.usage();
      await contest.count({ ask: 'connect', connections });
      const after = await contest.usage();
      const [memory, processor] = CONNECTION_COSTS;
      if (memory) note(memory.key, system, (after.memoryBytes - before.memoryBytes) / connections / 1_024);
      if (processor) note(processor.key, system, (after.cpuMicros - before.cpuMicros) / connections);
    } finally {
      await contest.end();
    }
  }
}

/** Of the rounds, each compared with the first system in the same round. */
export function ratios(figures: readonly number[], first: readonly number[]) {
  const each = figures.map((figure, round) => figure / (first[round] ?? figure));
  return { median: median(each), least: Math.min(...each), most: Math.max(...each) };
}

export const rowsOf = (workloads: readonly Workload[] = WORKLOADS) => [
  ...workloads,
  ...CONNECTION_COSTS.map((cost) => ({ ...cost, better: 'less' as const })),
];
