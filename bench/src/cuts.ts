// What becomes of messages when connections are cut: the same cuts for Holdfast and for others.
import { optionsOrExit } from './command-line.js';
import { readOptions, USAGE } from './options.js';
import { type Result, run } from './run.js';
import { tableOf } from './table.js';

/** Exactly once and in order, both ways: what Holdfast promises. */
const keepsItsWord = ({ up, down }: Result): boolean =>
  [up, down].every(({ lost, doubled, outOfOrder }) => lost + doubled + outOfOrder === 0);

const options = optionsOrExit(() => readOptions(process.argv.slice(2)), USAGE);
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
