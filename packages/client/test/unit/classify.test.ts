import { ERROR_CODES, type ErrorCode, type HoldfastError, holdfastError } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type Consequence, consequenceOf, errorOfBye, errorOfEnd, FAULTS } from '../../src/core/classify.js';

/** What each code of each error does to the connection; the compiler asks for every one. */
const consequences: { readonly [code in ErrorCode]: Consequence } = {
  ERR_DIAL_FAILED: 'retry',
  ERR_DIAL_TIMEOUT: 'retry',
  ERR_WELCOME_TIMEOUT: 'retry',
  ERR_CONNECTION_LOST: 'retry',
  ERR_SERVER_BUSY: 'retry',
  ERR_TOKEN_SOURCE: 'retry',
  ERR_PROTOCOL: 'retry',
  ERR_AUTH_EXPIRED: 'renew-token',
  ERR_AUTH_REFUSED: 'needs-auth',
  ERR_GAVE_UP: 'fail',
  ERR_SUPERSEDED: 'fail',
  ERR_SESSION_ENDED: 'fail',
  ERR_PROTOCOL_VERSION: 'fail',
  ERR_CONTRACT_VERSION: 'fail',
  // These end a message, or are told only; should one end a connection, it is tried again.
  ERR_OUTBOX_FULL: 'retry',
  ERR_EXPIRED: 'retry',
  ERR_NOT_JOINED: 'retry',
  ERR_TOO_BIG: 'retry',
  ERR_INVALID_PAYLOAD: 'retry',
  ERR_TIMEOUT: 'retry',
  ERR_CLOSED: 'retry',
  ERR_STREAM_LOST: 'retry',
  ERR_STORE_LOST: 'retry',
  ERR_SESSION_LOST: 'retry',
  ERR_REJECTED: 'retry',
  ERR_NO_HANDLER: 'retry',
  ERR_HANDLER_FAILED: 'retry',
  ERR_RATE_LIMITED: 'retry',
  ERR_LISTENER_FAILED: 'retry',
  ERR_NO_LISTENER: 'retry',
  ERR_STORAGE: 'retry',
};

describe('every error has one consequence', () => {
  test.each(ERROR_CODES)('%s', (code) => {
    const error = (holdfastError as (code: ErrorCode, text: string, details: object) => HoldfastError)(
      code,
      '',
      {},
    );
    expect(consequenceOf(error)).toBe(consequences[code]);
  });
});

/** The table of close codes: error, and what it does. */
const ends: readonly [number, ErrorCode, Consequence][] = [
  [1000, 'ERR_CONNECTION_LOST', 'retry'],
  [1001, 'ERR_CONNECTION_LOST', 'retry'],
  [1005, 'ERR_CONNECTION_LOST', 'retry'],
  [1006, 'ERR_CONNECTION_LOST', 'retry'],
  [1011, 'ERR_CONNECTION_LOST', 'retry'],
  [1012, 'ERR_CONNECTION_LOST', 'retry'],
  [1013, 'ERR_CONNECTION_LOST', 'retry'],
  [1014, 'ERR_CONNECTION_LOST', 'retry'],
  [1002, 'ERR_PROTOCOL', 'retry'],
  [1003, 'ERR_PROTOCOL', 'retry'],
  [1007, 'ERR_PROTOCOL', 'retry'],
  [1009, 'ERR_PROTOCOL', 'retry'],
  [3000, 'ERR_AUTH_EXPIRED', 'renew-token'],
  [3003, 'ERR_AUTH_REFUSED', 'needs-auth'],
  [3008, 'ERR_CONNECTION_LOST', 'retry'],
  [4400, 'ERR_PROTOCOL', 'retry'],
  [4401, 'ERR_CONNECTION_LOST', 'retry'],
  [4408, 'ERR_CONNECTION_LOST', 'retry'],
  [4409, 'ERR_CONNECTION_LOST', 'retry'],
  [4410, 'ERR_SUPERSEDED', 'fail'],
  [4429, 'ERR_CONNECTION_LOST', 'retry'],
  [4999, 'ERR_CONNECTION_LOST', 'retry'],
];

describe('the end of a connection that stood', () => {
  test.each(ends)('%i: %s, %s', (code, expected, consequence) => {
    const error = errorOfEnd({ code, reason: '' }, true);
    expect([error.code, consequenceOf(error)]).toEqual([expected, consequence]);
  });

  test('a fault is what the same attempt cannot mend: fatal the second time', () => {
    expect([...FAULTS].sort()).toEqual([1002, 1003, 1007, 1009, 4400]);
  });

  test.each([1013, 4429, 1012, 1000])('%i with a time: busy, and when to come back', (code) => {
    const error = errorOfEnd({ code, reason: 'ra=1500' }, true);
    expect(error).toMatchObject({ code: 'ERR_SERVER_BUSY', retryAfterMs: 1_500, retryable: true });
    expect(consequenceOf(error)).toBe('retry');
  });

  const malformed = [
    'ra=',
    'ra=-1',
    'ra=1.5',
    'ra=1e3',
    'ra=5s',
    ' ra=5',
    'ra=5 ',
    'RA=5',
    'xra=5',
    'ra=1234567890',
  ];
  test.each([...malformed, 'ra=NaN', 'ra=5\n', 'retry=5'])('%j says no time', (reason) => {
    expect(errorOfEnd({ code: 1013, reason }, true).code).toBe('ERR_CONNECTION_LOST');
  });

  test('the words of the server and of the platform are passed on', () => {
    const cause = new Error('ECONNRESET');
    expect(errorOfEnd({ code: 1006, reason: '', cause }, true)).toMatchObject({
      message: 'the connection was lost: ECONNRESET (code 1006)',
      cause,
    });
    expect(errorOfEnd({ code: 3003, reason: 'banned' }, true)).toMatchObject({ reason: 'banned' });
    expect(errorOfEnd({ code: 1009, reason: 'big' }, true).message).toMatch(
      /fault in what it got: big \(code 1009\)/,
    );
  });
});

test('a connection that never stood is a dial that failed, whatever the code says', () => {
  for (const code of [1000, 1006, 1013, 3000, 3003, 4400, 4410]) {
    expect(errorOfEnd({ code, reason: 'ra=5' }, false).code).toBe('ERR_DIAL_FAILED');
  }
});

describe('a BYE of the server', () => {
  test.each([
    ['ERR_AUTH_REFUSED', 'ERR_AUTH_REFUSED'],
    ['ERR_AUTH_EXPIRED', 'ERR_AUTH_EXPIRED'],
    ['ERR_PROTOCOL_VERSION', 'ERR_PROTOCOL_VERSION'],
    ['ERR_PROTOCOL', 'ERR_PROTOCOL'],
    ['ERR_GAP', 'ERR_CONNECTION_LOST'],
    ['ERR_TIMEOUT', 'ERR_CONNECTION_LOST'],
    ['ERR_HANDLER_FAILED', 'ERR_CONNECTION_LOST'],
    ['ERR_SUPERSEDED', 'ERR_CONNECTION_LOST'],
    ['toString', 'ERR_CONNECTION_LOST'],
  ])('%s: %s', (code, expected) => {
    expect(errorOfBye([13, code, 'why']).code).toBe(expected);
    expect(errorOfBye([13, code, 'why']).message).toMatch('why');
  });

  test('a token that has expired is said to be so once, by whichever end says it', () => {
    const text = 'the token has expired';
    expect(errorOfBye([13, 'ERR_AUTH_EXPIRED', text]).message).toBe(text);
    expect(errorOfEnd({ code: 3000, reason: text }, true).message).toBe(text);
    expect(errorOfEnd({ code: 3000, reason: '' }, true).message).toBe(text);
  });

  test('ERR_CONTRACT_VERSION tells the version of the server', () => {
    const told = { code: 'ERR_CONTRACT_VERSION', message: 'why', serverVersion: 3, retryable: false };
    expect(errorOfBye([13, 'ERR_CONTRACT_VERSION', 'why', 3])).toMatchObject(told);
    // Of a server that does not say it.
    expect(errorOfBye([13, 'ERR_CONTRACT_VERSION', 'why'])).toMatchObject({ ...told, serverVersion: 0 });
  });
});
