import { beforeAll, expect, test } from 'vitest';
import { beImpatient } from './case.js';
import { clientCases } from './client/cases.js';
import { commandOf } from './client/command.js';
import { clientMutants } from './mutants/clients.js';
import { isNoticed, namesTwice, neverFailed, PATIENCE_MS } from './mutants/noticed.js';
import { runCases } from './run.js';

beforeAll(() => beImpatient(PATIENCE_MS));

test.concurrent.for(clientMutants)('a client that $is is noticed', async (mutant) => {
  await isNoticed(clientCases, mutant, { command: commandOf('holdfast'), mutate: mutant.mutate() });
});

const BACKOFF = 'where every dial fails, there is backoff';

test('a client that dials again at once, and again, is noticed', async () => {
  const backoff = clientCases.filter(({ name }) => name === BACKOFF);
  const [result] = await runCases(backoff, { command: `HOLDFAST_CAP_MS=0 ${commandOf('plain')}` });
  expect(result?.why).toMatch(/fewer than 50 dials/);
});

test('every case for clients has been seen failing', () => {
  expect(neverFailed(clientCases, clientMutants)).toEqual([BACKOFF]);
  expect(namesTwice(clientCases)).toEqual([]);
});
