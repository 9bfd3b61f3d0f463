// The kinds of tests that vitest runs, one after the other, each counted by its report.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, runTool } from './process.mjs';

/** `needs`: without all of it none of its tests can run. `uses`: the tests that need these skip themselves, by name. */
export const kinds = [
  { name: 'unit' },
  { name: 'react 18' },
  { name: 'simulation' },
  { name: 'redis', needs: ['redis'], uses: ['nats'] },
  { name: 'sockets', uses: ['nft', 'redis'] },
  { name: 'cluster', needs: ['redis', 'nginx'], uses: ['chromium', 'nats'], args: ['--no-file-parallelism'] },
  { name: 'conformance' },
  { name: 'browser', needs: ['chromium'], uses: ['firefox', 'webkit', 'xvfb'] },
  { name: 'packages' },
  { name: 'runtimes', uses: ['chromium'] },
];

/** Runs one kind and says how many tests passed, failed and were skipped. */
export async function runKind(name, { long }) {
  const report = join(root, '.build/reports', `${name}.json`);
  mkdirSync(join(root, '.build/reports'), { recursive: true });
  rmSync(report, { force: true });
  const args = [
    'run',
    '--project',
    name,
    ...(kinds.find((kind) => kind.name === name)?.args ?? []),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const { ok } = await runTool('node_modules/vitest/vitest.mjs', args, {
    // A bounded run that is not over after a quarter of an hour hangs; a long one may take its time.
    timeoutMs: long ? 6 * 3_600_000 : 15 * 60_000,
    env: {
      ...process.env,
      HOLDFAST_WHOLE: '1',
      ...(long ? { HOLDFAST_LONG: '1' } : {}),
      // A log file is read without a terminal, and CI alone would make vitest paint it.
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
    },
  });
  return countsOf(report, name, ok);
}

/** What went wrong outside any test counts as one failure, so that the sum never looks better than the run. */
function countsOf(report, name, ok) {
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  if (existsSync(report)) {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    counts.passed = numPassedTests;
    counts.failed = numFailedTests;
    counts.skipped = numPendingTests + numTodoTests;
    for (const { name: file, status, assertionResults } of testResults) {
      if (status !== 'failed' || assertionResults.some((test) => test.status === 'failed')) continue;
      counts.failed += 1;
      counts.notes.push(`${file.slice(root.length + 1)} failed outside its tests`);
    }
  }
  if (counts.passed + counts.failed + counts.skipped === 0) {
    counts.failed = 1;
    counts.notes.push(`no test of the kind "${name}" was found`);
  } else if (!ok && counts.failed === 0) {
    counts.failed = 1;
    counts.notes.push(`the run of "${name}" failed outside its tests`);
  }
  return counts;
}
