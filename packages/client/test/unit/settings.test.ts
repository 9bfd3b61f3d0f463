import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/settings.js';
import type { ClientOptions } from '../../src/types.js';

const page = { logger: console, baseUrl: 'https://example.com/app/index.html?x=1' };
const node = { logger: console };
const resolve = (options: object, defaults: typeof page | typeof node = node) =>
  resolveOptions(options as ClientOptions, defaults);

describe('url', () => {
  test.each([
    ['ws://example.com/realtime', 'ws://example.com/realtime'],
    ['http://example.com:8080/realtime?x=1', 'ws://example.com:8080/realtime?x=1'],
    ['https://example.com/realtime#part', 'wss://example.com/realtime'],
    [new URL('wss://example.com/realtime'), 'wss://example.com/realtime'],
  ])('%s', (url, expected) => {
    expect(resolve({ url }).url).toBe(expected);
  });

  test('a path is one of the page', () => {
    expect(resolve({ url: '/realtime' }, page).url).toBe('wss://example.com/realtime');
    expect(() => resolve({ url: '/realtime' })).toThrow(
      "url '/realtime' is not an address; outside of a page it must be a whole one, such as wss://example.com/realtime",
    );
  });

  test.each([
    [undefined, 'url must be a string or a URL, not undefined'],
    [null, 'url must be a string or a URL, not null'],
    ['ftp://example.com', "the scheme of url must be one of 'ws:', 'wss:', 'http:', 'https:', not 'ftp:'"],
    ['wss://example.com?token=x', "url must not hold 'token='; give the token as 'auth'"],
    ['wss://example.com?a=1&access_token=x', "url must not hold 'access_token='; give the token as 'auth'"],
  ])('%s is refused', (url, message) => {
    expect(() => resolve({ url })).toThrow(new TypeError(message));
  });
});

test('every default', () => {
  expect(resolve({ url: 'ws://x' })).toMatchObject({
    auth: undefined,
    autoConnect: false,
    codec: { name: 'json' },
    reconnect: { baseMs: 500, capMs: 30_000, minUptimeMs: 5_000, maxAttempts: Infinity },
    heartbeat: { intervalMs: 0, timeoutMs: 5_000, maxMissed: 1 },
    outbox: { maxMessages: 1_000, maxBytes: 1_048_576, ttlMs: Infinity },
    logger: console,
  });
});

test.each([
  [{ reconect: {} }, "createClient(options): unknown option 'reconect'; allowed: url, contract, auth"],
  [{ auth: 7 }, 'auth must be a string, not 7'],
  [{ autoConnect: 'yes' }, "autoConnect must be a boolean, not 'yes'"],
  [{ codec: { name: 'x' } }, 'codec must be an object with encode, frame, decode'],
  [{ contract: {} }, 'contract: must be made by defineContract()'],
  [{ logger: 'console' }, 'logger must be an object with debug, info, warn, error'],
  [
    { reconnect: { base: 1 } },
    "reconnect: unknown option 'base'; allowed: baseMs, capMs, minUptimeMs, maxAttempts",
  ],
  [{ reconnect: { baseMs: '1s' } }, "reconnect.baseMs must be a number of at least 1, not '1s'"],
  [
    { reconnect: { maxAttempts: 1.5 } },
    'reconnect.maxAttempts must be a whole number of at least 1, not 1.5',
  ],
  [{ heartbeat: { intervalMs: 0 } }, 'heartbeat.intervalMs must be a number of at least 1, not 0'],
  [{ outbox: 5 }, 'outbox must be an object, not 5'],
  [{ outbox: { maxBytes: -1 } }, 'outbox.maxBytes must be a number of at least 1, not -1'],
])('%j is refused by name', (options, message) => {
  expect(() => resolve({ url: 'ws://x', ...options })).toThrow(TypeError);
  expect(() => resolve({ url: 'ws://x', ...options })).toThrow(message);
});

describe('a token in the address', () => {
  test('may be asked for', () => {
    expect(resolve({ url: 'wss://x/?token=y', allowTokenInUrl: true }).url).toBe('wss://x/?token=y');
  });

  test('other parameters with a token in their name are not meant', () => {
    expect(resolve({ url: 'wss://x/?tokens=1&mytoken=2' }).url).toBe('wss://x/?tokens=1&mytoken=2');
  });
});

describe('ws: on a page from https:', () => {
  test.each([
    'ws://example.com',
    'http://example.com/realtime',
    'ws://127.0.0.1.example.com',
    'ws://10.0.0.1',
  ])('%s is refused: its browser would', (url) => {
    expect(() => resolve({ url }, page)).toThrow(/^url 'https?:|^url 'ws:.* is not for a page from https:/);
    expect(() => resolve({ url }, page)).toThrow(TypeError);
    expect(resolve({ url }).url).toMatch(/^ws:/);
  });

  test.each([
    'ws://localhost:3000',
    'ws://app.localhost',
    'ws://127.0.0.1:1',
    'ws://127.8.9.10',
    'ws://[::1]:80',
  ])('%s is this machine', (url) => {
    expect(resolve({ url }, page).url).toMatch(/^ws:/);
  });
});

describe('a function as url', () => {
  const call = async (url: unknown, defaults: typeof page | typeof node = node) => {
    const { url: resolved } = resolve({ url }, defaults);
    if (typeof resolved !== 'function') throw new Error('not a function any more');
    return resolved({ attempt: 3 });
  };

  test('gives an address that is checked as any other', async () => {
    const url = ({ attempt }: { attempt: number }) => new URL(`https://node-${attempt}.example/#x`);
    expect(await call(url)).toBe('wss://node-3.example/');
    expect(await call(async () => '/realtime', page)).toBe('wss://example.com/realtime');
  });

  test.each([
    [() => 5, 'url() gave no address: url must be a string or a URL, not 5'],
    [
      async () => 'ftp://x',
      "url() gave no address: the scheme of url must be one of 'ws:', 'wss:', 'http:', 'https:', not 'ftp:'",
    ],
    [() => 'ws://x?token=y', "url() gave no address: url must not hold 'token='; give the token as 'auth'"],
    [() => Promise.reject('no such region'), 'url() gave no address: no such region'],
  ])('or rejects, retryable: %s', async (url, message) => {
    await expect(call(url)).rejects.toMatchObject({ code: 'ERR_TOKEN_SOURCE', message, retryable: true });
  });
});

test('a function as auth, and a policy, are taken as they are', () => {
  const auth = () => 'x';
  const policy = () => null;
  expect(resolve({ url: 'ws://x', auth, reconnect: { policy } })).toMatchObject({
    auth,
    reconnect: { policy, maxElapsedMs: Infinity },
    tokenIn: 'hello',
  });
});

test.each([
  [{ tokenIn: 'cookie' }, "tokenIn must be one of 'hello', 'subprotocol', not 'cookie'"],
  [{ allowTokenInUrl: 1 }, 'allowTokenInUrl must be a boolean, not 1'],
  [{ auth: {} }, 'auth must be a string, not an object'],
  [{ auth: null }, 'auth must be a string, not null'],
  [{ auth: 'x'.repeat(7_169) }, 'auth may have 7168 characters, not 7169'],
  [{ reconnect: { policy: 5 } }, 'reconnect.policy must be a function, not 5'],
  [{ reconnect: { maxElapsedMs: -1 } }, 'reconnect.maxElapsedMs must be a number of at least 0, not -1'],
  [
    { reconnect: { maxElapsedMs: Number.NaN } },
    'reconnect.maxElapsedMs must be a number of at least 0, not NaN',
  ],
  [{ reconnect: { minUptimeMs: '5s' } }, "reconnect.minUptimeMs must be a number of at least 0, not '5s'"],
  [{ reconnect: { capMs: 0 } }, 'reconnect.capMs must be a number of at least 1, not 0'],
  [{ reconnect: null }, 'reconnect must be an object, not null'],
  [{ heartbeat: { maxMissed: 0 } }, 'heartbeat.maxMissed must be a whole number of at least 1, not 0'],
  [{ heartbeat: { timeoutMs: '5' } }, "heartbeat.timeoutMs must be a number of at least 1, not '5'"],
])('%j names option, rule and value', (options, message) => {
  expect(() => resolve({ url: 'ws://x', ...options })).toThrow(new TypeError(message));
});
