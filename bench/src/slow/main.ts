// What one client that reads nothing costs the 99 beside it: the hundredth reads and stands still by turns.

import { parseArgs } from 'node:util';
import { optionsOrExit } from '../command-line.js';
import { LANES, type Options, run } from './run.js';
import { tableOf } from './table.js';

const USAGE = `npm run bench:slow -- [options]
  --rounds 10         how often both are measured, 1 to 100; some 5 s each
  --overflow reject   what the server does with what is too much for a client: reject, drop-oldest
  --control           nobody is stalled in the second column either: what differs then is noise`;

const TITLES = { room: 'to a room', direct: 'to each of 100 sessions' };

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '10' },
      overflow: { type: 'string', default: 'reject' },
      control: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { overflow } = values;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new TypeError(`--rounds must be a whole number from 1 to 100, not '${values.rounds}'`);
  }
  if (overflow !== 'reject' && overflow !== 'drop-oldest') {
    throw new TypeError(`--overflow must be reject or drop-oldest, not '${overflow}'`);
  }
  return { rounds, overflow, second: values.control ? 'quick' : 'stalled' };
}

const options = optionsOrExit(readOptions, USAGE);
const { rounds } = options;
const pairs = await run(options, (round) => console.error(`round ${round} of ${rounds} ...`));
const second = options.second === 'stalled' ? '99 quick, 1 stalled' : '100 quick, again';
console.log(LANES.map((lane) => tableOf(TITLES[lane], second, pairs[lane])).join('\n\n'));
