import { holdfastError } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/explain.js';
import type { ConnectionPhase, ConnectionState, Inspection, Timer } from '../../src/types.js';

const AT = 1_000_000;
const lastError = holdfastError('ERR_CONNECTION_LOST', 'the connection was lost (code 1006)');

/** What `explain` says of a client that looks like this from inside. */
function words(
  state: ConnectionState,
  timers: { readonly [name in Timer['name']]?: number } = {},
  { outbox = {}, last = undefined as readonly [ConnectionPhase, string] | undefined } = {},
): string {
  const inspection: Inspection = {
    ...{ at: AT, state, outbox: { messages: 0, bytes: 0, inflight: 0, ...outbox } },
    timers: Object.entries(timers).map(([name, ms]) => ({ name: name as Timer['name'], dueAt: AT + ms })),
    transitions: last ? [{ at: AT, from: 'idle', to: last[0], cause: last[1] }] : [],
  };
  return explain({ inspect: () => inspection });
}

const connected: Extract<ConnectionState, { status: 'connected' }> = {
  ...{ status: 'connected', recovered: false, sessionId: 's1', userId: 'ada' },
  ...{ since: AT - 300_000, health: 'good' },
};
const reconnecting = { status: 'reconnecting', attempt: 4, since: AT - 1_000, lastError } as const;

describe('every state in words', () => {
  test('idle', () => {
    expect(words({ status: 'idle' })).toBe(
      'Not connected, and not asked to be: nothing happens until connect().',
    );
    expect(words({ status: 'idle' }, {}, { last: ['idle', 'disconnect'] })).toBe(
      'Down since disconnect() was called, until connect().',
    );
  });

  test.each([
    ['preparing', 'token', 'Attempt 1 fetches the token and the address and is given up in 9 s.'],
    ['dialing', 'dial', 'Attempt 1 dials and is given up in 9 s.'],
    ['handshaking', 'welcome', 'Attempt 1 waits for the welcome of the server and is given up in 9 s.'],
  ] as const)('connecting, %s', (phase, timer, text) => {
    expect(words({ status: 'connecting', attempt: 1, phase, since: AT }, { [timer]: 9_000 })).toBe(text);
  });

  test('connected', () => {
    expect(words({ ...connected, rttMs: 41.6 }, { ping: 25_000 })).toBe(
      "Connected for 5 min as 'ada' (session s1, round trip 42 ms); a ping goes out after 25 s of silence.",
    );
    expect(words({ ...connected, recovered: true }, { pong: 3_000 })).toBe(
      "Connected again for 5 min as 'ada' (session s1); a ping is under way.",
    );
  });

  test('connected, about to move', () => {
    expect(words(connected, { ping: 25_000, move: 800 })).toBe(
      "Connected for 5 min as 'ada' (session s1); the server asks for a connection elsewhere, which is due in 800 ms.",
    );
  });

  test('connected, in doubt', () => {
    expect(words({ ...connected, health: 'suspect' }, { pong: 2_000 })).toBe(
      'Connected, but in doubt: unless the server answers a ping within 2 s, the connection counts as lost.',
    );
  });

  const why = 'because the connection was lost (code 1006) [ERR_CONNECTION_LOST]';
  test.each([
    ['timer', `Waiting 12 s for attempt 4, ${why}.`],
    ['online', `Waiting for the network to come back, or 12 s, for attempt 4, ${why}.`],
    ['visible', `Waiting for the page to be looked at again, or 12 s, for attempt 4, ${why}.`],
  ] as const)('reconnecting, waiting for %s', (waitingFor, text) => {
    expect(words({ ...reconnecting, waitingFor, retryAt: AT + 12_000 }, { attempt: 12_000 })).toBe(text);
  });

  test('reconnecting, told by the server when', () => {
    const lastError = holdfastError('ERR_SERVER_BUSY', 'the server asks to wait 60000 ms (code 1013)', {
      retryAfterMs: 60_000,
    });
    const state = { ...reconnecting, waitingFor: 'timer', retryAt: AT + 60_000, lastError } as const;
    expect(words(state)).toBe(
      'Waiting 60 s, as the server asked, for attempt 4, because the server asks to wait 60000 ms (code 1013) [ERR_SERVER_BUSY].',
    );
  });

  test('reconnecting, waiting for an answer', () => {
    const state = { ...reconnecting, waitingFor: 'answer' } as const;
    expect(words(state, { welcome: 9_000 }, { last: ['handshaking', 'opened'] })).toBe(
      `Attempt 4 waits for the welcome of the server and is given up in 9 s, ${why}.`,
    );
    expect(words(state, { dial: 9_000 })).toBe(`Attempt 4 dials and is given up in 9 s, ${why}.`);
  });

  test('needs-auth', () => {
    const expired = holdfastError('ERR_AUTH_EXPIRED', 'the token has expired.');
    expect(words({ status: 'needs-auth', error: expired })).toBe(
      'The server takes no token of this client: the token has expired [ERR_AUTH_EXPIRED]. Nothing happens until connect({ auth }) brings another one.',
    );
    const refused = holdfastError('ERR_AUTH_REFUSED', 'the server refused the token: banned', {
      reason: 'banned',
    });
    expect(words({ status: 'needs-auth', error: refused })).toMatch(
      /: the server refused the token: banned \[ERR_AUTH_REFUSED\]\. Nothing/,
    );
  });

  test('failed', () => {
    const error = holdfastError('ERR_SUPERSEDED', 'another connection has taken over this session');
    expect(words({ status: 'failed', error })).toBe(
      'Given up, because another connection has taken over this session [ERR_SUPERSEDED]. Nothing happens until connect().',
    );
  });

  test('closed', () => {
    const outbox = { messages: 1, inflight: 1 };
    expect(words({ status: 'closed', reason: 'close() was called' }, {}, { outbox })).toBe(
      'Closed for good: close() was called.',
    );
  });
});

test('what waits is told besides', () => {
  const idle = words({ status: 'idle' });
  expect(words({ status: 'idle' }, {}, { outbox: { messages: 3, inflight: 1 } })).toBe(
    `${idle} Waiting: 3 messages to be written, 1 message to be acknowledged.`,
  );
});

test.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_200_000, '2 h'],
])('%i ms is %s', (ms, text) => {
  expect(words({ ...reconnecting, waitingFor: 'timer', retryAt: AT + ms })).toMatch(`Waiting ${text} for`);
});
