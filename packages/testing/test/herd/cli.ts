import { parseArgs } from 'node:util';
import { type HerdOptions, idealSeconds, type Outcome, playHerd } from './herd.js';
import { STRATEGIES, type Strategy, strategy } from './strategies.js';

const USAGE = `npm run herd -- [options]
  without --clients, all of docs/herd.md
  --clients 100000    how many are cut
  --rate 1000         handshakes a second
  --strategy NAME     only this one, or what begins so; may be repeated
  --seed 1
  --more              who was refused, who twice, who was without a connection`;

type Column = Pick<HerdOptions, 'clients' | 'rate' | 'hasAdmission'>;

const TABLE: readonly Column[] = [
  { clients: 100_000, rate: 1_000, hasAdmission: true },
  { clients: 1_000_000, rate: 5_000, hasAdmission: true },
  { clients: 1_000_000, rate: 20_000, hasAdmission: true },
  { clients: 100_000, rate: 1_000, hasAdmission: false },
];

const short = (count: number): string =>
  count % 1_000_000 === 0 ? `${count / 1_000_000}M` : count % 1_000 === 0 ? `${count / 1_000}k` : `${count}`;

function heading({ clients, rate, hasAdmission }: Column): string {
  const ideal = clients / rate + 10;
  const how = hasAdmission ? `ideal ${ideal.toFixed(0)}` : 'no admission control';
  return `${short(clients)}, A=${short(rate)} (${how})`;
}

function cell(outcome: Outcome): string {
  switch (outcome.end) {
    case 'all back':
      return `${outcome.seconds.toFixed(0)} / ${outcome.peak.toFixed(1)}`;
    case 'some gave up':
      return `${(outcome.gaveUp * 100).toFixed(0)} % gave up`;
    default:
      return outcome.end;
  }
}

function more(one: Strategy, column: Column, outcome: Outcome, tookMs: number): string {
  const { refused, refusedAgain, cut, seconds, peak } = outcome;
  const ratio = seconds / idealSeconds({ ...column, strategy: one });
  const times = `${seconds.toFixed(1)} s, ${ratio.toFixed(3)} of the ideal; peak ${peak.toFixed(2)}`;
  const people = `refused ${refused}, more than once ${refusedAgain}; without a connection ${cut}`;
  return `${one.name}, ${heading(column)}: ${outcome.end}; ${times}; ${people}; took ${tookMs.toFixed(0)} ms`;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new TypeError(`--${name} must be a whole number from 1, not '${text}'`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string' },
      rate: { type: 'string', default: '1000' },
      strategy: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      more: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const rows = values.strategy.length === 0 ? STRATEGIES : values.strategy.map(strategy);
  const seed = whole('seed', values.seed);
  const rate = whole('rate', values.rate);
  const columns: readonly Column[] =
    values.clients === undefined
      ? TABLE
      : [true, false].map((hasAdmission) => ({
          clients: whole('clients', values.clients ?? ''),
          rate,
          hasAdmission,
        }));
  console.log(`| strategy | ${columns.map(heading).join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(columns.length)}`);
  const notes: string[] = [];
  for (const one of rows) {
    const cells = columns.map((column) => {
      const started = performance.now();
      const outcome = playHerd({ ...column, strategy: one, seed });
      notes.push(more(one, column, outcome, performance.now() - started));
      return cell(outcome);
    });
    console.log(`| ${one.name} | ${cells.join(' | ')} |`);
  }
  if (values.more) console.log(`\n${notes.join('\n')}`);
}

try {
  main();
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
}
