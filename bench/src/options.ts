import { parseArgs } from 'node:util';
import { whole } from './command-line.js';
import { contestantOf, contestants } from './contestants/index.js';

export interface Options {
  readonly cuts: number;
  readonly perSecond: number;
  readonly seed: number;
  /** Of each direction. */
  readonly delayMs: number;
  readonly keys: readonly string[];
  /** Holdfast may lose, double and misplace nothing: anything else is exit code 1. */
  readonly judges: boolean;
}

export const USAGE = `npm run bench:cuts -- [options]
  --cuts 500      how often each one's connection is cut, 1 to 5,000
  --rate 1000     messages a second, each way, 1 to 5,000
  --delay 0       how long everything takes on the line, each way; ms, 0 to 1,000
  --seed 1        the same seed, the same cuts
  --only KEY      one contestant, may be repeated: ${contestants.map(({ key }) => key).join(', ')}
  --judge         exit code 1 unless holdfast loses, doubles and misplaces nothing`;

export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cuts: { type: 'string', default: '500' },
      rate: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      delay: { type: 'string', default: '0' },
      only: { type: 'string', multiple: true, default: [] },
      judge: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const only = values.only.map((key) => contestantOf(key).key);
  return {
    cuts: whole('cuts', values.cuts, 1, 5_000),
    perSecond: whole('rate', values.rate, 1, 5_000),
    seed: whole('seed', values.seed, 1, 2 ** 31),
    delayMs: whole('delay', values.delay, 0, 1_000),
    keys: only.length > 0 ? only : contestants.map(({ key }) => key),
    judges: values.judge,
  };
}
