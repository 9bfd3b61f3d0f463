import { type ClientOptions, RejectError, type TokenSource } from '@holdfast/client';
import { describe, expect, test } from 'vitest';
import { endOf } from './people.js';
import { type Call, play } from './scripted.js';

type Ask = Parameters<Exclude<TokenSource, string>>[0];
const never = (): Promise<never> => new Promise(() => undefined);

/** A function that gives `t1`, `t2` …, and what it was asked. */
function source(answer: (n: number, ask: Ask) => unknown = (n) => `t${n}`) {
  const asked: Ask[] = [];
  const auth = ((ask: Ask) => answer(asked.push(ask), ask)) as NonNullable<ClientOptions['auth']>;
  return { auth, asked, reasons: () => asked.map(({ reason }) => reason) };
}

describe('a function as auth', () => {
  test('its token goes with the HELLO; the same one after a cut', async () => {
    const { auth, asked } = source();
    const { client, clock, calls } = play({ auth });
    await clock.until(client.connect());
    calls[0]?.end(1006);
    await clock.advance(5_000);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['t1', 't1']);
    expect(asked).toHaveLength(1);
  });

  test('is seen as "preparing", and its time counts as that of the attempt', async () => {
    const { auth } = source(() => never());
    const { client, clock, calls, errors } = play({ auth });
    void client.connect().catch(() => undefined);
    expect(client.getState()).toMatchObject({ status: 'connecting', phase: 'preparing' });
    expect(client.inspect().timers).toEqual([{ name: 'token', dueAt: clock.now() + 10_000 }]);
    await clock.advance(9_999);
    expect(client.getState().status).toBe('connecting');
    await clock.advance(1);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_TOKEN_SOURCE' } });
    expect(calls).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('one that hangs is aborted after 10 s, and asked again by the next attempt', async () => {
    const { auth, asked, reasons } = source((n) => (n < 3 ? never() : 'at last'));
    const { client, clock, calls } = play({ auth });
    await clock.until(client.connect());
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(reasons()).toEqual(['connect', 'connect', 'connect']);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['at last']);
  });

  test('an answer that comes after its attempt was given up dials nothing', async () => {
    const answers: ((token: string) => void)[] = [];
    const { auth } = source(() => new Promise((resolve) => answers.push(resolve)));
    const { client, clock, calls } = play({ auth, reconnect: { baseMs: 60_000, capMs: 60_000 } });
    void client.connect().catch(() => undefined);
    await clock.advance(10_000);
    answers[0]?.('late');
    await clock.advance(1_000);
    expect(calls).toEqual([]);
    await client.disconnect();
    void client.connect().catch(() => undefined);
    await client.disconnect();
    answers[1]?.('late, too');
    await clock.advance(60_000);
    expect(calls).toEqual([]);
    expect(client.getState()).toEqual({ status: 'idle' });
  });

  test.each([
    ['throws', () => JSON.parse('{')],
    ['rejects', () => Promise.reject(new Error('401'))],
    ['gives a number', () => 5],
  ])('one that %s: with a backoff, not in a loop; then it is in', async (_, fail) => {
    const { auth, asked } = source((n) => (n <= 6 ? fail() : 'good'));
    const { client, clock, calls, statuses } = play({ auth });
    const since = clock.now();
    await clock.until(client.connect());
    expect(clock.now() - since).toBeGreaterThan(2_000);
    expect(asked).toHaveLength(7);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['good']);
    expect(new Set(statuses)).toEqual(new Set(['connecting', 'reconnecting', 'connected']));
  });

  test('in the upgrade: an entry of the subprotocols, and not in the HELLO', async () => {
    const { auth } = source(() => 'ünï');
    const { client, clock, calls } = play({ auth, tokenIn: 'subprotocol' });
    await clock.until(client.connect());
    const [, bearer = ''] = calls[0]?.protocols ?? [];
    const text = atob(bearer.replace('holdfast.bearer.', '').replaceAll('-', '+').replaceAll('_', '/'));
    expect(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0)))).toBe('ünï');
    expect(bearer).toMatch(/^holdfast\.bearer\.[\w-]+$/);
    expect(calls[0]?.hello).not.toHaveProperty('a');
    expect(calls[0]?.url).not.toMatch('ünï');
  });
});

/** Lets everybody in for 100 s, and each fresh token for another 100 s. */
const forAWhile = {
  hello: (call: Call) => call.welcome({ exp: 100_000 }),
  frame: (call: Call) => call.tokens.length > 0 && call.accept(100_000),
};

describe('a token that expires', () => {
  test('is renewed in band when 80 % of its time have passed, again and again, on one connection', async () => {
    const { auth, reasons } = source();
    let renewed = 0;
    const { client, clock, calls, statuses } = play({ auth }, forAWhile.hello, (call) => {
      if (call.tokens.length > renewed) {
        renewed = call.tokens.length;
        call.accept(100_000);
      }
    });
    await clock.until(client.connect());
    await clock.advance(71_000);
    expect(calls[0]?.tokens).toEqual([]);
    await clock.advance(17_100);
    expect(calls[0]?.tokens).toEqual(['t2']);
    await clock.advance(180_000);
    expect(calls[0]?.tokens.slice(0, 3)).toEqual(['t2', 't3', 't4'].slice(0, calls[0]?.tokens.length));
    expect(calls[0]?.tokens.length).toBeGreaterThanOrEqual(2);
    expect(calls).toHaveLength(1);
    expect(new Set(reasons().slice(1))).toEqual(new Set(['expiring']));
    expect(statuses.filter((status) => status === 'reconnecting')).toEqual([]);
  });

  test('a refresh that fails is told and tried again; the connection stands', async () => {
    const { auth } = source((n) => (n === 1 || n > 3 ? `t${n}` : Promise.reject(new Error('503'))));
    const { client, clock, calls, errors, statuses } = play({ auth }, forAWhile.hello, forAWhile.frame);
    await clock.until(client.connect());
    await clock.advance(100_000);
    expect(errors).toEqual(['ERR_TOKEN_SOURCE', 'ERR_TOKEN_SOURCE']);
    expect(calls[0]?.tokens).toEqual(['t4']);
    expect(statuses.filter((status) => status === 'reconnecting')).toEqual([]);
  });

  test('a refresh finds that nobody is logged in: needs-auth at once, told once; connect() comes back to the session', async () => {
    const { auth, reasons } = source((n) => {
      if (n === 2) throw new RejectError('logged-out');
      return `t${n}`;
    });
    const { client, clock, calls, errors } = play({ auth }, forAWhile.hello, forAWhile.frame);
    await clock.until(client.connect());
    await clock.advance(99_000);
    expect(client.getState()).toMatchObject({
      status: 'needs-auth',
      error: { code: 'ERR_AUTH_REFUSED', reason: 'logged-out' },
    });
    expect(calls[0]?.hungUp).toBeDefined();
    expect(reasons()).toEqual(['connect', 'expiring']);
    expect(errors).toEqual([]);
    await clock.until(client.connect());
    expect(calls.map(({ hello }) => [hello?.a, hello?.s])).toEqual([
      ['t1', undefined],
      ['t3', 's'],
    ]);
  });

  test('a refresh that hangs is given up after 10 s and asked for again; disconnect() asks for it no more', async () => {
    const { auth, asked } = source((n) => (n === 1 ? 't1' : never()));
    const { client, clock } = play({ auth }, forAWhile.hello);
    await clock.until(client.connect());
    await clock.advance(115_000);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.slice(1, -1).every(({ signal }) => signal.aborted)).toBe(true);
    await client.disconnect();
    await clock.settle();
    expect(asked.every(({ signal }, n) => n === 0 || signal.aborted)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('the server lost patience: another one, asked for as "rejected", and back to the session', async () => {
    const { auth, reasons } = source();
    const { client, clock, calls, statuses } = play({ auth }, forAWhile.hello);
    await clock.until(client.connect());
    calls[0]?.expire();
    await clock.advance(1_000);
    expect(reasons()).toEqual(['connect', 'rejected']);
    expect(calls.map(({ hello }) => [hello?.a, hello?.s])).toEqual([
      ['t1', undefined],
      ['t2', 's'],
    ]);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(statuses).not.toContain('needs-auth');
  });

  test('a text cannot be renewed: needs-auth; connect({ auth }) comes back to the session', async () => {
    const { client, clock, calls } = play({ auth: 'old' });
    await clock.until(client.connect());
    calls[0]?.expire();
    await clock.advance(600_000);
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_EXPIRED' } });
    expect(calls).toHaveLength(1);
    expect(clock.timers).toBe(0);
    await clock.until(client.connect({ auth: 'new' }));
    expect(calls[1]?.hello).toMatchObject({ a: 'new', s: 's' });
  });

  test('another source in the middle of a refresh: the answer of the first goes nowhere', async () => {
    let late: (token: string) => void = () => undefined;
    const { auth, asked } = source((n) => (n === 1 ? 't1' : new Promise((resolve) => (late = resolve))));
    const { client, clock, calls, errors } = play({ auth }, forAWhile.hello);
    await clock.until(client.connect());
    for (let n = 0; n < 90 && asked.length < 2; n++) await clock.advance(1_000);
    expect(asked).toHaveLength(2);
    const connecting = client.connect({ auth: 'fixed' });
    late('of the first');
    await clock.until(connecting);
    await clock.advance(90_000);
    expect(calls.map(({ hello, tokens }) => [hello?.a, tokens])).toEqual([
      ['t1', []],
      ['fixed', []],
    ]);
    expect(errors).toEqual([]);
  });
});

describe('tokens that the server does not take', () => {
  test('nor when it has ended the session: connect() asks for another, for whoever is logged in by then', async () => {
    const { auth } = source();
    const { client, clock, calls } = play({ auth }, forAWhile.hello);
    await clock.until(client.connect());
    calls[0]?.say([13, 'ERR_SESSION_ENDED', 'logged out']);
    calls[0]?.end(4401, 'ERR_SESSION_ENDED');
    await clock.advance(1_000);
    expect(client.getState()).toMatchObject({ status: 'failed', error: { code: 'ERR_SESSION_ENDED' } });
    await clock.until(client.connect());
    expect(calls.map(({ hello }) => [hello?.a, hello?.s])).toEqual([
      ['t1', undefined],
      ['t2', undefined],
    ]);
  });

  test('two fresh ones in a row: needs-auth, and no more dials', async () => {
    const { auth, reasons } = source();
    const { client, clock, calls } = play({ auth }, (call) => call.expire());
    expect(endOf(client.connect()).times).toBe(0);
    await clock.advance(600_000);
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_EXPIRED' } });
    expect(calls).toHaveLength(2);
    expect(reasons()).toEqual(['connect', 'rejected']);
  });

  test('let in and sent away at once, for ever: not in a loop', async () => {
    const { auth } = source();
    const { client, clock, calls } = play({ auth }, (call) => {
      call.welcome({ exp: 60_000 });
      call.expire();
    });
    void client.connect();
    await clock.advance(60_000);
    expect(calls.length).toBeLessThan(20);
    const before = calls.length;
    await clock.advance(600_000);
    expect(calls.length - before).toBeLessThan(80);
  });

  test('a refused one is not shown again: connect(), with the same function or without, asks for another', async () => {
    const { auth, reasons } = source();
    const { client, clock, calls } = play({ auth }, (call) => {
      if (call.hello?.a === 't3') return call.welcome();
      call.say([13, 'ERR_AUTH_REFUSED', 'banned']);
      call.end(3003, 'banned');
    });
    await expect(clock.until(client.connect())).rejects.toMatchObject({
      code: 'ERR_AUTH_REFUSED',
      reason: 'banned',
    });
    await expect(clock.until(client.connect())).rejects.toMatchObject({ code: 'ERR_AUTH_REFUSED' });
    await clock.until(client.connect({ auth }));
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['t1', 't2', 't3']);
    expect(reasons()).toEqual(['connect', 'rejected', 'rejected']);
  });
});

describe('a function as url', () => {
  test('is called for each attempt, with its number', async () => {
    const attempts: number[] = [];
    const url = ({ attempt }: { attempt: number }) => {
      attempts.push(attempt);
      return Promise.resolve(`wss://node-${attempt}.example/realtime`);
    };
    const { client, clock, calls } = play({ url }, (call, n) => (n < 3 ? call.end(1013) : call.welcome()));
    await clock.until(client.connect());
    expect(attempts).toEqual([1, 2, 3]);
    expect(calls.map((call) => call.url)).toEqual([1, 2, 3].map((n) => `wss://node-${n}.example/realtime`));
  });

  test.each([
    ['throws', () => JSON.parse('{'), 'ERR_TOKEN_SOURCE'],
    ['gives none', () => Promise.resolve('nowhere'), 'ERR_TOKEN_SOURCE'],
    ['holds a token', () => 'wss://x/?token=secret', 'ERR_TOKEN_SOURCE'],
    ['hangs', never, 'ERR_TOKEN_SOURCE'],
  ])('that %s: the next attempt asks again', async (_, url, code) => {
    const { client, clock, calls } = play({ url });
    void client.connect().catch(() => undefined);
    await clock.advance(10_000);
    expect(client.getState()).toMatchObject({ status: 'reconnecting', lastError: { code } });
    await clock.advance(60_000);
    expect(client.getState()).toMatchObject({ status: 'reconnecting' });
    expect(calls).toEqual([]);
    await client.disconnect();
    await clock.settle();
    expect(clock.timers).toBe(0);
  });
});
