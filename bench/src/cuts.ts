// What becomes of messages when connections are cut: the same cuts for Holdfast and for others.
import { type Options, readOptions, USAGE } from './options.js';
import { type Result, run } from './run.js';
import { tableOf } from './table.js';

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options) return options;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Exactly once and in order, both ways: what Holdfast promises. */
const keepsItsWord = ({ up, down }: Result): boolean =>
  [up, down].every(({ lost, doubled, outOfOrder }) => lost + doubled + outOfOrder === 0);

// The children see it and end, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const options = optionsOrExit();
const results: Result[] = [];
for (const key of options.keys) {
  console.error(`${key}: ${options.cuts} cuts ...`);
  results.push(await run(key, options));
}
console.log(tableOf(results));

const holdfast = results.find(({ contestant }) => contestant.key === 'holdfast');
if (options.judges && holdfast && !keepsItsWord(holdfast)) {
  console.error('holdfast has lost, doubled or misplaced messages');
  process.exitCode = 1;
}
