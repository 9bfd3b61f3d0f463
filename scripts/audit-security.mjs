// Lists the risks of docs/security.md with the tests that cover them, and fails where one is named that is not there.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/process.mjs';

const NAMED = /`([^`]+)` › “([^”]*)”/g;

const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| risk ') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, risk, , tests]) => ({
    risk,
    tests: [...tests.matchAll(NAMED)].map(([, file, title]) => ({ file, title })),
  }));

/** Titles stand in the sources as they are, but for quotes that are escaped. */
function isThere({ file, title }) {
  const path = join(root, file);
  return title !== '' && existsSync(path) && readFileSync(path, 'utf8').replaceAll('\\', '').includes(title);
}

const missing = [];
for (const { risk, tests } of rows) {
  console.log(risk);
  if (tests.length === 0) missing.push(`'${risk}' names no test`);
  for (const test of tests) {
    const found = isThere(test);
    console.log(`  ${found ? '✓' : '✗'} ${test.file} › ${test.title}`);
    if (!found) missing.push(`'${risk}': ${test.file} has no '${test.title}'`);
  }
}
for (const problem of missing) console.error(problem);
const tests = rows.reduce((sum, row) => sum + row.tests.length, 0);
console.log(`${rows.length} risks, ${tests} tests named, ${missing.length} missing`);
process.exit(missing.length > 0 || rows.length === 0 ? 1 : 0);
