import { createServer } from 'node:http';
import { createHoldfastServer, type HoldfastServer, RejectError, type ServerOptions } from '@holdfast/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, hello, listening, rawPeer, serve, soon } from './peers.js';
import { WebSocket } from './ws.js';

// The server's end of a socket that several tabs share, on the wire and spoken by hand.

const SHARED = 'holdfast.v1.shared';
const CODEC = 'holdfast.v1.json';
const bearer = (token: string): string => `holdfast.bearer.${Buffer.from(token).toString('base64url')}`;
const helloOf = (fields: object = {}): string => {
  const [ack, first, [type, said]] = hello() as [number, number, [number, object]];
  return JSON.stringify([ack, first, [type, { ...said, ...fields }]]);
};

interface Shared {
  readonly protocol: string;
  readonly said: string[];
  say(text: string | Uint8Array): void;
  /** Opens a connection, and says HELLO on it. */
  enter(index: number, more?: { readonly protocols?: readonly string[]; readonly hello?: object }): void;
  /** What was said on a connection, without its number: words, and the first item of each frame. */
  heard(index: number): unknown[];
  /** As whom a connection was welcomed. */
  user(index: number): Promise<string>;
  readonly closed: Promise<number>;
}

async function share(
  url: string,
  {
    headers = {},
    protocols = [CODEC],
  }: { headers?: Record<string, string>; protocols?: readonly string[] } = {},
): Promise<Shared> {
  const socket = new WebSocket(url, [SHARED, ...protocols], { headers });
  onTestFinished(() => socket.terminate());
  const said: string[] = [];
  socket.on('message', (data) => said.push(String(data)));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await soon(new Promise((resolve) => socket.once('open', resolve)), 'the socket opens');
  const heard = (index: number): unknown[] =>
    said
      .filter((one) => one.startsWith(`${index}`) && /^\D/.test(one.slice(String(index).length)))
      .map((one) => one.slice(String(index).length))
      .map((one) => (one.startsWith('m') ? (JSON.parse(one.slice(1)) as unknown[])[2] : one));
  const welcomeOn = (index: number) =>
    heard(index).find((item) => Array.isArray(item) && item[0] === 1) as [1, { u: string }] | undefined;
  return {
    protocol: socket.protocol,
    said,
    heard,
    closed: soon(closed, 'the server hangs up'),
    say: (text) => socket.send(text),
    enter: (index, { protocols: offered = [CODEC], hello: fields } = {}) => {
      socket.send(`${index}o${JSON.stringify(offered)}`);
      socket.send(`${index}m${helloOf(fields)}`);
    },
    user: async (index) => {
      await eventually(() => welcomeOn(index) !== undefined, `a WELCOME on ${index}`);
      return welcomeOn(index)?.[1].u ?? '';
    },
  };
}

const auth: ServerOptions['auth'] = (token) => {
  if (token === 'evil') throw new RejectError('not-you');
  return { user: { id: token ?? 'nobody' } };
};

async function withHttp(options: ServerOptions): Promise<{ server: HoldfastServer; url: string }> {
  const http = createServer();
  const server = createHoldfastServer(options).attach(http);
  const port = await listening(http);
  onTestFinished(async () => {
    await server.close();
    http.close();
    http.closeAllConnections();
  });
  return { server, url: `ws://127.0.0.1:${port}/realtime` };
}

describe('one socket for several connections', () => {
  test('each has its own token: in its HELLO, or where it is opened; that of the socket is nobody’s', async () => {
    const { url, server } = await serve({ auth });
    const shared = await share(url, { protocols: [CODEC, bearer('whoever dialled')] });
    expect(shared.protocol).toBe(SHARED);
    shared.enter(1, { hello: { a: 'ada' } });
    shared.enter(2, { protocols: [CODEC, bearer('grace')] });
    shared.enter(3);
    expect(await Promise.all([1, 2, 3].map((index) => shared.user(index)))).toEqual([
      'ada',
      'grace',
      'nobody',
    ]);
    expect(server.stats()).toMatchObject({ connections: 3, sessions: 3 });
  });

  test('a token in the URL is everybody’s who has dialled it, and is nowhere to be seen', async () => {
    const urls: (string | undefined)[] = [];
    const { url } = await serve({
      tokenFrom: { query: 'key' },
      auth: (token, { request }) => {
        urls.push(request?.url);
        return { user: { id: token ?? 'nobody' } };
      },
    });
    const shared = await share(`${url}?key=mary`);
    shared.enter(1);
    shared.enter(2, { protocols: [CODEC, bearer('grace')] });
    expect([await shared.user(1), await shared.user(2)]).toEqual(['mary', 'grace']);
    expect(urls).toEqual(['/realtime?key=redacted', '/realtime?key=redacted']);
  });

  test('where a cookie would be the token, no socket is shared; other cookies are not shown', async () => {
    const seen: unknown[] = [];
    const { url } = await serve({
      tokenFrom: { cookie: 'sid' },
      origins: ['https://example.com'],
      auth: (token, { request }) => {
        const { cookie, authorization, origin } = request?.headers ?? {};
        seen.push([token, cookie, authorization, origin, request?.headers['sec-websocket-protocol']]);
        return { user: { id: token ?? 'nobody' } };
      },
    });
    const origin = 'https://example.com';
    const own = await share(url, { headers: { origin, cookie: 'sid=ada' } });
    expect(own.protocol).toBe(CODEC);
    const authorization = 'Basic YWRhOmFkYQ==';
    const shared = await share(url, { headers: { origin, cookie: 'theme=dark', authorization } });
    expect(shared.protocol).toBe(SHARED);
    shared.enter(1, { hello: { a: 'grace' } });
    expect(await shared.user(1)).toBe('grace');
    expect(seen).toEqual([['grace', undefined, undefined, origin, CODEC]]);
  });

  test('asked at the upgrade: for the socket, and again for each that is opened', async () => {
    const { url } = await serve({ auth, authAt: 'upgrade' });
    const refused = new WebSocket(url, [SHARED, CODEC, bearer('evil')]);
    onTestFinished(() => refused.terminate());
    const answer = new Promise((resolve) =>
      refused.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
    );
    refused.on('error', () => undefined);
    expect(await soon(answer, 'a refusal')).toBe(401);
    const shared = await share(url, { protocols: [CODEC, bearer('ada')] });
    shared.enter(1, { protocols: [CODEC, bearer('ada')] });
    shared.say(`2o${JSON.stringify([CODEC, bearer('evil')])}`);
    expect(await shared.user(1)).toBe('ada');
    await eventually(() => shared.heard(2).length > 0, 'a refusal');
    expect(shared.heard(2)).toEqual(['c[3003,"not-you"]']);
  });

  test('an opening that offers what is not spoken here is told so, and harms nobody', async () => {
    const { url } = await serve();
    const shared = await share(url);
    shared.enter(1);
    shared.say('2o["holdfast.v2.json"]');
    shared.say('3o["chat"]');
    shared.say(`4o${JSON.stringify([CODEC, 'holdfast.bearer.!'])}`);
    await shared.user(1);
    await eventually(() => shared.heard(4).length > 0, 'the last refusal');
    expect(shared.heard(2)).toEqual([
      'o"holdfast.v2.json"',
      [13, 'ERR_PROTOCOL_VERSION', expect.any(String)],
      'c[4400,"ERR_PROTOCOL_VERSION"]',
    ]);
    expect(shared.heard(3)).toEqual([expect.stringMatching(/^c\[4400,"this server speaks/)]);
    expect(shared.heard(4)).toEqual([expect.stringMatching(/^c\[4400,".*base64url/)]);
    shared.say('1m[0,0,[7]]');
    await eventually(() => shared.heard(1).some((item) => Array.isArray(item) && item[0] === 8), 'a PONG');
  });

  test('a bad frame of one connection is answered there: the others go on', async () => {
    const { url } = await serve();
    const shared = await share(url);
    shared.enter(1);
    shared.enter(2);
    await Promise.all([shared.user(1), shared.user(2)]);
    shared.say('2m{"not":"a frame"}');
    await eventually(() => shared.heard(2).includes('c[4400,"ERR_PROTOCOL"]'), 'a refusal');
    shared.say('1m[0,0,[7]]');
    await eventually(() => shared.heard(1).some((item) => Array.isArray(item) && item[0] === 8), 'a PONG');
  });

  test('a message that nobody can read ends the socket, and only that one', async () => {
    const { url } = await serve();
    const [one, other] = await Promise.all([share(url), share(url)]);
    other.enter(1);
    await other.user(1);
    one.say('what?');
    expect(await one.closed).toBe(4400);
    other.say('1m[0,0,[7]]');
    await eventually(() => other.heard(1).some((item) => Array.isArray(item) && item[0] === 8), 'a PONG');
  });

  test('each connection counts for the limits of its address', async () => {
    const { url } = await withHttp({ trustProxy: 0, limits: { connectionsPerAddress: 2 } });
    const shared = await share(url);
    for (const index of [1, 2, 3]) shared.enter(index);
    await Promise.all([shared.user(1), shared.user(2)]);
    await eventually(() => shared.heard(3).length > 1, 'a refusal');
    expect(shared.heard(3)).toEqual([`o"${CODEC}"`, 'c[4429,"ra=10000"]']);
    shared.say('1c[1000,""]');
    shared.enter(4);
    await shared.user(4);
  });

  test('sockets on which nobody says anything count, too', async () => {
    const { url } = await withHttp({ trustProxy: 0, limits: { connectionsPerAddress: 2 } });
    await Promise.all([share(url), share(url)]);
    const third = await share(url);
    expect(await third.closed).toBe(4429);
  });

  test('a server that drains says that the next one is to go elsewhere, then moves those that are here', async () => {
    const { url, server } = await serve();
    const shared = await share(url);
    shared.enter(1);
    await shared.user(1);
    const drained = server.drain({ deadlineMs: 500 });
    await eventually(() => shared.said.includes('0r'), 'the word');
    const goAway = await eventually(
      () => shared.heard(1).find((item) => Array.isArray(item) && item[0] === 11) ?? false,
      'a GOAWAY',
    );
    expect(goAway).toEqual([11, expect.any(String), expect.any(Number)]);
    expect(shared.said.indexOf('0r')).toBeLessThan(
      shared.said.findIndex((one) => one.startsWith('1m[0,0,[11')),
    );
    await drained;
    expect(await shared.closed).toBeGreaterThan(1_000);
  });

  test('who offers nothing else and may not share is refused; who does not know of it notices nothing', async () => {
    const { url } = await serve({ tokenFrom: { cookie: 'sid' }, origins: ['https://example.com'] });
    const headers = { origin: 'https://example.com', cookie: 'sid=ada' };
    const refused = new WebSocket(url, [SHARED], { headers });
    onTestFinished(() => refused.terminate());
    const answer = new Promise((resolve) =>
      refused.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
    );
    refused.on('error', () => undefined);
    expect(await soon(answer, 'a refusal')).toBe(400);
    const peer = await rawPeer(url);
    peer.say(hello());
    await eventually(() => peer.heard.length > 0, 'a WELCOME');
  });
});
