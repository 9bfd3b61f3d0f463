import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/settings.js';

const resolve = (options: object) => resolveOptions(options, { logger: console });

test('every default', () => {
  expect(resolve({})).toMatchObject({
    scopes: { root: { prefix: '', schemas: undefined } },
    auth: undefined,
    tokenFrom: { cookie: undefined, query: undefined },
    authAt: 'hello',
    origins: undefined,
    trustProxy: undefined,
    codecs: [{ name: 'json' }],
    cluster: undefined,
    heartbeatMs: 20_000,
    maxMessageBytes: 1_048_576,
    maxRooms: 128,
    maxBufferedBytes: 1_048_576,
    slowConsumerMs: 30_000,
    outbox: { bounds: undefined, overflow: 'reject' },
    acceptPerSecond: 1_000,
    messagesPerSecond: 500,
    burst: 2_000,
    userMessagesPerSecond: 2_000,
    connectionsPerUser: 100,
    connectionsPerAddress: 1_000,
    addressAcceptPerSecond: 10,
    counts: { messagesIn: 0, messagesOut: 0, errors: 0 },
  });
});

test("a user's messages are four times those of a session, unless said", () => {
  const settings = (limits: object) => resolve({ limits }).userMessagesPerSecond;
  expect(settings({ messagesPerSecond: 10 })).toBe(40);
  expect(settings({ messagesPerSecond: 10, userMessagesPerSecond: 10 })).toBe(10);
  expect(settings({ messagesPerSecond: Infinity })).toBe(Infinity);
});

test('the bounds of the outbox are those of the store, unless one is said', () => {
  const settings = (outbox: object) => resolve({ outbox }).outbox;
  expect(settings({ overflow: 'disconnect' })).toEqual({ bounds: undefined, overflow: 'disconnect' });
  expect(settings({ maxMessages: 10 })).toEqual({ bounds: [10, 1_048_576], overflow: 'reject' });
  expect(settings({ maxBytes: 10 })).toEqual({ bounds: [1_000, 10], overflow: 'reject' });
});

describe('a bad option is refused by name', () => {
  test.each([
    [
      { origin: 'x' },
      "createHoldfastServer(options): unknown option 'origin'; allowed: contract, auth, tokenFrom, authAt, origins",
    ],
    [{ auth: 'secret' }, "auth must be a function, not 'secret'"],
    [{ tokenFrom: 'cookie' }, "tokenFrom must be an object, not 'cookie'"],
    [{ tokenFrom: { header: 'x' } }, "tokenFrom: unknown option 'header'; allowed: cookie, query"],
    [{ tokenFrom: { cookie: 'a=b' } }, "tokenFrom.cookie must be the name of a cookie, not 'a=b'"],
    [{ tokenFrom: { cookie: '' } }, "tokenFrom.cookie must be the name of a cookie, not ''"],
    [{ tokenFrom: { query: true } }, 'tokenFrom.query must be a string, not true'],
    [{ tokenFrom: { query: '' } }, "tokenFrom.query must be the name of a parameter, not ''"],
    [{ auth: () => 1, authAt: 'first' }, "authAt must be 'hello' or 'upgrade', not 'first'"],
    [{ authAt: 'upgrade' }, "authAt: 'upgrade' needs auth"],
    [{ contract: {} }, 'contract: must be made by defineContract()'],
    [{ origins: 'https://example.com' }, 'origins must be an array'],
    [{ origins: ['*'] }, "origins: '*' is not an exact origin, such as https://example.com"],
    [{ origins: ['https://example.com/'] }, "origins: 'https://example.com/' is not an exact origin"],
    [{ trustProxy: true }, 'trustProxy must be a whole number from 0 to 16, not true'],
    [{ trustProxy: -1 }, 'trustProxy must be a whole number from 0 to 16, not -1'],
    [{ trustProxy: 1.5 }, 'trustProxy must be a whole number from 0 to 16, not 1.5'],
    [{ codecs: [] }, 'codecs must be an array of one or more codecs, such as json()'],
    [{ codecs: ['json'] }, 'codecs must be an array of one or more codecs, such as json()'],
    [{ codecs: 'json' }, 'codecs must be an array of one or more codecs, such as json()'],
    [{ heartbeat: { interval: 5 } }, "heartbeat: unknown option 'interval'; allowed: intervalMs"],
    [{ heartbeat: { intervalMs: 0 } }, 'heartbeat.intervalMs must be a whole number of at least 10, not 0'],
    [
      { limits: { maxMessageBytes: 4_096 } },
      'limits.maxMessageBytes must be a whole number of at least 8192, not 4096',
    ],
    [{ limits: { maxRooms: -1 } }, 'limits.maxRooms must be a whole number of at least 0, not -1'],
    [{ limits: { acceptPerSecond: 0 } }, 'limits.acceptPerSecond must be a number of at least 1, not 0'],
    [
      { limits: { messagesPerSecond: '9' } },
      "limits.messagesPerSecond must be a number of at least 1, not '9'",
    ],
    [{ limits: { burst: 1.5 } }, 'limits.burst must be a whole number of at least 1, not 1.5'],
    [{ limits: { slowConsumerMs: 0 } }, 'limits.slowConsumerMs must be a number of at least 10, not 0'],
    [
      { outbox: { overflow: 'wait' } },
      "outbox.overflow must be 'reject', 'drop-oldest' or 'disconnect', not 'wait'",
    ],
    [{ outbox: { maxMessages: 0 } }, 'outbox.maxMessages must be a whole number of at least 1, not 0'],
    [{ outbox: { maxBytes: 0.5 } }, 'outbox.maxBytes must be a number of at least 1, not 0.5'],
    [{ outbox: { ttlMs: 1 } }, "outbox: unknown option 'ttlMs'; allowed: maxMessages, maxBytes, overflow"],
    [{ outbox: 'drop-oldest' }, "outbox must be an object, not 'drop-oldest'"],
    [{ logger: () => 1 }, 'logger must be an object with debug, info, warn, error'],
  ])('%j', (options, message) => {
    expect(() => resolve(options)).toThrow(TypeError);
    expect(() => resolve(options)).toThrow(message);
  });
});
