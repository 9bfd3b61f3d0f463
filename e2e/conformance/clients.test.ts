import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { clientCases } from './client/cases.js';
import { commandOf } from './client/command.js';
import { type Result, runCases } from './run.js';

// Every case is a test, but all of them run at once beforehand: most of their time is waiting.

const results = new Map<string, Result>();

beforeAll(async () => {
  const run = async (client: string): Promise<void> => {
    const all = await runCases(clientCases, { command: commandOf(client) });
    for (const result of all) results.set(client + result.name, result);
  };
  await Promise.all([run('holdfast'), run('plain')]);
});

describe('our client keeps to PROTOCOL.md', () => {
  test.each(clientCases)('$name', ({ name }) => {
    expect(results.get(`holdfast${name}`)).toMatchObject({ status: 'passed' });
  });
});

/** It says itself that it cannot give up what was written. */
const LEFT_OUT = /given up/;

describe('the plain client keeps to PROTOCOL.md', () => {
  test.each(clientCases)('$name', ({ name }) => {
    const status = LEFT_OUT.test(name) ? 'skipped' : 'passed';
    expect(results.get(`plain${name}`)).toMatchObject({ status });
  });

  test('without importing anything', () => {
    const source = readFileSync(new URL('../../examples/plain-client.mjs', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import |import\(|require/m);
  });
});
