import { beforeAll, expect, test } from 'vitest';
import { beImpatient } from './case.js';
import { clientCases } from './client/cases.js';
import { commandOf } from './client/command.js';
import { clientMutants } from './mutants/clients.js';
import { isNoticed, namesTwice, neverFailed, PATIENCE_MS } from './mutants/noticed.js';

beforeAll(() => beImpatient(PATIENCE_MS));

test.concurrent.for(clientMutants)('a client that $is is noticed', async (mutant) => {
  await isNoticed(clientCases, mutant, { command: commandOf('holdfast'), mutate: mutant.mutate() });
});

/** Seen failing in clients.test.ts: a frame that is rewritten dials no more often. */
const BACKOFF = 'where every dial fails, there is backoff';

test('every case for clients has been seen failing', () => {
  expect(neverFailed(clientCases, clientMutants)).toEqual([BACKOFF]);
  expect(namesTwice(clientCases)).toEqual([]);
});
