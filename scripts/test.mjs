// `npm test`: every check and every kind of test, one after the other, to the end even if something fails.
// The last line is the sum: "N passed, N failed" or "N passed, N failed, N skipped".

import { build, builtChecks, quickChecks } from './lib/checks.mjs';
import { endWithChildren } from './lib/process.mjs';
import { kinds, runKind } from './lib/suites.mjs';
import { ensurePart } from './lib/system-parts.mjs';

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);
const indent = (text) => text.trimEnd().replace(/^/gm, '    ');

/** @typedef {{ kind: string, passed: number, failed: number, skipped: number, seconds: number }} Row */

async function runCheck({ name, run, showsOutput }) {
  const start = performance.now();
  const { ok, output } = await run();
  console.log(`${ok ? '✓' : '✗'} ${name}  ${seconds(start)} s`);
  if (!ok || showsOutput) console.log(indent(output));
  return ok;
}

/** Two at a time: each of them has one process, which mostly keeps one core busy. */
async function runChecks(checks, row, failures) {
  const start = performance.now();
  const waiting = [...checks];
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      if (await runCheck(check)) row.passed += 1;
      else {
        row.failed += 1;
        failures.push(check.name);
      }
    }
  };
  await Promise.all([lane(), lane()]);
  row.seconds += Number(seconds(start));
}

const emptyRow = (kind) => ({ kind, passed: 0, failed: 0, skipped: 0, seconds: 0 });

async function runSuites(long, row, rows, failures) {
  const missing = new Set();
  for (const { name, needs = [], uses = [] } of kinds) {
    for (const wanted of [...needs, ...uses]) {
      const check = async () => {
        const part = await ensurePart(wanted);
        if (!part.isThere) missing.add(wanted);
        return part;
      };
      await runChecks([{ name: `system part: ${wanted}`, run: check, showsOutput: true }], row, failures);
    }
    console.log(`\n── ${name} ──`);
    const start = performance.now();
    const lacking = needs.filter((part) => missing.has(part));
    if (lacking.length > 0) {
      const what = lacking.join(' and ');
      console.log(`SKIPPED: the tests of the kind "${name}" need ${what}, which is missing\n`);
      rows.push({ ...emptyRow(name), skipped: 1 });
      continue;
    }
    const { notes, ...counts } = await runKind(name, { long });
    for (const note of notes) console.log(`✗ ${note}`);
    if (counts.failed > 0) failures.push(`${name} tests`);
    rows.push({ kind: name, ...counts, seconds: Number(seconds(start)) });
  }
}

function printTable(rows) {
  const line = (kind, ...cells) =>
    `${kind.padEnd(12)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
  console.log(`\n${line('kind', 'passed', 'failed', 'skipped', 'seconds')}`);
  for (const row of rows)
    console.log(line(row.kind, row.passed, row.failed, row.skipped, row.seconds.toFixed(1)));
}

export async function main({ long = false, only } = {}) {
  endWithChildren();
  const checks = emptyRow('checks');
  const rows = [checks];
  const failures = [];
  console.log('── checks ──');
  await runChecks(quickChecks, checks, failures);
  if (only !== 'quick') {
    await runChecks([build], checks, failures);
    await runChecks(builtChecks, checks, failures);
    await runSuites(long, checks, rows, failures);
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  printTable(rows);
  if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
