import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { clientCases } from './client/cases.js';
import { commandOf } from './client/command.js';
import { streams } from './client/streams.js';
import { lineOf, runCases } from './run.js';

// Every case is a test, but all of them run at once beforehand: most of their time is waiting. That takes a quarter of a
// minute, and several times as long where other things run beside it.

const results = new Map<string, string>();

beforeAll(async () => {
  const run = async (client: string): Promise<void> => {
    const all = await runCases(clientCases, { command: commandOf(client) });
    for (const result of all) results.set(client + result.name, lineOf(result));
  };
  await Promise.all([run('holdfast'), run('plain'), run('lite')]);
}, 180_000);

describe('our client keeps to PROTOCOL.md', () => {
  test.each(clientCases)('$name', ({ name }) => {
    expect(results.get(`holdfast${name}`)).toBe(`✓ ${name}`);
  });
});

/** It says itself that it cannot give up what was written, asks for no streams and keeps nothing. */
const isLeftOut = (name: string): boolean =>
  /given up|durable/.test(name) || streams.some((one) => one.name === name);

describe('the plain client keeps to PROTOCOL.md', () => {
  test.each(clientCases)('$name', ({ name }) => {
    if (isLeftOut(name)) expect(results.get(`plain${name}`)).toMatch(/^– /);
    else expect(results.get(`plain${name}`)).toBe(`✓ ${name}`);
  });

  test('without importing anything', () => {
    const source = readFileSync(new URL('../../examples/plain-client.mjs', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import |import\(|require/m);
  });
});

/** It cannot give up what was written by a wish of the application, asks for no streams and keeps nothing. */
describe('the small client keeps to PROTOCOL.md', () => {
  test.each(clientCases)('$name', ({ name }) => {
    const isLeftOut = /given up|durable/.test(name) || streams.some((one) => one.name === name);
    if (isLeftOut) expect(results.get(`lite${name}`)).toMatch(/^– /);
    else expect(results.get(`lite${name}`)).toBe(`✓ ${name}`);
  });
});

test('a client that dials again at once, and again, is noticed', async () => {
  const backoff = clientCases.filter(({ name }) => name === 'where every dial fails, there is backoff');
  const [result] = await runCases(backoff, { command: `HOLDFAST_CAP_MS=0 ${commandOf('plain')}` });
  expect(result?.why).toMatch(/fewer than 50 dials/);
});
