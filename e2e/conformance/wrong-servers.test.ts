import { afterAll, beforeAll, expect, test } from 'vitest';
import { beImpatient } from './case.js';
import { isNoticed, namesTwice, neverFailed, PATIENCE_MS } from './mutants/noticed.js';
import { serverMutants } from './mutants/servers.js';
import { conformanceServer } from './server/application.js';
import { serverCases } from './server/cases.js';
import { Server } from './server/subject.js';
import { json } from './wire.js';

const own = conformanceServer();
let url = '';

beforeAll(async () => {
  beImpatient(PATIENCE_MS);
  const { port } = await own.listen(0, '127.0.0.1');
  url = `ws://127.0.0.1:${port}/realtime`;
});
afterAll(() => own.close());

test.concurrent.for(serverMutants)('a server that $is is noticed', async (mutant) => {
  const subject = new Server(url, json, mutant.mutate());
  await isNoticed(serverCases, mutant, subject);
  subject.hangUp();
});

test('every case for servers has been seen failing', () => {
  expect(neverFailed(serverCases, serverMutants)).toEqual([]);
  expect(namesTwice(serverCases)).toEqual([]);
});
