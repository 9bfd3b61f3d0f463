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
    ['ftp://example.com', 'url must begin with ws:, wss:, http: or https:, not ftp:'],
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
  [{ outbox: 5 }, 'outbox must be an object, not number'],
  [{ outbox: { maxBytes: -1 } }, 'outbox.maxBytes must be a number of at least 1, not -1'],
])('%j is refused by name', (options, message) => {
  expect(() => resolve({ url: 'ws://x', ...options })).toThrow(TypeError);
  expect(() => resolve({ url: 'ws://x', ...options })).toThrow(message);
});
