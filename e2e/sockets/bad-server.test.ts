import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { isHoldfastError } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bystander, clientOf, eventually, hostileServer, listening, serve, soon, WELCOME } from './peers.js';

// Each line here is a server that does wrong; our client names it and tries again or stops, and never crashes.

const PATIENT = { reconnect: { baseMs: 60_000, capMs: 60_000 } };

/** The state that the trouble leads to, and its error. */
async function troubleOf(client: ReturnType<typeof clientOf>) {
  const state = await eventually(() => {
    const now = client.getState();
    return now.status === 'reconnecting' || 'error' in now ? now : false;
  }, 'trouble');
  const error = 'error' in state ? state.error : state.lastError;
  expect(isHoldfastError(error)).toBe(true);
  return { status: state.status, code: error.code, message: error.message };
}

describe('a server that cannot be reached', () => {
  test('is not there: a dial that failed, with the reason of the system', async () => {
    const http = createServer();
    const port = await listening(http);
    await new Promise((resolve) => http.close(resolve));
    const client = clientOf(`ws://127.0.0.1:${port}/realtime`, PATIENT);
    client.connect().catch(() => undefined);
    expect(await troubleOf(client)).toEqual({
      status: 'reconnecting',
      code: 'ERR_DIAL_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const { url } = await serve();
    const other = await bystander(url);
    await other.noticedNothing();
  });

  test('gives up after maxAttempts, with the last reason as cause; connect() tries again', async () => {
    const http = createServer();
    const port = await listening(http);
    await new Promise((resolve) => http.close(resolve));
    const client = clientOf(`ws://127.0.0.1:${port}`, { reconnect: { maxAttempts: 2, baseMs: 1 } });
    for (let round = 0; round < 2; round++) {
      await expect(soon(client.connect(), 'giving up')).rejects.toMatchObject({
        code: 'ERR_GAVE_UP',
        message: expect.stringContaining('2 attempts'),
        cause: { code: 'ERR_DIAL_FAILED' },
      });
      expect(client.getState().status).toBe('failed');
    }
  });

  test('accepts and hangs up at once, or says rubbish before the upgrade', async () => {
    for (const speech of ['', 'SSH-2.0-OpenSSH_9.6\r\n', '\x15\x03\x01\x00\x02\x02\x46']) {
      const tcp = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(speech);
      });
      onTestFinished(() => void tcp.close());
      const client = clientOf(`ws://127.0.0.1:${await listening(tcp)}`, PATIENT);
      client.connect().catch(() => undefined);
      expect(await troubleOf(client)).toMatchObject({ status: 'reconnecting', code: 'ERR_DIAL_FAILED' });
    }
  });

  test('close() while the upgrade is not answered: no crash, no second dial', async () => {
    let dials = 0;
    const tcp = createTcpServer((socket) => {
      dials++;
      socket.on('error', () => undefined);
    });
    onTestFinished(() => void tcp.close());
    const client = clientOf(`ws://127.0.0.1:${await listening(tcp)}`, { reconnect: { baseMs: 1, capMs: 1 } });
    const connecting = expect(client.connect()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await eventually(() => dials === 1, 'the dial');
    await client.close();
    await connecting;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(dials).toBe(1);
    expect(client.getState().status).toBe('closed');
  });

  test.each([200, 301, 401, 403, 404, 429, 500, 502, 503])(
    'answers the upgrade with HTTP %i and a page: a dial that failed, with the number',
    async (status) => {
      const page = '<!doctype html><title>Welcome to our Wi-Fi</title>'.repeat(100);
      const http = createServer((_request, response) => response.writeHead(status).end(page));
      http.on('upgrade', (_request, socket) => {
        socket.end(`HTTP/1.1 ${status} X\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n${page}`);
      });
      onTestFinished(() => void http.close());
      const client = clientOf(`ws://127.0.0.1:${await listening(http)}/realtime`, PATIENT);
      client.connect().catch(() => undefined);
      expect(await troubleOf(client)).toEqual({
        status: 'reconnecting',
        code: 'ERR_DIAL_FAILED',
        message: expect.stringContaining(String(status)),
      });
    },
  );

  test('is ours, but refuses the upgrade: 404 for another path', async () => {
    const { url } = await serve();
    const other = await bystander(url);
    const client = clientOf(url.replace('realtime', 'elsewhere'), PATIENT);
    client.connect().catch(() => undefined);
    expect(await troubleOf(client)).toMatchObject({
      code: 'ERR_DIAL_FAILED',
      message: expect.stringContaining('404'),
    });
    await other.noticedNothing();
  });
});

const answers: readonly (readonly [what: string, data: unknown, code: string, named: RegExp])[] = [
  ['text that is no JSON', '<html>', 'ERR_PROTOCOL', /not JSON/],
  ['JSON that is no frame', { ok: true }, 'ERR_PROTOCOL', /frame must be an array, not object/],
  ['bytes', new Uint8Array([0x92, 0, 0]), 'ERR_PROTOCOL', /JSON comes in text frames/],
  ['an event', [0, 1, [2, 'hello', 1]], 'ERR_PROTOCOL', /must hold a WELCOME, alone, or a BYE/],
  [
    'a HELLO',
    [0, 0, [0, { v: 1, c: 'x', n: 1, w: [1, 1] }]],
    'ERR_PROTOCOL',
    /must hold a WELCOME, alone, or a BYE/,
  ],
  ['an empty frame', [0, 0], 'ERR_PROTOCOL', /must hold a WELCOME, alone, or a BYE/],
  ['a WELCOME without limits', [0, 0, [1, { v: 1, s: 's', q: 0, u: 'u', h: 1 }]], 'ERR_PROTOCOL', /\.?w/],
  ['a verdict that there is not', welcome({ q: 7 }), 'ERR_PROTOCOL', /\.q must be/],
  ['a window of nothing', welcome({ w: [0, 0] }), 'ERR_PROTOCOL', /must be a whole number|start at 1/],
  ['a WELCOME of version 2', welcome({ v: 2 }), 'ERR_PROTOCOL_VERSION', /version 2 .* version 1/],
  ['BYE for the version', [0, 0, [13, 'ERR_PROTOCOL_VERSION', 'update']], 'ERR_PROTOCOL_VERSION', /update/],
  ['BYE for the token', [0, 0, [13, 'ERR_AUTH_REFUSED', 'expired']], 'ERR_AUTH_REFUSED', /expired/],
  [
    'BYE for a reason of tomorrow',
    [0, 0, [13, 'ERR_FULL_MOON', 'later']],
    'ERR_CONNECTION_LOST',
    /ERR_FULL_MOON/,
  ],
];

const LASTING: { readonly [code: string]: string } = {
  ERR_PROTOCOL_VERSION: 'failed',
  ERR_AUTH_REFUSED: 'needs-auth',
};

describe('a server that answers the HELLO with', () => {
  test.each(answers)('%s', async (_what, data, code, named) => {
    const url = await hostileServer((_item, say) => say(data));
    const client = clientOf(url, PATIENT);
    client.connect().catch(() => undefined);
    expect(await troubleOf(client)).toEqual({
      status: LASTING[code] ?? 'reconnecting',
      code,
      message: expect.stringMatching(named),
    });
  });
});

const inSession: readonly (readonly [what: string, data: unknown, named: RegExp])[] = [
  ['text that is no JSON', ']', /not JSON/],
  ['bytes', new Uint8Array([1]), /JSON comes in text frames/],
  ['an unknown type below 32', [0, 0, [22]], /unknown.* type 22/],
  ['what a client alone may say', [0, 0, [19, 1, 16]], /type 19 has no place here/],
  ['a second WELCOME', WELCOME, /type 1 has no place here/],
  ['an ack of what was never sent', [99, 0], /ack 99 of something never sent/],
  ['numbers with a hole', [0, 2, [2, 'x', 1]], /number 2 came where 1 was due/],
  ['257 items', `[0,0${',[8]'.repeat(257)}]`, /256 items, not 257/],
  ['nesting without end', '['.repeat(100_000) + ']'.repeat(100_000), /nested more than 64 deep/],
  ['a place that is none', [0, 0, [15, [['r', 'e', -1, 1]]]], /must be a whole number.* -1/],
];

describe('a server that says in the middle of a session', () => {
  test.each(inSession)('%s', async (_what, data, named) => {
    const url = await hostileServer(([type], say, dial) => {
      if (type === 0) say(WELCOME);
      if (type === 2 && dial === 1) say(data);
      if (type === 2 && dial > 1) say([1, 0]);
    });
    const client = clientOf(url, { reconnect: { baseMs: 1 } });
    await soon(client.connect(), 'connected');
    const lost: unknown[] = [];
    client.onSessionLost(({ unknown }) => lost.push(...unknown.map(({ payload }) => payload)));
    const seen: string[] = [];
    client.onState((state) => {
      if (state.status === 'reconnecting') seen.push(`${state.lastError.code}: ${state.lastError.message}`);
    });
    await expect(soon(client.send('x', 1), 'an end')).rejects.toMatchObject({ code: 'ERR_SESSION_LOST' });
    expect(seen[0]).toMatch(/^ERR_PROTOCOL: the server broke the protocol/);
    expect(seen[0]).toMatch(named);
    expect(lost).toEqual([1]);
    // What goes out afterwards goes out in a session that works.
    await soon(client.send('x', 2), 'acknowledged');
  });

  test('half of a frame, before it breaks off: nothing of it is lost or doubled when the rest comes again', async () => {
    const said: unknown[] = [];
    const url = await hostileServer(([type, told], say, dial) => {
      if (type !== 0) return;
      if (dial === 1) {
        say(WELCOME);
        return say([0, 1, [2, 'tell', 1], [19, 1, 16], [2, 'tell', 2]]);
      }
      const { x = 0 } = told as { x?: number };
      said.push(x);
      const [, , [, welcome]] = WELCOME as [number, number, [number, object]];
      say([0, 0, [1, { ...welcome, q: 1, x: 0 }]]);
      say([0, x + 1, ...[1, 2, 3].slice(x).map((n) => [2, 'tell', n])]);
    });
    const client = clientOf(url, { reconnect: { baseMs: 1 } });
    const heard: unknown[] = [];
    client.on('tell', (n) => heard.push(n));
    await soon(client.connect(), 'connected');
    await eventually(() => heard.length >= 3, 'all three');
    expect([heard, said]).toEqual([[1, 2, 3], [1]]);
  });

  test('what a client does not know or has not asked for: ignored, and the session goes on', async () => {
    const url = await hostileServer(([type], say) => {
      if (type === 0) say(WELCOME);
      if (type !== 2) return;
      say([
        0,
        0,
        [32, 'later'],
        [6, 77, 1, 'x', 1, {}],
        [12, 1, 2, 'trimmed', 77],
        [15, [['other', 'e', 1, 5]]],
      ]);
      say([
        0,
        1,
        [4, 55, 'no such request'],
        [5, 56, 'ERR_REJECTED', 'no such message'],
        [14, 9],
        [3, '?', 1],
      ]);
      say([1, 0]);
    });
    const client = clientOf(url);
    const changes: string[] = [];
    await soon(client.connect(), 'connected');
    client.onState(({ status }) => changes.push(status));
    client.onGap(() => changes.push('gap'));
    expect(await soon(client.send('x', 1), 'acknowledged')).toMatchObject({ outcome: 'acknowledged' });
    expect(changes.filter((change) => change !== 'connected')).toEqual([]);
  });

  test('an unknown refusal: the message ends all the same, as a failure of the handler', async () => {
    const url = await hostileServer(([type], say) => {
      if (type === 0) say(WELCOME);
      if (type === 2) say([1, 1, [5, 1, 'ERR_OF_TOMORROW', 'because', { x: 1 }]]);
    });
    const client = clientOf(url);
    await soon(client.connect(), 'connected');
    await expect(soon(client.send('x', 1), 'an end')).rejects.toMatchObject({
      code: 'ERR_HANDLER_FAILED',
      delivery: 'rejected',
      message: expect.stringContaining('because'),
    });
  });
});

function welcome(other: object): unknown {
  const [ack, first, item] = WELCOME as [number, number, [number, object]];
  return [ack, first, [item[0], { ...item[1], ...other }]];
}
