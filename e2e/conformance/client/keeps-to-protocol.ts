import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { type Result, runCases } from '../run.js';
import { clientCases } from './cases.js';

/** The command that starts one of our clients with its adapter. */
export const commandOf = (client: string): string =>
  `"${process.execPath}" "${fileURLToPath(new URL(`../under-test/${client}-client.mjs`, import.meta.url))}"`;

/** Every case is a test, but all of them run at once beforehand: most of their time is waiting. */
export function keepsToProtocol(client: string, leftOut: readonly string[] = []): void {
  const results = new Map<string, Result>();
  beforeAll(async () => {
    const all = await runCases(clientCases, { command: commandOf(client) });
    for (const result of all) results.set(result.name, result);
  });
  test.each(clientCases)('$name', ({ name }) => {
    const status = leftOut.includes(name) ? 'skipped' : 'passed';
    expect(results.get(name)).toMatchObject({ status });
  });
}
