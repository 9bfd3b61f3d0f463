import { describe, expect, test } from 'vitest';
import { plainWorld, type WorldOptions } from './plain-world.js';

describe('url as a function', () => {
  test('is asked for each attempt', async () => {
    let count = 0;
    const { socket, dialled, clock, dials } = plainWorld({ url: () => `ws://x/${++count}` });
    expect(socket.url).toBe('');
    (await dialled()).end();
    await clock.advance(1_000);
    (await dialled()).open();
    expect([dials.map(({ url }) => url), socket.url]).toEqual([['ws://x/1', 'ws://x/2'], 'ws://x/2']);
    dials[1]?.end();
    expect(socket.url).toBe('ws://x/2');
  });

  test('what failed is known in the listeners that hear of it', async () => {
    let count = 0;
    const { socket, dialled, clock } = plainWorld({ url: () => `ws://x/${++count}` });
    const heard: string[] = [];
    socket.onerror = () => heard.push(socket.url);
    socket.onclose = () => heard.push(socket.url);
    (await dialled()).end();
    await clock.advance(1_000);
    (await dialled()).end();
    expect(heard).toEqual(['ws://x/1', 'ws://x/1', 'ws://x/2', 'ws://x/2']);
    socket.onclose = null;
  });

  test('may give a promise, and a URL', async () => {
    const { dialled } = plainWorld({ url: async () => new URL('https://x/a') });
    expect((await dialled()).url).toBe('wss://x/a');
  });

  const bad: readonly (readonly [string, () => string | Promise<string>, string])[] = [
    [
      'throws',
      () => {
        throw new Error('no address');
      },
      'no address',
    ],
    ['rejects', () => Promise.reject(new Error('no address')), 'no address'],
    ['rejects with what has no words', () => Promise.reject(Object.create(null)), 'no address'],
    ['gives none', () => 'nowhere', "url 'nowhere' is not an address"],
    ['gives nothing', () => undefined as never, 'url must be a string or a URL, not undefined'],
  ];
  test.each(bad)('that %s is an attempt that fails', async (_what, wrong, why) => {
    let isWell = false;
    const { clock, log, faults, dials } = plainWorld({ url: () => (isWell ? 'ws://x/' : wrong()) });
    await clock.settle();
    expect(log).toEqual([
      expect.stringContaining(`error ${why}`),
      expect.stringContaining(`close 1006 ${why}`),
    ]);
    isWell = true;
    await clock.advance(1_000);
    expect([dials.length, faults]).toEqual([1, []]);
  });

  test('that hangs has 10 s; what it says later is not dialled', async () => {
    const give: ((url: string) => void)[] = [];
    const { clock, log, dials } = plainWorld({ url: () => new Promise((resolve) => give.push(resolve)) });
    await clock.advance(10_000);
    expect(log.map((said) => said.split(' ').slice(0, 2).join(' '))).toEqual(['error auth', 'close 1006']);
    await clock.advance(1_000);
    expect(give.length).toBe(2);
    give[0]?.('ws://old/');
    await clock.settle();
    expect(dials).toEqual([]);
    give[1]?.('ws://new/');
    await clock.settle();
    expect(dials.map(({ url }) => url)).toEqual(['ws://new/']);
  });
});

describe('protocols', () => {
  test.each([
    ['chat', ['chat']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
    [undefined, []],
    [null, []],
  ] as const)('%j', async (protocols, asked) => {
    expect((await plainWorld({ protocols }).dialled()).protocols).toEqual(asked);
  });

  test('as a function: asked for each attempt', async () => {
    let token = 0;
    const { dialled, clock } = plainWorld({ protocols: async () => ['v1', `token.${++token}`] });
    const first = await dialled();
    first.end();
    await clock.advance(1_000);
    expect([first.protocols, (await dialled()).protocols]).toEqual([
      ['v1', 'token.1'],
      ['v1', 'token.2'],
    ]);
  });

  test('as a function that gives wrong ones: an attempt that fails', async () => {
    const { clock, log, dials } = plainWorld({ protocols: () => ['a', 'a'] });
    await clock.settle();
    expect([log[0], dials]).toEqual([expect.stringMatching(/^error protocols: 'a'/), []]);
  });
});

describe('what is thrown for', () => {
  const make = (options: object) => () => plainWorld(options as WorldOptions);
  const rows: readonly (readonly [object, string])[] = [
    [{ maxRetries: 3 }, "'maxRetries' is 'reconnect.maxAttempts' here"],
    [{ maxReconnectionDelay: 3 }, "'maxReconnectionDelay' is 'reconnect.capMs' here"],
    [{ minReconnectionDelay: 3 }, "'minReconnectionDelay' is 'reconnect.baseMs' here"],
    [{ reconnectionDelayGrowFactor: 3 }, 'is always 2 here'],
    [{ minUptime: 3 }, "'minUptime' is 'reconnect.minUptimeMs' here"],
    [{ maxEnqueuedMessages: 3 }, "'maxEnqueuedMessages' is 'outbox.maxMessages' here"],
    [{ startClosed: true }, "'startClosed' is 'autoConnect: false' here"],
    [{ connectionTimeout: 3 }, "'connectionTimeout' is no option here: an attempt has 10 s"],
    [{ shouldReconnectOnClose: () => true }, 'call close() in a listener of "close"'],
    [{ WebSocket: class {} }, "'WebSocket' is no option here"],
    [{ debug: true }, "'debug' is no option here"],
    [{ debugLogger: () => undefined }, "'debugLogger' is no option here"],
    [{ reconect: {} }, "unknown option 'reconect'; allowed: autoConnect, reconnect, outbox, heartbeat"],
    [{ autoConnect: 1 }, 'autoConnect must be a boolean'],
    [{ heartbeat: {} }, 'heartbeat.message must be a string or a function, not undefined'],
    [{ heartbeat: { message: 'x', isPong: 'y' } }, 'heartbeat.isPong must be a function'],
    [{ heartbeat: { message: 'x', interval: 1 } }, "heartbeat: unknown option 'interval'"],
    [{ heartbeat: { message: 'x', timeoutMs: 0 } }, 'heartbeat.timeoutMs must be a number of at least 1'],
    [{ outbox: { overflow: 'wait' } }, "outbox.overflow must be 'reject' or 'drop-oldest', not wait"],
    [{ outbox: { maxMessages: 0 } }, 'outbox.maxMessages must be a whole number of at least 1'],
    [{ outbox: { ttlMs: 5 } }, "outbox: unknown option 'ttlMs'; allowed: maxMessages, maxBytes, overflow"],
    [{ reconnect: { capMs: 0 } }, 'reconnect.capMs must be a number of at least 1'],
    [{ protocols: 5 }, 'protocols must be a string, an array or a function, not number'],
  ];
  test.each(rows)('%o: a TypeError that says what would be right', (options, text) => {
    expect(make(options)).toThrow(TypeError);
    expect(make(options)).toThrow(text);
  });

  test('a name that every object has', () => {
    expect(make({ toString: 1 })).toThrow("unknown option 'toString'");
  });
});
