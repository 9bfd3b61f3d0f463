import { type AnyContract, type ClientOptions, defineContract, isHoldfastError } from '@holdfast/client';
import { Type } from '@holdfast/protocol';
import { createTestbed } from '@holdfast/testing';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { silent } from './people.js';
import { play } from './scripted.js';

// An old tab meets a new server, and a new page an old server that has not been replaced yet.

const contractOf = (version: number, minVersion?: number, more = {}) =>
  defineContract({
    version,
    ...(minVersion === undefined ? {} : { minVersion }),
    events: { note: z.object({ text: z.string() }), ...more },
  });

function meeting(client: AnyContract | undefined, server: AnyContract | undefined) {
  const bed = createTestbed<AnyContract>({ ...(server && { contract: server }), logger: silent });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const options = { ...(client && { contract: client }), logger: silent } as Partial<
    ClientOptions<AnyContract>
  >;
  return { bed, client: bed.createClient(options) };
}

test.each([
  ['the same version', contractOf(2), contractOf(2)],
  ['an old client that the server still serves', contractOf(1), contractOf(3, 1)],
  ['a new client that still speaks with an old server', contractOf(3, 1), contractOf(1)],
  ['a client without a contract', undefined, contractOf(9)],
  ['a server without a contract', contractOf(9), undefined],
])('%s: connects', async (_what, ours, theirs) => {
  const { bed, client } = meeting(ours, theirs);
  await bed.until(client.connect());
  expect(client.getState().status).toBe('connected');
});

test.each([
  ['an old tab and a new server', contractOf(1), contractOf(2), 2],
  ['an old tab that would bear it, and a server that would not', contractOf(1), contractOf(4, 2), 4],
  ['a new page and an old server', contractOf(2), contractOf(1), 1],
])('%s: ERR_CONTRACT_VERSION, once and for all', async (_what, ours, theirs, serverVersion) => {
  const { bed, client } = meeting(ours, theirs);
  const sessions: unknown[] = [];
  bed.server.onSession((session) => sessions.push(session));
  const waiting = client.send('note' as never, { text: 'x' } as never);
  const error = await bed.until(
    client.connect().then(
      () => undefined,
      (e: unknown) => e,
    ),
  );
  expect(error).toMatchObject({ code: 'ERR_CONTRACT_VERSION', serverVersion, retryable: false });
  // What a page does with it: please reload.
  expect(isHoldfastError(error, 'ERR_CONTRACT_VERSION') && error.serverVersion).toBe(serverVersion);
  expect(client.getState()).toEqual({ status: 'failed', error });
  await bed.advance(120_000);
  expect(bed.dials(client)).toBe(1);
  expect(sessions).toEqual([]);
  // Nothing was sent; what waits ends with the client.
  await bed.until(client.close());
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_CLOSED', delivery: 'unsent' });
});

test('a tab that comes back to its session finds a newer server: it stops, and what was on the wire is told', async () => {
  const { client, calls, clock, statuses } = play({ contract: contractOf(1) as never }, (call, n) => {
    if (n === 1) return call.welcome({ cv: [1, 1] });
    call.say([Type.BYE, 'ERR_CONTRACT_VERSION', 'too old', 2]);
    call.end(4400, 'ERR_CONTRACT_VERSION');
  });
  await clock.until(client.connect());
  const sending = client.send('note' as never, { text: 'x' } as never);
  await clock.advance(20);
  calls[0]?.end(1012);
  await clock.advance(60_000);
  expect(client.getState()).toMatchObject({
    status: 'failed',
    error: { code: 'ERR_CONTRACT_VERSION', serverVersion: 2, message: 'too old' },
  });
  expect(calls).toHaveLength(2);
  expect(statuses.at(-1)).toBe('failed');
  await client.close();
  await expect(sending).rejects.toMatchObject({ code: 'ERR_CLOSED', delivery: 'unknown' });
});

test('what a newer server says and the old tab does not know is told, and the connection goes on', async () => {
  const { bed, client } = meeting(contractOf(1), contractOf(2, 1, { confetti: z.object({ n: z.number() }) }));
  const heard: unknown[] = [];
  const errors: unknown[] = [];
  client.on('note' as never, (payload: unknown) => heard.push(payload));
  client.onError(({ code }) => errors.push(code));
  bed.server.onSession((session) => {
    void session.send('confetti' as never, { n: 5 } as never);
    void session.send('note' as never, { text: 'x', since: 'version 2' } as never);
  });
  await bed.until(client.connect());
  await bed.advance(100);
  expect(errors).toEqual(['ERR_NO_LISTENER']);
  expect(heard).toEqual([{ text: 'x' }]);
  expect(bed.dials(client)).toBe(1);
});

test('a server that only names its version is refused by the client', async () => {
  const { client, calls, clock } = play({ contract: contractOf(1) as never }, (call) =>
    call.welcome({ cv: [7, 6] }),
  );
  await expect(clock.until(client.connect())).rejects.toMatchObject({
    code: 'ERR_CONTRACT_VERSION',
    serverVersion: 7,
    message: 'the server has version 7 of the contract, this client version 1',
  });
  expect(calls[0]?.hello).toMatchObject({ cv: [1, 1] });
  await clock.advance(120_000);
  expect(calls).toHaveLength(1);
  expect(calls[0]?.hungUp).toBeGreaterThan(0);
});
