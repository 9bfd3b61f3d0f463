import { defineContract, isHoldfastError, type Schema } from '@holdfast/client';
import { RejectError, type ServerSession } from '@holdfast/server';
import { createTestbed, type Testbed } from '@holdfast/testing';
import { afterEach, describe, expect, test } from 'vitest';

let bed: Testbed;
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  expect(bed.clock.timers).toBe(0);
});

/** How it ended: the value, or code and delivery of the error. */
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  bed.until(
    promise.then(
      (value) => value,
      (error: unknown) =>
        isHoldfastError(error) && 'delivery' in error ? [error.code, error.delivery] : error,
    ),
  );
async function connected(auth?: string) {
  const client = bed.createClient(auth === undefined ? {} : { auth });
  await bed.until(client.connect());
  return client;
}

describe('events and requests', () => {
  test('a handler is told who, when and which; its answer comes back', async () => {
    const calls: unknown[] = [];
    bed = createTestbed({
      auth: (token) => ({ user: { id: token ?? 'guest' } }),
      setup(server) {
        server.on('note', (payload, { session, signal, ...meta }) =>
          calls.push([payload, session.user, signal.aborted, meta]),
        );
        server.handle('double', async (input, { session }) => [session.user.id, Number(input) * 2]);
      },
    });
    const client = await connected('ada');
    const at = Math.floor(bed.clock.now() + 5);
    expect(await outcome(client.send('note', { a: [1, 'ü', null] }, { id: 'my-id' }))).toEqual({
      id: 'my-id',
      outcome: 'acknowledged',
    });
    expect(calls).toEqual([
      [
        { a: [1, 'ü', null] },
        { id: 'ada' },
        false,
        { id: 'my-id', at, sentAt: at - 5, seq: 1, room: undefined, from: 'ada', redelivered: false },
      ],
    ]);
    expect(await outcome(client.request('double', 21))).toEqual(['ada', 42]);
  });

  test('undefined stays undefined, null stays null, in every direction', async () => {
    const got: unknown[] = [];
    bed = createTestbed({
      setup(server) {
        server.on('up', (payload) => got.push(payload));
        server.handle('same', (input) => input);
        server.onSession((session) => {
          session.send('down');
          session.send('down', null);
        });
      },
    });
    const client = bed.createClient();
    client.on('down', (payload) => got.push(payload));
    await bed.until(client.connect());
    await bed.until(Promise.all([client.send('up'), client.send('up', null)]));
    expect(await bed.until(client.request('same'))).toBe(undefined);
    expect(await bed.until(client.request('same', null))).toBe(null);
    expect(got).toEqual([undefined, null, undefined, null]);
  });

  test('what goes wrong at the server has a name at the client', async () => {
    const reports: unknown[] = [];
    bed = createTestbed({
      setup(server) {
        server.onError((error, where) => reports.push([(error as Error).message, where.name]));
        server.on('refuse', () => {
          throw new RejectError('not-today', { data: { until: 'tomorrow' } });
        });
        server.on('break', () => {
          throw new Error('secret detail');
        });
        server.handle('refuse-ask', async () => {
          throw new RejectError('not-today');
        });
        server.handle('break-ask', async () => {
          throw new Error('secret detail');
        });
        server.handle('unspeakable', () => () => 1);
      },
    });
    const client = await connected();
    // Not a word of what the server keeps to itself.
    await expect(bed.until(client.request('break-ask'))).rejects.toThrow(
      "the handler of 'break-ask' failed: see the log of the server",
    );
    const undelivered: string[] = [];
    client.onUndelivered(({ event }, { code }) => undelivered.push(`${event} ${code}`));
    await expect(bed.until(client.send('refuse', 1))).rejects.toMatchObject({
      code: 'ERR_REJECTED',
      delivery: 'rejected',
      reason: 'not-today',
      data: { until: 'tomorrow' },
    });
    // An event whose handler failed was accepted all the same: it is reported where it failed.
    expect(await outcome(client.send('break', 1))).toMatchObject({ outcome: 'acknowledged' });
    expect(await outcome(client.request('refuse-ask'))).toEqual(['ERR_REJECTED', 'rejected']);
    expect(await outcome(client.request('break-ask'))).toEqual(['ERR_HANDLER_FAILED', 'rejected']);
    expect(await outcome(client.request('unspeakable'))).toEqual(['ERR_HANDLER_FAILED', 'rejected']);
    expect(await outcome(client.request('nobody'))).toEqual(['ERR_NO_HANDLER', 'rejected']);
    expect(await outcome(client.send('nobody', 1))).toEqual(['ERR_NO_HANDLER', 'rejected']);
    expect(undelivered).toEqual([
      'refuse ERR_REJECTED',
      'refuse-ask ERR_REJECTED',
      'break-ask ERR_HANDLER_FAILED',
      'unspeakable ERR_HANDLER_FAILED',
      'nobody ERR_NO_HANDLER',
      'nobody ERR_NO_HANDLER',
    ]);
    expect(reports).toMatchObject([
      ['secret detail', 'break-ask'],
      ['secret detail', 'break'],
      ['secret detail', 'break-ask'],
      ['JSON has no word for a function', 'unspeakable'],
    ]);
  });

  test('a handler is told that nobody waits any more: timeout, abort, close', async () => {
    const aborted: string[] = [];
    bed = createTestbed({
      setup(server) {
        server.handle(
          'wait',
          (name, { signal }) =>
            new Promise(() => signal.addEventListener('abort', () => aborted.push(String(name)))),
        );
      },
    });
    const client = await connected();
    expect(await outcome(client.request('wait', 'timeout', { timeoutMs: 1_000 }))).toEqual([
      'ERR_TIMEOUT',
      'unknown',
    ]);
    await bed.advance(20);
    expect(aborted).toEqual(['timeout']);
    const aborter = new AbortController();
    const given = client.request('wait', 'abort', { signal: aborter.signal });
    await bed.advance(20);
    aborter.abort('enough');
    expect(await outcome(given)).toBe('enough');
    await bed.advance(20);
    expect(aborted).toEqual(['timeout', 'abort']);
    const last = client.request('wait', 'close');
    await bed.advance(20);
    await client.close();
    expect(await outcome(last)).toEqual(['ERR_CLOSED', 'unknown']);
    await bed.advance(20);
    expect(aborted).toEqual(['timeout', 'abort', 'close']);
  });

  test('the default timeout of a request is 30 s', async () => {
    bed = createTestbed({ setup: (server) => server.handle('never', () => new Promise(() => undefined)) });
    const client = await connected();
    const start = bed.clock.now();
    expect(await outcome(client.request('never'))).toEqual(['ERR_TIMEOUT', 'unknown']);
    expect(bed.clock.now() - start).toBeCloseTo(30_000, -2);
  });
});

describe('a contract', () => {
  const text: Schema<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'string' ? { value } : { issues: [{ message: 'must be a text', path: ['here'] }] },
    },
  };
  const upper: Schema<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value: String(value).toUpperCase() }),
    },
  };
  const contract = defineContract({
    events: { say: text },
    clientEvents: { up: upper },
    serverEvents: { down: upper },
    requests: { shout: { input: text, output: upper } },
  });

  test('is checked at both ends; the receiver gets what the schema makes of it', async () => {
    const heard: unknown[] = [];
    const checked = createTestbed({
      contract,
      setup(server) {
        server.on('up', (payload) => heard.push(payload));
        server.handle('shout', (input) => `${input}!`);
        server.onSession((session) => {
          session.send('down', 'from the server');
        });
        expect(() => server.on('nothing' as 'up', () => undefined)).toThrow(
          "on('nothing'): the contract has no such event",
        );
        expect(() => server.handle('say' as 'shout', () => '')).toThrow(
          "handle('say'): the contract has no such request",
        );
        expect(() => server.to('x').send('up' as 'down', 'x')).toThrow(
          "send('up'): the contract has no such event for servers",
        );
      },
    });
    bed = checked as unknown as Testbed;
    const client = checked.createClient({ contract });
    client.on('down', (payload) => heard.push(payload));
    await bed.until(client.connect());
    await bed.until(client.send('up', 'from the client'));
    expect(await bed.until(client.request('shout', 'hey'))).toBe('HEY!');
    expect(heard).toEqual(['FROM THE SERVER', 'FROM THE CLIENT']);
    await expect(bed.until(client.send('say', 7 as unknown as string))).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'unsent',
      message: "'say' does not fit the contract: here: must be a text",
      issues: [{ message: 'must be a text', path: ['here'] }],
    });
    expect(() => client.send('down' as 'up', 'x')).toThrow(
      "send('down'): the contract has no such event for clients",
    );
    await expect(bed.until(bed.server.to('r').send('say', 7))).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
    });
  });

  test('the server does not trust a client that checks nothing', async () => {
    const handled: unknown[] = [];
    const checked = createTestbed({
      contract,
      setup: (server) => server.on('say', (payload) => handled.push(payload)),
    });
    bed = checked as unknown as Testbed;
    const client = checked.createClient();
    await bed.until(client.connect());
    await expect(bed.until(client.send('say', 7 as unknown as string))).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'rejected',
      issues: [{ message: 'must be a text', path: ['here'] }],
    });
    expect(await outcome(client.send('unheard-of' as 'say', 'x'))).toEqual(['ERR_NO_HANDLER', 'rejected']);
    expect(await outcome(client.send('say', 'fine'))).toMatchObject({ outcome: 'acknowledged' });
    expect(handled).toEqual(['fine']);
  });
});

describe('who one is', () => {
  test('guests are called as their session; a refused token needs another, which connect takes', async () => {
    bed = createTestbed({
      auth(token) {
        if (token === 'bad') throw new RejectError('unknown');
        return { user: { id: token ?? 'nobody' } };
      },
    });
    const client = bed.createClient({ auth: 'bad' });
    await expect(bed.until(client.connect())).rejects.toMatchObject({
      code: 'ERR_AUTH_REFUSED',
      message: 'the server refused the token: unknown',
      reason: 'unknown',
    });
    expect(client.getState().status).toBe('needs-auth');
    await bed.advance(600_000);
    expect(bed.dials(client)).toBe(1);
    await bed.until(client.connect({ auth: 'good' }));
    expect(client.getState()).toMatchObject({ status: 'connected', userId: 'good' });
  });

  test('what waited for one user is never sent as another', async () => {
    const said: unknown[] = [];
    bed = createTestbed({
      auth: (token) => ({ user: { id: token ?? '' } }),
      setup: (server) => server.on('say', (payload, { from }) => said.push([from, payload])),
    });
    const client = await connected('ada');
    client.disconnect();
    const waiting = client.send('say', 'I am Ada');
    await bed.until(client.connect({ auth: 'grace' }));
    expect(await outcome(waiting)).toEqual(['ERR_CLOSED', 'unsent']);
    await bed.until(client.send('say', 'I am Grace'));
    expect(said).toEqual([['grace', 'I am Grace']]);
  });

  test('sessions begin and end in sight of the application', async () => {
    const story: string[] = [];
    const sessions: ServerSession[] = [];
    bed = createTestbed({
      auth: (token) => ({ user: { id: token ?? '' } }),
      setup(server) {
        server.rooms('*', { join: true });
        server.onSession((session) => {
          sessions.push(session);
          story.push(`${session.user.id} came`);
        });
        server.onSessionEnd((session, { reason }) =>
          story.push(`${session.user.id} ${reason} from ${[...session.rooms]}`),
        );
      },
    });
    const ada = await connected('ada');
    const grace = await connected('grace');
    await bed.until(ada.room('x').join());
    expect(bed.server.stats()).toMatchObject({ connections: 2, sessions: 2, users: 2, rooms: 1, errors: 0 });
    const sent = sessions[1]?.send('bye', 1) ?? Promise.resolve();
    await ada.close();
    bed.freeze(grace);
    await bed.advance(60_000);
    expect(bed.server.stats()).toMatchObject({ connections: 0, sessions: 1 });
    await bed.advance(150_000);
    expect(story).toEqual(['ada came', 'grace came', 'ada closed from x', 'grace expired from ']);
    expect(await outcome(sent)).toEqual(['ERR_SESSION_LOST', 'unknown']);
    expect(bed.server.stats()).toMatchObject({ connections: 0, sessions: 0, users: 0, rooms: 0 });
    grace.onError(() => undefined);
    bed.heal(grace);
  });
});
