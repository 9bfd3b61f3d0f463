import { defineContract, type Schema } from '@holdfast/client';
import { RejectError, type ServerSession } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { held, pair } from './asking.js';
import { endOf } from './people.js';

// The server asks, the client answers: `session.request()` and `client.handle()`.

describe('an answer', () => {
  test('comes back, of a handler that is told which request it is', async () => {
    const { bed, client, session, outcome } = await pair();
    const asked: unknown[] = [];
    client.handle('double', async (input, { signal, ...meta }) => {
      asked.push([signal.aborted, meta]);
      return Number(input) * 2;
    });
    const at = Math.floor(bed.clock.now());
    expect(await outcome(session.request('double', 21))).toBe(42);
    const meta = { id: expect.stringMatching(/^.{22}$/), at, seq: 1, redelivered: false };
    expect(asked).toEqual([[false, { ...meta, from: undefined, room: undefined, sentAt: undefined }]]);
  });

  test('may be undefined or null, and so may what is asked', async () => {
    const { client, session, outcome } = await pair();
    client.handle('same', (input) => input);
    expect(await outcome(session.request('same'))).toBe(undefined);
    expect(await outcome(session.request('same', null))).toBe(null);
  });

  test('has a name when it is none, and says nothing of what the handler threw', async () => {
    const { client, session, outcome } = await pair();
    const errors: string[] = [];
    client.onError(({ code, message }) => errors.push(`${code} ${message}`));
    client.handle('refuse', () => {
      throw new RejectError('not-now', { data: { until: 5 } });
    });
    client.handle('break', async () => {
      throw new Error('secret');
    });
    client.handle('unspeakable', () => () => 'secret');
    client.handle('huge', () => 'x'.repeat(1_100_000));
    expect(await outcome(session.request('nothing'))).toBe('ERR_NO_HANDLER rejected');
    const refusal = session.request('refuse').catch((error: unknown) => error);
    expect(await outcome(refusal)).toMatchObject({
      ...{ code: 'ERR_REJECTED', delivery: 'rejected', reason: 'not-now', data: { until: 5 } },
    });
    expect(errors).toEqual([]);
    for (const method of ['break', 'unspeakable', 'huge']) {
      const failure = await outcome(session.request(method).catch((error: unknown) => error));
      expect(failure).toMatchObject({ code: 'ERR_HANDLER_FAILED', delivery: 'rejected' });
      expect(String(failure)).not.toContain('secret');
    }
    expect(errors).toEqual([
      expect.stringContaining('secret'),
      expect.stringContaining('no word for a function'),
      expect.stringContaining('at most 10485'),
    ]);
    // And the connection goes on.
    expect(client.getState().status).toBe('connected');
  });

  test('comes once, over cuts of every kind', async () => {
    const { bed, client, session, outcome } = await pair();
    const { handler, answers, signals } = held();
    client.handle('slow', handler);
    const answer = session.request('slow');
    await bed.advance(10);
    bed.cut(client);
    await bed.advance(2_000);
    expect(signals[0]?.aborted).toBe(false);
    // Answered while nobody is there, and lost with the connection that was to carry it.
    bed.freeze(client);
    answers[0]?.('late');
    await bed.advance(100);
    bed.cut(client);
    bed.heal(client);
    expect(await outcome(answer)).toBe('late');
    expect(answers).toHaveLength(1);
  });

  test('waits for a client that is away', async () => {
    const { bed, client, session, outcome } = await pair();
    client.handle('echo', (input) => input);
    bed.cut(client);
    bed.refuse(client);
    const answer = session.request('echo', 'later', { timeoutMs: 60_000 });
    await bed.advance(10_000);
    bed.heal(client);
    expect(await outcome(answer)).toBe('later');
  });
});

describe('who gives up', () => {
  test('by the deadline: unknown, and the handler hears of it', async () => {
    const { bed, client, session, outcome } = await pair();
    const { handler, answers, signals } = held();
    client.handle('slow', handler);
    expect(await outcome(session.request('slow', 1, { timeoutMs: 500 }))).toBe('ERR_TIMEOUT unknown');
    await bed.advance(10);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(signals[0]?.reason).toMatchObject({ reason: 'cancelled' });
    // What it gives then is for nobody.
    answers[0]?.('too late');
    await bed.advance(10);
    expect(client.getOutbox().inflight).toBe(0);
  });

  test('after 30 s, where nothing else was said', async () => {
    const { bed, client, session } = await pair();
    client.handle('slow', held().handler);
    const answer = endOf(session.request('slow'));
    await bed.advance(29_999);
    expect(answer.end).toBe('open');
    await bed.advance(1);
    expect(answer.end).toBe('ERR_TIMEOUT unknown');
  });

  test('by a signal: with its reason', async () => {
    const { bed, client, session, outcome } = await pair();
    const { handler, signals } = held();
    client.handle('slow', handler);
    const aborter = new AbortController();
    const answer = session.request('slow', 1, { signal: aborter.signal });
    await bed.advance(10);
    aborter.abort(new Error('enough'));
    expect(await outcome(answer)).toEqual(new Error('enough'));
    await bed.advance(10);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await outcome(session.request('slow', 1, { signal: aborter.signal }))).toEqual(
      new Error('enough'),
    );
    await bed.advance(10);
    expect(signals).toHaveLength(1);
  });

  test('before it was written: unsent, and it never comes', async () => {
    const { bed, client, session, outcome } = await pair();
    const asked: unknown[] = [];
    client.handle('echo', (input) => asked.push(input));
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(50);
    const aborter = new AbortController();
    const aborted = outcome(session.request('echo', 'aborted', { signal: aborter.signal }));
    const late = outcome(session.request('echo', 'late', { timeoutMs: 500 }));
    const kept = outcome(session.request('echo', 'kept'));
    aborter.abort('enough');
    expect(await late).toBe('ERR_TIMEOUT unsent');
    expect(await aborted).toBe('enough');
    bed.heal(client);
    await kept;
    expect(asked).toEqual(['kept']);
  });

  test('of what was written and did not arrive: it is not written again', async () => {
    const { bed, client, session, outcome } = await pair();
    const asked: unknown[] = [];
    const gaps: unknown[] = [];
    client.onGap((gap) => gaps.push(gap));
    client.handle('echo', (input) => asked.push(input));
    bed.freeze(client);
    expect(await outcome(session.request('echo', 1, { timeoutMs: 500 }))).toBe('ERR_TIMEOUT unknown');
    bed.cut(client);
    bed.heal(client);
    await bed.until(client.connect());
    await outcome(session.request('echo', 2));
    expect(asked).toEqual([2]);
    expect(gaps).toEqual([]);
  });
});

describe('the end of a session', () => {
  test.each([
    ['the client closes', 'ERR_CLOSED'],
    ['the session expires', 'ERR_SESSION_LOST'],
  ])('%s: the handler hears of it, and who asked', async (how, code) => {
    const { bed, client, session, outcome } = await pair({ sessionTtlMs: 1_000 });
    const { handler, signals, answers } = held();
    client.handle('slow', handler);
    const answer = outcome(session.request('slow', 1, { timeoutMs: 60_000 }));
    await bed.advance(10);
    if (how === 'the client closes') await client.close();
    else {
      bed.cut(client);
      bed.refuse(client);
      await bed.advance(10_000);
      bed.heal(client);
      await bed.until(client.connect());
    }
    expect(await answer).toBe('ERR_SESSION_LOST unknown');
    expect(signals.map(({ reason }) => reason.code)).toEqual([code]);
    // The next session has numbers of its own: this is no answer to one of them.
    answers[0]?.('for nobody');
    await bed.advance(10);
    expect(client.getOutbox().inflight).toBe(0);
    expect(await outcome(session.request('slow'))).toBe('ERR_CLOSED unsent');
  });

  test('what was never written is unsent', async () => {
    const { bed, client, session, outcome } = await pair({ sessionTtlMs: 1_000 });
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(50);
    expect(await outcome(session.request('slow', 1, { timeoutMs: 60_000 }))).toBe('ERR_CLOSED unsent');
  });

  test('the server goes: nobody knows', async () => {
    const { bed, client, session, outcome } = await pair();
    client.handle('slow', held().handler);
    const answer = outcome(session.request('slow', 1));
    await bed.advance(10);
    await bed.until(bed.server.close());
    expect(await answer).toBe('ERR_SESSION_LOST unknown');
  });
});

describe('a contract', () => {
  const text: Schema<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'string' ? { value } : { issues: [{ message: 'must be a text', path: ['a', 0] }] },
    },
  };
  const contract = defineContract({
    requests: { up: { input: text, output: text } },
    serverRequests: { name: { input: text, output: text } },
  });

  test('is checked at both ends', async () => {
    const { bed, session, outcome } = await pair({ contract });
    const checking = bed.createClient({ contract });
    const errors: string[] = [];
    checking.onError(({ message }) => errors.push(message));
    const trusting = bed.createClient();
    const sessions: ServerSession[] = [];
    bed.server.onSession((one) => sessions.push(one));
    await bed.until(Promise.all([checking.connect(), trusting.connect()]));
    const [ofChecking, ofTrusting] = sessions as [ServerSession, ServerSession];
    const issues = [{ message: 'must be a text', path: ['a', '0'] }];

    await expect(session.request('name', 5)).rejects.toMatchObject({
      ...{ code: 'ERR_INVALID_PAYLOAD', delivery: 'unsent', issues: [{ message: 'must be a text' }] },
    });
    trusting.handle('name', () => 5);
    expect(await outcome(ofTrusting.request('name', 'x'))).toBe('ERR_INVALID_PAYLOAD rejected');
    checking.handle('name', (input) => (input === 'good' ? 'fine' : 5));
    expect(await outcome(ofChecking.request('name', 'good'))).toBe('fine');
    expect(await outcome(ofChecking.request('name', 'bad'))).toBe('ERR_HANDLER_FAILED rejected');
    expect(errors).toEqual([
      expect.stringContaining('the reply does not fit the contract: a.0: must be a text'),
    ]);

    expect(() => ofChecking.request('up', 'x')).toThrow("request('up'): the contract has no such request");
    expect(() => checking.handle('up', () => 'x')).toThrow("handle('up'): the contract has no such request");
    // A server without the contract: what it asks is checked by who has one.
    const other = await pair();
    const strict = other.bed.createClient({ contract });
    strict.handle('name', (input) => input);
    await other.bed.until(strict.connect());
    const asked = (other.sessions[1] as ServerSession).request('name', 5).catch((error: unknown) => error);
    expect(await other.outcome(asked)).toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'rejected',
      issues,
    });
  });

  test('misuse throws a TypeError that names what was wrong', async () => {
    const { client, session } = await pair();
    const stop = client.handle('name', () => 1);
    expect(() => client.handle('name', () => 2)).toThrow("handle('name'): there is a handler already");
    stop();
    stop();
    client.handle('name', () => 2);
    expect(() => client.handle('$name', () => 1)).toThrow("'$name' begins with '$'");
    expect(() => client.handle('x', 5 as never)).toThrow("handle('x'): a function is needed");
    expect(() => session.request('x', 1, { timeoutMs: -1 })).toThrow("request('x') timeoutMs must be");
    expect(() => session.request('x', 1, { id: 'y' } as never)).toThrow("unknown option 'id'");
    expect(() => session.request('x', 1, { signal: 5 as never })).toThrow('signal must be an AbortSignal');
    expect(() => session.request('')).toThrow('1 to 128 characters');
  });

  test('what the codec has no word for is not asked', async () => {
    const { session, outcome } = await pair();
    expect(await outcome(session.request('x', () => undefined))).toBe('ERR_INVALID_PAYLOAD unsent');
  });
});
