import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createHoldfastServer, RejectError } from '@holdfast/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  bystander,
  clientOf,
  eventually,
  greetedPeer,
  hello,
  listening,
  rawPeer,
  serve,
  soon,
} from './peers.js';
import { WebSocket } from './ws.js';

// Each line here is an attack on a server; beside it somebody well-behaved goes on talking and notices nothing.

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const items = (count: number): string => `[0,0${',[7]'.repeat(count)}]`;

/** What the peer says after its HELLO, and how the server names it. */
const brokenFrames: readonly [what: string, data: unknown, named: RegExp, code?: number][] = [
  ['text that is no JSON', 'hello?', /not JSON/],
  ['half a frame', '[0,0,[7', /not JSON/],
  ['nothing at all', '', /not JSON/],
  ['JSON that is no frame', { type: 'join' }, /frame must be an array, not object/],
  ['null', 'null', /frame must be an array, not null/],
  ['a number', '5', /frame must be an array, not 5/],
  ['an empty array', [], /frame.* must be a whole number.*, not undefined/],
  ['a negative ack', [-1, 0, [7]], /must be a whole number.* -1/],
  ['a fraction', [0.5, 0, [7]], /must be a whole number.* 0\.5/],
  ['a number beyond 2^53', '[1e300,0,[7]]', /must be a whole number.* 1e\+300/],
  ['an item that is none', [0, 0, 7], /item .*must be an array, not 7/],
  ['a type that is no number', [0, 0, ['7']], /item .*must be a whole number.*, not string/],
  ['a type unknown below 32', [0, 0, [31]], /unknown.* type 31/],
  ['a type that the server alone may send', [0, 0, [16, 1, []]], /a client may not send items of type 16/],
  ['an item of a stream', [0, 1, [17, 1, 'x']], /a client may not send items of type 17/],
  ['credit for the stream of no number', [0, 0, [19, 0, 16]], /item .*must be a whole number from 1, not 0/],
  ['a hole beyond the window', [0, 1, [12, 1, 9_000, 'abandoned']], /a hole of that size/],
  ['a publication', [0, 0, [6, 1, 1, 'x', 1, {}]], /a client may not send items of type 6/],
  ['sequenced items without a number', [0, 0, [2, 'note', 1]], /firstSeq must be 0 exactly where/],
  ['a number without sequenced items', [0, 1, [7]], /firstSeq must be 0 exactly where/],
  ['an event without a name', [0, 1, [2]], /item .*must be a (text|string).*, not undefined/],
  ['a name that is a list', [0, 1, [3, ['echo'], 1]], /item .*must be a (text|string).*, not (an )?array/],
  ['a name of 129 characters', [0, 1, [2, 'x'.repeat(129), 1]], /item .*128/],
  ['meta that is no object', [0, 1, [2, 'note', 1, 5]], /item .*must be an object, not 5/],
  [
    'an id that is no string',
    [0, 1, [2, 'note', 1, { i: 5 }]],
    /item .*\.i must be a (text|string).*, not 5/,
  ],
  ['$join of nothing', [0, 1, [3, '$join', null]], /\$join must be an object, not null/],
  ['$join of a list', [0, 1, [3, '$join', { room: ['r'] }]], /\$join.room must be a (text|string)/],
  ['$leave of nothing', [0, 1, [3, '$leave']], /\$leave must be an object, not undefined/],
  ['bytes', new Uint8Array([1, 2, 3]), /JSON comes in text frames/],
  ['an ack of what was never sent', [7, 0], /ack 7 of something never sent/],
  ['numbers with a hole', [0, 3, [2, 'note', 1]], /number 3 came where 1 was due/, 4409],
  ['a number near 2^53', [0, 2 ** 53 - 1, [2, 'note', 1]], /came where 1 was due/, 4409],
  ['a second HELLO', hello(), /a client may not send items of type 0 here/],
  ['257 items', items(257), /a frame may hold 256 items, not 257/],
  ['twenty thousand items', items(20_000), /a frame may hold 256 items, not 20000/],
  ['a hundred thousand items', items(100_000), /more than 10000 elements/],
  ['a frame 100,000 deep', nested(100_000), /nested more than 64 deep/],
  ['a payload 100,000 deep', `[0,1,[3,"echo",${nested(100_000)}]]`, /nested more than 64 deep/],
  ['a payload 65 deep', `[0,1,[2,"x",${nested(65)},{"r":"r"}]]`, /nested more than 64 deep/],
  ['a payload of 10,001 elements', [0, 1, [3, 'echo', Array(10_001).fill(0)]], /more than 10000 elements/],
  ['a key of 257 bytes', [0, 1, [3, 'echo', { ['k'.repeat(257)]: 1 }]], /a key with more than 256 bytes/],
  ['the key __proto__', '[0,1,[3,"echo",{"x":{"__proto__":{"y":1}}}]]', /the key __proto__/],
];

describe('a frame that breaks the protocol: BYE names it, 4400 closes, nobody else notices', () => {
  const rows = brokenFrames.map(([what, data, named, code = 4400]) => ({ what, data, named, code }));
  test.each(rows)('$what', async ({ data, named, code }) => {
    const { url, server, errors } = await serve();
    const other = await bystander(url);
    const peer = await greetedPeer(url);
    peer.say(data);
    expect(await peer.closed).toBe(code);
    const word = code === 4409 ? 'ERR_GAP' : 'ERR_PROTOCOL';
    expect(peer.heard.at(-1)).toEqual([13, word, expect.stringMatching(named)]);
    await other.noticedNothing();
    expect(errors).toEqual([]);
    expect(server.stats()).toMatchObject({ connections: 1, errors: 0 });
  });

  test('what the frame says before it breaks is dispatched once, what follows never', async () => {
    const { url, server } = await serve();
    const heard: unknown[] = [];
    server.on('note', (payload) => heard.push(payload));
    const peer = await greetedPeer(url);
    peer.say([0, 1, [2, 'note', 1], [2, 'note', 2], [31], [2, 'note', 3]]);
    peer.say([0, 4, [2, 'note', 4]]);
    expect(await peer.closed).toBe(4400);
    expect(heard).toEqual([]);
  });
});

describe('strange, but allowed: the connection stays', () => {
  const strange: readonly (readonly [what: string, data: unknown])[] = [
    ['unknown item types from 32 on', [0, 0, [32], [4711, { x: 1 }, null], [1e9, '__proto__']]],
    ['a frame without items', [0, 0]],
    ['256 items', items(256)],
    ['more fields than there are', [0, 0, [7, 'x', { y: 1 }], [14_000]]],
    ['a payload 64 deep', `[0,1,[3,"echo",${nested(64)}]]`],
    ['taking back what was never asked', [0, 1, [14, 9_999]]],
  ];
  test.each(strange)('%s', async (_what, data) => {
    const { url } = await serve();
    const peer = await greetedPeer(url);
    peer.say(data);
    peer.say([0, 0, [7]]);
    await eventually(() => peer.heard.some(([type]) => type === 8), 'a PONG');
    expect(peer.heard.filter(([type]) => type === 13)).toEqual([]);
  });

  test('a request whose payload is undefined says so by leaving it out, or by u', async () => {
    const { url } = await serve();
    const peer = await greetedPeer(url);
    peer.say([0, 1, [3, 'echo', null, { u: 1 }], [3, 'echo'], [3, 'echo', null]]);
    await eventually(() => peer.heard.filter(([type]) => type === 4).length === 3, 'three answers');
    expect(peer.heard.filter(([type]) => type === 4)).toEqual([
      [4, 1],
      [4, 2],
      [4, 3, null],
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'])(
    '%s is a name like any other',
    async (name) => {
      const { url, server } = await serve();
      const other = await bystander(url);
      const client = clientOf(url);
      const heard: unknown[] = [];
      await client.connect();
      await expect(client.request(name, 1)).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
      await expect(client.send(name, 1)).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
      server.handle(name, (input) => ({ got: input }));
      server.on(name, (payload) => heard.push(payload));
      client.on(name, (payload, { room }) => heard.push([room, payload]));
      // As a key of a payload, `__proto__` alone is refused.
      const payload = { [name.replaceAll('_', '')]: { polluted: 1 } };
      expect(await client.request(name, payload)).toEqual({ got: payload });
      await client.send(name, payload);
      await client.room(name).join();
      expect(await server.to(name).send(name, 5)).toEqual({ members: 1 });
      await eventually(() => heard.length === 2, 'the publication');
      expect(heard).toEqual([payload, [name, 5]]);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
      await other.noticedNothing();
    },
  );
});

describe('before the WELCOME', () => {
  const early: readonly (readonly [what: string, data: unknown, code: string, named: RegExp])[] = [
    ['data before HELLO', [0, 1, [2, 'note', 1]], 'ERR_PROTOCOL', /begins with a HELLO, alone/],
    ['a ping before HELLO', [0, 0, [7]], 'ERR_PROTOCOL', /begins with a HELLO, alone/],
    ['HELLO and more', [...hello(), [7]], 'ERR_PROTOCOL', /begins with a HELLO, alone/],
    ['another version', [0, 0, [0, { v: 2, c: 'x', n: 1 }]], 'ERR_PROTOCOL_VERSION', /version 1 .* not 2/],
    ['no version', [0, 0, [0, { c: 'x', n: 1 }]], 'ERR_PROTOCOL', /\.v must be a whole number/],
    [
      'a HELLO beyond 8,192 bytes',
      [0, 0, [0, { v: 1, c: 'x', n: 1, w: [1, 1], a: 'y'.repeat(8_180) }]],
      'ERR_PROTOCOL',
      /8192/,
    ],
    [
      'attach number 0',
      [0, 0, [0, { v: 1, c: 'x', n: 0, w: [1, 1] }]],
      'ERR_PROTOCOL',
      /\.n must be a whole number from 1, not 0/,
    ],
    ['no JSON', 'GET / HTTP/1.1', 'ERR_PROTOCOL', /not JSON/],
  ];
  test.each(early)('%s', async (_what, data, code, named) => {
    const { url, server } = await serve();
    const other = await bystander(url);
    const peer = await rawPeer(url);
    peer.say(data);
    expect(await peer.closed).toBe(4400);
    expect(peer.heard).toEqual([[13, code, expect.stringMatching(named)]]);
    await other.noticedNothing();
    expect(server.stats()).toMatchObject({ sessions: 1 });
  });

  test('a nonce that has named a session before: a fault of the peer, not of auth', async () => {
    const { url, errors } = await serve({ auth: () => ({ user: { id: 'ada' } }) });
    const first = await rawPeer(url);
    const again = await rawPeer(url);
    const said = hello() as [number, number, [number, object]];
    first.say(said);
    await eventually(() => first.heard.length > 0, 'a WELCOME');
    first.say([0, 0, [7]]);
    await eventually(() => first.heard.some(([type]) => type === 8), 'a PONG');
    again.say([0, 0, [0, { ...said[2][1], n: 2 }]]);
    expect(await again.closed).toBe(4400);
    expect(again.heard).toEqual([[13, 'ERR_PROTOCOL', expect.stringMatching(/nonce/)]]);
    expect(errors).toEqual([]);
  });

  test('no HELLO at all: hung up on after five seconds, with the reason', async () => {
    const { url } = await serve();
    const other = await bystander(url);
    const peer = await rawPeer(url);
    const since = Date.now();
    expect(await peer.closed).toBe(3008);
    expect(Date.now() - since).toBeGreaterThan(4_000);
    expect(peer.heard).toEqual([[13, 'ERR_TIMEOUT', 'no HELLO within 5000 ms']]);
    await other.noticedNothing();
  });

  test('the subprotocol of another version is told in a frame what is spoken here', async () => {
    const { url } = await serve();
    const peer = await rawPeer(url, ['holdfast.v2.json', 'holdfast.v3.json']);
    expect(await peer.closed).toBe(4400);
    expect(peer.heard).toEqual([
      [13, 'ERR_PROTOCOL_VERSION', expect.stringMatching(/speaks holdfast.v1.json/)],
    ]);
  });
});

test('a message beyond maxMessageBytes closes 1009, whatever it holds, and only this connection', async () => {
  const { url, server } = await serve({ limits: { maxMessageBytes: 8_192 } });
  const other = await bystander(url);
  const peer = await greetedPeer(url);
  peer.say([0, 1, [2, 'note', 'x'.repeat(9_000)]]);
  expect(await peer.closed).toBe(1009);
  await eventually(() => server.stats().connections === 1, 'the session ends');
  await other.noticedNothing();
});

describe('a refused upgrade', () => {
  const upgrade = (url: string, headers: Record<string, string>, protocols: string[]) =>
    soon(
      new Promise<[status: number | undefined, body: string]>((resolve) => {
        const socket = new WebSocket(url, protocols, { headers });
        onTestFinished(() => socket.terminate());
        socket.on('error', () => undefined);
        socket.on('unexpected-response', (_request, response) => {
          response
            .setEncoding('utf8')
            .on('data', (body: string) => resolve([response.statusCode, body.trim()]));
        });
      }),
      'an answer to the upgrade',
    );

  test('403 for the origin, 404 for the path, 400 for the subprotocol, each with its reason', async () => {
    const { url } = await serve({ origins: ['https://good.example'] });
    const other = await bystander(url);
    const v1 = ['holdfast.v1.json'];
    expect(await upgrade(url, { Origin: 'https://evil.example' }, v1)).toEqual([
      403,
      'the origin https://evil.example is not allowed here',
    ]);
    expect(await upgrade(url, { Origin: 'null' }, v1)).toEqual([403, 'the origin null is not allowed here']);
    expect(await upgrade(url.replace('realtime', 'elsewhere'), {}, v1)).toEqual([
      404,
      'WebSockets are served on /realtime',
    ]);
    expect(await upgrade(url, {}, [])).toEqual([400, expect.stringContaining('not without a subprotocol')]);
    expect(await upgrade(url, {}, ['graphql-transport-ws'])).toEqual([
      400,
      'this server speaks holdfast.v1.json, not graphql-transport-ws',
    ]);
    await other.noticedNothing();
  });

  test('without origins only the pages of the server itself get in', async () => {
    const { url } = await serve();
    const own = new URL(url);
    const page = new WebSocket(url, ['holdfast.v1.json'], { headers: { Origin: `http://${own.host}` } });
    onTestFinished(() => page.terminate());
    await soon(new Promise((resolve) => page.once('open', resolve)), 'the own page connects');
    const stranger = { Origin: `http://${own.hostname}:1` };
    expect(await upgrade(url, stranger, ['holdfast.v1.json'])).toContain(403);
  });

  test('an upgrade that is none, and a peer that resets in the middle, harm nobody', async () => {
    const http = createServer();
    const port = await listening(http);
    const server = createHoldfastServer().attach(http);
    onTestFinished(async () => {
      await server.close();
      http.close();
    });
    server.handle('echo', (input) => input);
    const other = await bystander(`ws://127.0.0.1:${port}/realtime`);
    for (const extra of ['', 'Sec-WebSocket-Key: x\r\n', 'Sec-WebSocket-Protocol: ,,;\r\n']) {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      socket.write(
        `GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${extra}\r\n`,
      );
      const answer = await soon(new Promise((resolve) => socket.once('data', resolve)), 'an answer');
      expect(String(answer)).toMatch(/^HTTP\/1.1 400 /);
      socket.resetAndDestroy();
    }
    await other.noticedNothing();
  });
});

describe('auth that does not do its work', () => {
  const failing = {
    throws: () => {
      throw new Error('database is down');
    },
    rejects: () => Promise.reject(new Error('database is down')),
    'returns nothing': () => undefined,
    'returns rubbish': () => ({ user: { id: 5 } }),
    'returns no id': () => Promise.resolve({ user: {} }),
    'returns an empty id': () => ({ user: { id: '' } }),
    'returns an id of 257 characters': () => ({ user: { id: 'x'.repeat(257) } }),
  };
  const authOf = (fails: () => unknown) => (token: string | undefined) =>
    (token === 'good' ? { user: { id: 'good' } } : fails()) as { user: { id: string } };

  test.each(Object.entries(failing))('%s: reported, told as a fault of the server', async (_what, fails) => {
    const { url, errors } = await serve({ auth: authOf(fails) });
    const other = await bystander(url, { auth: 'good' });
    const client = clientOf(url, { auth: 'bad', reconnect: { maxAttempts: 1 } });
    await expect(soon(client.connect(), 'an answer')).rejects.toMatchObject({
      code: 'ERR_GAVE_UP',
      cause: { code: 'ERR_CONNECTION_LOST', message: expect.stringContaining('ERR_HANDLER_FAILED') },
    });
    expect(errors).toHaveLength(1);
    await other.noticedNothing();
  });

  test.each(['returns nothing', 'returns rubbish', 'returns no id'] as const)(
    '%s: what it must return is said',
    async (what) => {
      const { url, errors } = await serve({ auth: authOf(failing[what]) });
      const client = clientOf(url, { auth: 'bad', reconnect: { maxAttempts: 1 } });
      await expect(soon(client.connect(), 'an answer')).rejects.toMatchObject({ code: 'ERR_GAVE_UP' });
      expect(errors).toEqual([
        expect.objectContaining({ message: expect.stringContaining('auth must return { user: { id } }') }),
      ]);
    },
  );

  test('a RejectError is told with its reason, and not tried again', async () => {
    const refuse = () => Promise.reject(new RejectError('unknown'));
    const { url, errors } = await serve({ auth: authOf(refuse) });
    const other = await bystander(url, { auth: 'good' });
    const client = clientOf(url, { auth: 'old' });
    await expect(soon(client.connect(), 'an answer')).rejects.toMatchObject({
      code: 'ERR_AUTH_REFUSED',
      message: expect.stringContaining('unknown'),
    });
    expect(client.getState()).toMatchObject({ status: 'needs-auth', error: { code: 'ERR_AUTH_REFUSED' } });
    await soon(client.connect({ auth: 'good' }), 'the good token');
    expect(errors).toEqual([]);
    await other.noticedNothing();
  });

  test('hangs: others come in, and who gives up is forgotten', async () => {
    const { url, server } = await serve({ auth: authOf(() => new Promise(() => undefined)) });
    const waiting = clientOf(url, { auth: 'slow' });
    const ended = expect(waiting.connect()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await eventually(() => waiting.getState().status === 'connecting', 'the dial');
    const other = await bystander(url, { auth: 'good' });
    await waiting.close();
    await ended;
    expect(server.stats()).toMatchObject({ sessions: 1 });
    await other.noticedNothing();
  });
});
