import { RejectError, type TokenSource } from '@holdfast/client';
import { describe, expect, test } from 'vitest';
import { liteBed } from './lite-bed.js';
import { endOf, silent } from './people.js';
import { type Call, playLite } from './scripted.js';

type Ask = Parameters<Exclude<TokenSource, string>>[0];
const never = (): Promise<never> => new Promise(() => undefined);

/** A function that gives `t1`, `t2` …, and what it was asked. */
function source(answer: (n: number, ask: Ask) => unknown = (n) => `t${n}`) {
  const asked: Ask[] = [];
  const auth = ((ask: Ask) => answer(asked.push(ask), ask)) as TokenSource;
  return { auth, asked, reasons: () => asked.map(({ reason }) => reason) };
}

/** Lets everybody in for 100 s, and each fresh token for another 100 s. */
const forAWhile = {
  hello: (call: Call) => call.welcome({ exp: 100_000 }),
  frame: (call: Call) => call.tokens.length > 0 && call.accept(100_000),
};

describe('a function as auth', () => {
  test('its token goes with the HELLO; the same one after a cut', async () => {
    const { auth, asked } = source();
    const { client, clock, calls } = playLite({ auth });
    await clock.until(client.connect());
    calls[0]?.end(1006);
    await clock.advance(5_000);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['t1', 't1']);
    expect(asked).toHaveLength(1);
  });

  test('one that hangs is aborted after 10 s, and asked again by the next attempt', async () => {
    const { auth, asked, reasons } = source((n) => (n < 3 ? never() : 'at last'));
    const { client, clock, calls } = playLite({ auth });
    const connecting = client.connect();
    await clock.advance(9_999);
    expect(client.getState()).toMatchObject({ status: 'connecting', phase: 'preparing' });
    await clock.advance(1);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_TOKEN_SOURCE' } });
    await clock.until(connecting);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(reasons()).toEqual(['connect', 'connect', 'connect']);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['at last']);
  });

  test('an answer that comes after its attempt was given up dials nothing', async () => {
    const answers: ((token: string) => void)[] = [];
    const { auth } = source(() => new Promise((resolve) => answers.push(resolve)));
    const { client, clock, calls } = playLite({ auth, reconnect: { baseMs: 60_000, capMs: 60_000 } });
    void client.connect();
    await clock.advance(10_000);
    answers[0]?.('late');
    await clock.advance(1_000);
    await client.disconnect();
    void client.connect();
    await client.disconnect();
    answers[1]?.('late, too');
    await clock.advance(60_000);
    expect([calls, client.getState()]).toEqual([[], { status: 'idle' }]);
  });

  test('…and is not shown later: the next attempt asks anew', async () => {
    const answers: ((token: string) => void)[] = [];
    const { auth } = source((n) => (n < 2 ? new Promise((resolve) => answers.push(resolve)) : `t${n}`));
    const { client, clock, calls } = playLite({ auth });
    const connecting = client.connect();
    await clock.advance(10_000);
    answers[0]?.('old');
    await clock.until(connecting);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['t2']);
  });

  test.each([
    ['throws', () => JSON.parse('{')],
    ['rejects', () => Promise.reject(new Error('401'))],
    ['gives a number', () => 5],
  ])('one that %s: with a backoff, not in a loop; then it is in', async (_, fail) => {
    const { auth, asked } = source((n) => (n <= 6 ? fail() : 'good'));
    const { client, clock, calls, statuses } = playLite({ auth });
    const since = clock.now();
    await clock.until(client.connect());
    expect(clock.now() - since).toBeGreaterThan(2_000);
    expect(asked).toHaveLength(7);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['good']);
    expect(new Set(statuses)).toEqual(new Set(['connecting', 'reconnecting', 'connected']));
  });

  test('a RejectError: nobody is logged in, needs-auth; connect() asks again', async () => {
    const { auth } = source((n) => {
      if (n === 1) throw new RejectError('logged-out');
      return 'in';
    });
    const { client, clock } = playLite({ auth });
    const connecting = endOf(client.connect());
    await clock.advance(100);
    expect([connecting.end, client.getState()]).toMatchObject([
      'ERR_AUTH_REFUSED',
      { status: 'needs-auth', error: { reason: 'logged-out' } },
    ]);
    await clock.until(client.connect());
  });
});

describe('a token that expires', () => {
  test('is renewed in band when 80 % of its time have passed, again and again, on one connection', async () => {
    const { auth, reasons } = source();
    let renewed = 0;
    const { client, clock, calls, statuses } = playLite({ auth }, forAWhile.hello, (call) => {
      if (call.tokens.length > renewed) {
        renewed = call.tokens.length;
        call.accept(100_000);
      }
    });
    await clock.until(client.connect());
    await clock.advance(79_000);
    expect(calls[0]?.tokens).toEqual([]);
    await clock.advance(2_000);
    expect(calls[0]?.tokens).toEqual(['t2']);
    await clock.advance(160_000);
    expect(calls[0]?.tokens).toEqual(['t2', 't3', 't4']);
    expect([calls.length, new Set(reasons().slice(1))]).toEqual([1, new Set(['expiring'])]);
    expect(statuses).not.toContain('reconnecting');
  });

  test('a refresh that fails is told and tried again; the connection stands', async () => {
    const { auth } = source((n) => (n === 1 || n > 3 ? `t${n}` : Promise.reject(new Error('503'))));
    const { client, clock, calls, errors, statuses } = playLite({ auth }, forAWhile.hello, forAWhile.frame);
    await clock.until(client.connect());
    await clock.advance(100_000);
    expect([errors, calls[0]?.tokens]).toEqual([['ERR_TOKEN_SOURCE', 'ERR_TOKEN_SOURCE'], ['t4']]);
    expect(statuses).not.toContain('reconnecting');
  });

  test('a refresh that hangs is given up and asked for again; disconnect() asks for it no more', async () => {
    const { auth, asked } = source((n) => (n === 1 ? 't1' : never()));
    const { client, clock } = playLite({ auth }, forAWhile.hello);
    await clock.until(client.connect());
    await clock.advance(115_000);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.slice(1, -1).every(({ signal }) => signal.aborted)).toBe(true);
    await client.disconnect();
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
    await clock.advance(600_000);
    expect(clock.timers).toBe(0);
  });

  test('a refresh finds that nobody is logged in: needs-auth at once; connect() comes back to the session', async () => {
    const { auth } = source((n) => {
      if (n === 2) throw new RejectError('logged-out');
      return `t${n}`;
    });
    const { client, clock, calls, errors } = playLite({ auth }, forAWhile.hello, forAWhile.frame);
    await clock.until(client.connect());
    await clock.advance(99_000);
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_REFUSED' } });
    expect([calls[0]?.hungUp === undefined, errors]).toEqual([false, []]);
    await clock.until(client.connect());
    expect(calls.map(({ hello }) => [hello?.a, hello?.s])).toEqual([
      ['t1', undefined],
      ['t3', 's'],
    ]);
  });

  test('the server lost patience: another one, asked for as "rejected", and back to the session', async () => {
    const { auth, reasons } = source();
    const { client, clock, calls, statuses } = playLite({ auth }, forAWhile.hello);
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

  test('a text cannot be renewed: needs-auth, and nothing is tried any more', async () => {
    const { client, clock, calls } = playLite({ auth: 'old' });
    await clock.until(client.connect());
    calls[0]?.expire();
    await clock.advance(600_000);
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_EXPIRED' } });
    expect([calls.length, clock.timers]).toEqual([1, 0]);
  });

  test('a source whose tokens are all refused: needs-auth after a few, not a loop', async () => {
    const { auth, asked } = source();
    const { client, clock } = playLite({ auth }, (call) => call.expire());
    void client.connect();
    await clock.advance(600_000);
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_EXPIRED' } });
    expect(asked.length).toBeLessThan(5);
    void client.connect();
    await clock.advance(100);
    expect(client.getState().status).not.toBe('needs-auth');
  });

  test('refused by the server for good: needs-auth at once', async () => {
    const { auth, asked } = source();
    const { client, clock } = playLite({ auth }, (call) => {
      call.say([13, 'ERR_AUTH_REFUSED', 'banned']);
      call.end(4403);
    });
    const connecting = endOf(client.connect());
    await clock.advance(600_000);
    expect([connecting.end, asked.length]).toEqual(['ERR_AUTH_REFUSED', 1]);
  });
});

describe('another user after another', () => {
  const users = () => {
    const noted: string[] = [];
    let name = 'ada';
    const bed = liteBed({
      auth: (token = '') => ({ user: { id: token.split(' ')[0] ?? '' } }),
      setup(server) {
        server.rooms('*', { join: true, publish: true });
        server.on('note', (payload, { session }) => noted.push(`${session.user.id} ${payload}`));
        server.on('message', () => undefined);
      },
      logger: silent,
    });
    const become = (next: string): void => {
      name = next;
    };
    return { bed, noted, become, auth: () => name };
  };

  test('nothing said by one is sent as the other; who comes next speaks for itself', async () => {
    const { bed, noted, become, auth } = users();
    const { client, link, undelivered, lost } = await bed.connected({ auth });
    await bed.until(client.send('note', 'hers'));
    await bed.advance(100);
    link.freeze('up');
    const written = endOf(client.send('note', 'on the wire'));
    await bed.advance(10);
    link.refuse();
    link.cut();
    const waiting = endOf(client.send('note', 'waiting'));
    const asked = endOf(client.request('echo', 'waiting'));
    await bed.advance(10);
    // The server has put her out; who logs in next in the same page is somebody else.
    void bed.server.revoke({ userId: 'ada', expiresAt: bed.clock.now() + 600_000 });
    link.heal();
    await bed.advance(10_000);
    expect(client.getState().status).toBe('needs-auth');
    become('bob');
    await bed.until(client.connect());
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false, userId: 'bob' });
    const his = endOf(client.send('note', 'his'));
    await bed.advance(100);
    expect(noted).toEqual(['ada hers', 'bob his']);
    expect([written.end, waiting.end, asked.end, his.end]).toEqual([
      'ERR_SESSION_LOST unknown',
      'ERR_CLOSED unsent',
      'ERR_CLOSED unsent',
      'ok',
    ]);
    expect([undelivered.length, lost.length]).toEqual([3, 1]);
  });

  test('the same user with another token: what waited is sent', async () => {
    const { bed, noted, become, auth } = users();
    const { client } = await bed.connected({ auth });
    await client.disconnect();
    const waiting = endOf(client.send('note', 'waiting'));
    become('ada again');
    bed.stop();
    bed.start({ keepStore: false });
    await bed.until(client.connect());
    await bed.advance(100);
    expect([waiting.end, noted]).toEqual(['ok', ['ada waiting']]);
  });

  test('guests have another id in each session, and are nobody else', async () => {
    const noted: unknown[] = [];
    const bed = liteBed({ setup: (server) => void server.on('note', (payload) => noted.push(payload)) });
    const { client } = await bed.connected();
    await client.disconnect();
    const waiting = endOf(client.send('note', 'waiting'));
    bed.stop();
    bed.start({ keepStore: false });
    await bed.until(client.connect());
    await bed.advance(100);
    expect([waiting.end, noted]).toEqual(['ok', ['waiting']]);
  });
});
