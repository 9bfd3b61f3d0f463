import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { playMany, type Result } from './crew.js';
import { INVARIANTS } from './judge.js';
import type { Mutant } from './mutants/mutant.js';
import { MUTANTS } from './mutants.js';
import { buildWorker } from './mutate.js';
import { play } from './play.js';
import type { ClientKind } from './sim-client.js';
import { story } from './story.js';

const USAGE = `npm run sim -- [options]
  --seeds 2000    how many runs
  --from 1        the first seed
  --seed N        this one only, with all that happened
  --jobs 2        threads
  --client whole  what clients there are: whole ones, or small ones (lite)
  --mutants       the wrong rules instead: which seed catches each, of --seeds at most
  --only NAME     of the wrong rules, this one; may be repeated`;

const root = process.cwd();
const out = join(root, '.build/simulation');

interface Options {
  readonly client: ClientKind;
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new TypeError(`--${name} must be a whole number from 1, not '${text}'`);
}

function kindOf(text: string): ClientKind {
  if (text === 'whole' || text === 'lite') return text;
  throw new TypeError(`--client must be whole or lite, not '${text}'`);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}

function show({ seed, found: [first] }: Result): void {
  if (!first) return;
  const { invariant, text } = first;
  console.log(`✗ seed ${seed}, invariant ${invariant} (${INVARIANTS[invariant]}): ${text}`);
}

/** One seed, with its trace. */
async function tell(seed: number, client: ClientKind): Promise<boolean> {
  const played = await play(seed, { tracing: true, client });
  console.log(played.trace.join('\n'));
  console.log(played.found.length === 0 ? `seed ${seed}: no violation` : '');
  show(played);
  return played.found.length === 0;
}

/** What happened how often, in columns. */
function showCoverage(counts: ReadonlyMap<string, number>): void {
  const lines = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [event, count] of lines) {
    console.log(`${count.toLocaleString('en').padStart(13)}  ${event}`);
  }
}

async function run({ client, seeds, from, jobs }: Options): Promise<boolean> {
  const program = join(out, 'worker.mjs');
  await buildWorker(root, program);
  const started = performance.now();
  const counts = new Map<string, number>();
  let played = 0;
  let bad = 0;
  let firstBad: number | undefined;
  const progress = (): void => {
    const rate = played / ((performance.now() - started) / 1_000);
    console.log(
      `${played.toLocaleString('en')} of ${seeds.toLocaleString('en')} seeds, ${rate.toFixed(0)} a second, ${bad} with a violation`,
    );
  };
  const timer = setInterval(progress, 10_000);
  await playMany({
    ...{ program, client, from },
    workers: jobs,
    count: seeds,
    played: (result) => {
      played++;
      for (const [event, times] of Object.entries(result.coverage)) {
        counts.set(event, (counts.get(event) ?? 0) + times);
      }
      if (result.found.length > 0) bad++;
      if (result.found.length > 0) firstBad ??= result.seed;
      show(result);
      return bad >= 20;
    },
  });
  clearInterval(timer);
  showCoverage(counts);
  if (firstBad !== undefined) {
    console.log(await story(firstBad, client));
    console.log(`all of it: npm run sim -- --client ${client} --seed ${firstBad}`);
  }
  console.log(`${played.toLocaleString('en')} seeds in ${seconds(started)} s: ${bad} with a violation`);
  return bad === 0;
}

/** Plays seeds with a wrong rule until one catches it. */
async function hunt(mutant: Mutant, { seeds, from, jobs }: Options): Promise<Result | undefined> {
  const program = join(out, `${mutant.name}.mjs`);
  await buildWorker(root, program, mutant);
  let caught: Result | undefined;
  await playMany({
    ...{ program, from },
    client: mutant.client ?? 'whole',
    workers: jobs,
    count: seeds,
    played: (result) => {
      if (result.found.length > 0) caught = result;
      return caught !== undefined;
    },
  });
  return caught;
}

async function huntAll(only: readonly string[], options: Options): Promise<boolean> {
  const mutants = MUTANTS.filter(({ name }) => only.length === 0 || only.includes(name));
  if (mutants.length === 0)
    throw new TypeError(`--only must name a wrong rule: ${MUTANTS.map(({ name }) => name).join(', ')}`);
  console.log('| wrong rule | what it says | caught by seed | invariant |');
  console.log('| --- | --- | ---: | --- |');
  let escaped = 0;
  for (const mutant of mutants) {
    const caught = await hunt(mutant, options);
    const [first] = caught?.found ?? [];
    if (!first) escaped++;
    const by = first ? `${first.invariant}, ${INVARIANTS[first.invariant]}` : '**not caught**';
    console.log(`| ${mutant.name} | ${mutant.says} | ${caught?.seed ?? '–'} | ${by} |`);
  }
  console.log(`\n${mutants.length} wrong rules, ${escaped} not caught`);
  return escaped === 0;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      client: { type: 'string', default: 'whole' },
      mutants: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  mkdirSync(out, { recursive: true });
  const client = kindOf(values.client);
  if (values.seed !== undefined) return tell(whole('seed', values.seed), client);
  const options = {
    client,
    seeds: whole('seeds', values.seeds),
    from: whole('from', values.from),
    jobs: whole('jobs', values.jobs),
  };
  return values.mutants ? huntAll(values.only, options) : run(options);
}

main().then(
  (fine) => {
    process.exitCode = fine ? 0 : 1;
  },
  (error: unknown) => {
    console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
    process.exitCode = 1;
  },
);
