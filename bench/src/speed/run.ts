import { Contest, type Cpu } from './contest.js';
import { Notes } from './notes.js';
import type { Recovery } from './recoveries.js';
import { recover } from './recovery.js';
import type { Ability, System } from './system.js';
import type { Workload } from './workloads.js';

export interface Options {
  readonly rounds: number;
  /** How long each workload is measured. */
  readonly ms: number;
  readonly systems: readonly System[];
  readonly workloads: readonly Workload[];
  /** That are opened to see what one costs; 0: that is not measured. */
  readonly connections: number;
  /** How often a connection is cut to see how it recovers; 0: that is not measured. */
  readonly cuts: number;
}

export interface Measured {
  readonly figures: Notes<number>;
  readonly cpu: Notes<Cpu>;
  /** By system. */
  readonly recoveries: ReadonlyMap<string, Recovery>;
}

type Tell = (line: string) => void;

const can = (system: System, ability: Ability): boolean => system.cannot?.[ability] === undefined;

/**
 * Each round measures every system once for every workload, one after the other: what else slows the machine down for a
 * while slows all of them. The first round warms up and is not counted.
 */
export async function run(options: Options, tell: Tell): Promise<Measured> {
  const figures = new Notes<number>();
  const cpu = new Notes<Cpu>();
  await load(options, figures, cpu, tell);
  if (options.connections > 0) await connectionCosts(options, figures, tell);
  const recoveries = options.cuts > 0 ? await allRecoveries(options, tell) : new Map<string, Recovery>();
  return { figures, cpu, recoveries };
}

async function load(
  { rounds, ms, systems, workloads }: Options,
  figures: Notes<number>,
  cpu: Notes<Cpu>,
  tell: Tell,
): Promise<void> {
  if (workloads.length === 0) return;
  const contests = new Map<System, Contest>();
  try {
    for (const system of systems) contests.set(system, await Contest.start(system));
    for (let round = 0; round <= rounds; round++) {
      for (const { key, figure, question } of workloads) {
        tell(round === 0 ? `warm-up: ${key}` : `round ${round} of ${rounds}: ${key}`);
        for (const [system, contest] of contests) {
          const asked = question(ms);
          if (!can(system, asked.ask)) continue;
          const { messages, seconds, p50Ms = 0, cpu: costs } = await contest.measure(asked);
          if (round === 0) continue;
          figures.add(key, system.key, figure === 'rate' ? messages / seconds : p50Ms);
          cpu.add(key, system.key, costs);
        }
      }
    }
  } finally {
    await Promise.all([...contests.values()].map((contest) => contest.end()));
  }
}

async function connectionCosts(
  { systems, connections }: Options,
  figures: Notes<number>,
  tell: Tell,
): Promise<void> {
  const usage = { ask: 'usage', collected: true } as const;
  for (const system of systems.filter((one) => can(one, 'connect'))) {
    tell(`${connections.toLocaleString('en')} connections: ${system.key}`);
    const contest = await Contest.start(system);
    try {
      // As many as are counted: a server that has let in a few hundred still interprets and compiles, at three times the price.
      await contest.client({ ask: 'connect', connections });
      const before = await contest.server(usage);
      await contest.client({ ask: 'connect', connections });
      const after = await contest.server(usage);
      const bytes = (after.memoryBytes - before.memoryBytes) / connections;
      figures.add('memoryKiB', system.key, bytes / 1_024);
      figures.add('connectMicros', system.key, (after.cpuMicros - before.cpuMicros) / connections);
    } finally {
      await contest.end();
    }
  }
}

async function allRecoveries({ systems, cuts }: Options, tell: Tell): Promise<Map<string, Recovery>> {
  const found = new Map<string, Recovery>();
  for (const system of systems.filter((one) => can(one, 'recovery'))) {
    tell(`${cuts} cuts: ${system.key}`);
    try {
      found.set(system.key, await recover(system, cuts));
    } catch (error) {
      // One that never comes back has no figures, and the others keep theirs.
      tell(`${system.key}: ${(error as Error).message}`);
    }
  }
  return found;
}
