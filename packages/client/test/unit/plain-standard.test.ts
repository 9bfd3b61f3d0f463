import { describe, expect, test } from 'vitest';
import { type PlainOptions, ReconnectingWebSocket } from '../../src/plain.js';
import { plainWorld, type WorldOptions } from './plain-world.js';

/*
 * The WebSockets Standard of the WHATWG, read line by line: https://websockets.spec.whatwg.org/ section 3. What is
 * deliberately different stands in docs/plain-mode.md.
 */

const thrown = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error instanceof DOMException ? error.name : error;
  }
  return undefined;
};

describe('new', () => {
  const addressOf = async (url: string | URL, more: WorldOptions = {}) => {
    const world = plainWorld({ url, ...more });
    return [world.socket.url, (await world.dialled()).url];
  };

  test.each([
    ['ws://x', 'ws://x/'],
    ['wss://x/a?b=c', 'wss://x/a?b=c'],
    ['http://x/', 'ws://x/'],
    ['https://x:8443/', 'wss://x:8443/'],
    [new URL('WSS://X/A'), 'wss://x/A'],
    ['ws://x/?token=1', 'ws://x/?token=1'],
  ])('%s is dialled as %s', async (given, dialled) => {
    expect(await addressOf(given)).toEqual([dialled, dialled]);
  });

  test('an address is relative to that of the page', async () => {
    const baseUrl = 'https://x/a/b';
    expect(await addressOf('c', { baseUrl })).toEqual(['wss://x/a/c', 'wss://x/a/c']);
    expect(await addressOf('//y', { baseUrl })).toEqual(['wss://y/', 'wss://y/']);
  });

  test.each(['', 'x', '/x', 'ws://', 'ws://x:99999', 'ftp://x/', 'mailto:x', 'ws://x/#', 'ws://x/#a'])(
    "'%s' is a SyntaxError",
    (url) => {
      expect(thrown(() => new ReconnectingWebSocket(url))).toBe('SyntaxError');
    },
  );

  test.each([
    [['a', 'a']],
    [['a', 'b', 'a']],
    [''],
    [['']],
    ['a b'],
    ['a,b'],
    ['a/b'],
    ['"a"'],
    ['ä'],
    ['a\t'],
    [['ok', 'n(o']],
  ])('the subprotocols %j are a SyntaxError', (protocols) => {
    expect(thrown(() => new ReconnectingWebSocket('ws://x', protocols))).toBe('SyntaxError');
  });

  test('all characters of a token are subprotocols', async () => {
    const protocols = ["!#$%&'*+-.^_`|~", 'A', 'a'];
    expect((await plainWorld({ protocols }).dialled()).protocols).toEqual(protocols);
  });
});

test('an EventTarget with the constants of a WebSocket, on the class and on the instance', () => {
  const { socket } = plainWorld();
  expect(socket).toBeInstanceOf(EventTarget);
  const constants = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
  expect({ ...socket }).toMatchObject(constants);
  const { CONNECTING, OPEN, CLOSING, CLOSED } = ReconnectingWebSocket;
  expect({ CONNECTING, OPEN, CLOSING, CLOSED }).toEqual(constants);
});

test('at the beginning: no subprotocol, no extensions, nothing buffered, blobs', () => {
  const { protocol, extensions, bufferedAmount, binaryType, readyState } = plainWorld().socket;
  expect([protocol, extensions, bufferedAmount, binaryType, readyState]).toEqual(['', '', 0, 'blob', 0]);
});

describe('close', () => {
  test.each([0, 999, 1001, 1005, 1006, 1015, 2999, 5000, -1, Number.NaN])(
    'with %d: InvalidAccessError',
    (code) => {
      const { socket } = plainWorld();
      expect(thrown(() => socket.close(code))).toBe('InvalidAccessError');
      expect(socket.readyState).toBe(0);
    },
  );

  test.each([undefined, 1000, 3000, 4999])('with %s: allowed', async (code) => {
    const { socket, opened, clock, log } = plainWorld();
    const dial = await opened();
    expect(thrown(() => socket.close(code, 'x'))).toBeUndefined();
    await clock.settle();
    expect([dial.left, log.at(-1)]).toEqual([`${code ?? 1000} x`, `close ${code ?? 1000} x`]);
  });

  test('a reason has 123 bytes, not characters', () => {
    const { socket } = plainWorld();
    expect(thrown(() => socket.close(1000, 'ä'.repeat(62)))).toBe('SyntaxError');
    expect(socket.readyState).toBe(0);
    expect(thrown(() => socket.close(1000, `${'ä'.repeat(61)}a`))).toBeUndefined();
    expect(socket.readyState).toBe(2);
  });

  test('wrong codes and reasons throw in every state, too', async () => {
    const { socket, clock } = plainWorld();
    socket.close();
    await clock.settle();
    expect(thrown(() => socket.close(1001))).toBe('InvalidAccessError');
  });

  test('what is sent after it is dropped without a word', async () => {
    const { socket, opened, clock } = plainWorld();
    const dial = await opened();
    socket.close();
    for (let number = 0; number < 2_000; number++) socket.send('x');
    await clock.settle();
    socket.send('x');
    expect(dial.sent).toEqual([]);
  });
});

test('the types are those of a WebSocket', () => {
  const use = (rws: ReconnectingWebSocket) => {
    const ws: WebSocket = rws;
    const polyfill: new (url: string, protocols?: string | string[]) => WebSocket = ReconnectingWebSocket;
    rws.onopen = function () {
      this.send('hello');
    };
    rws.onmessage = (event: MessageEvent) => event.data;
    rws.onclose = ({ code, reason, wasClean }) => [code satisfies number, reason satisfies string, wasClean];
    rws.onerror = (event) => event.type;
    rws.addEventListener('close', ({ code }) => code satisfies number, { once: true });
    rws.addEventListener('message', ({ data, origin }) => [data, origin satisfies string]);
    rws.removeEventListener('close', ({ code }) => code satisfies number);
    rws.addEventListener('anything', (event: Event) => event.type);
    // @ts-expect-error: an `open` has no code.
    rws.addEventListener('open', ({ code }) => code);
    // @ts-expect-error: nobody sets the state of a socket.
    rws.readyState = 1;
    // @ts-expect-error: it is no handler.
    rws.onopen = 'open';
    // @ts-expect-error: nobody has an option of this name.
    const wrong: PlainOptions = { maxRetries: 5 };
    return [ws, polyfill, wrong];
  };
  expect(use).toBeTypeOf('function');
});
