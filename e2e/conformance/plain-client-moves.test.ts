import { beforeAll, expect, test } from 'vitest';
import { commandOf } from './client/command.js';
import { moving } from './client/moving.js';
import { lineOf, runCases } from './run.js';

const results = new Map<string, string>();

beforeAll(async () => {
  for (const result of await runCases(moving, { command: commandOf('plain') })) {
    results.set(result.name, lineOf(result));
  }
});

test.each(moving)('the plain client: $name', ({ name }) => {
  expect(results.get(name)).toBe(`✓ ${name}`);
});
