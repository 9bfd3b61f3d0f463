import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { RejectError, type ServerOptions } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bystander, clientOf, eventually, hello, serve, soon } from './peers.js';
import { WebSocket } from './ws.js';

// Where a token may come from at the upgrade, and a refusal there, on the real wire.

const CODEC = 'holdfast.v1.json';
const origin = 'https://chat.example.com';
const secret = 's'.repeat(32);
const jwtFor = (claims: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ sub: 'ada', aud: 'chat', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
const bearer = (token: string): string => `holdfast.bearer.${Buffer.from(token).toString('base64url')}`;

interface Way {
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: readonly string[];
  readonly fields?: object;
}
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** Says HELLO; the user it is welcomed as, the code of its BYE, or what the upgrade was refused with. */
function knock(url: string, { query = '', headers = {}, protocols = [], fields = {} }: Way) {
  const socket = new WebSocket(url + query, [CODEC, ...protocols], { headers });
  onTestFinished(() => socket.terminate());
  const answer = new Promise<string | Answer>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      const [, , [type, said]] = hello() as [number, number, [number, object]];
      socket.send(JSON.stringify([0, 0, [type, { ...said, ...fields }]]));
    });
    socket.on('message', (data) => {
      const [item] = (JSON.parse(String(data)) as unknown[]).slice(2) as [number, { u: string } & string][];
      // An ack alone has no item.
      if (!item) return;
      const [type, what] = item;
      resolve(type === 1 ? what.u : what);
    });
    socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
      let text = '';
      response.on('data', (data) => {
        text += String(data);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: text.trim(), headers: response.headers }),
      );
    });
  });
  return soon(answer, 'an answer');
}

const places = { tokenFrom: { cookie: 'sid', query: 'access_token' }, origins: [origin] };
const signed: ServerOptions = { auth: jwt({ secret, audience: 'chat' }), ...places };

describe.each(['hello', 'upgrade'] as const)('a signed token, asked about at the %s', (authAt) => {
  test('counts in a subprotocol, the query and a cookie', async () => {
    const { url, errors } = await serve({ ...signed, authAt });
    const token = await jwtFor();
    expect(await knock(url, { protocols: [bearer(token)] })).toBe('ada');
    expect(await knock(url, { query: `?access_token=${token}` })).toBe('ada');
    expect(await knock(url, { headers: { cookie: `a=1; sid=${token}`, origin } })).toBe('ada');
    expect(errors).toEqual([]);
  });

  test('of which the first frame has the last word', async () => {
    const { url } = await serve({ ...signed, authAt });
    const query = `?access_token=${await jwtFor()}`;
    expect(await knock(url, { query, fields: { a: await jwtFor({ sub: 'bob' }) } })).toBe('bob');
    expect(await knock(url, { query, fields: { a: await jwtFor({ aud: 'billing' }) } })).toBe(
      'ERR_AUTH_REFUSED',
    );
  });

  test('does not count in query or cookie unless that is switched on', async () => {
    const { url } = await serve({ ...signed, tokenFrom: {}, authAt });
    const token = await jwtFor();
    const answers = [
      await knock(url, { query: `?access_token=${token}` }),
      await knock(url, { headers: { cookie: `sid=${token}`, origin } }),
    ];
    const refused = authAt === 'hello' ? 'ERR_AUTH_REFUSED' : { status: 401, text: 'token-missing' };
    expect(answers).toMatchObject([refused, refused]);
  });

  test('in a cookie without an origin is refused with 403, and one of a foreign page, too', async () => {
    const { url } = await serve({ ...signed, authAt });
    const cookie = `sid=${await jwtFor()}`;
    expect(await knock(url, { headers: { cookie } })).toMatchObject({ status: 403 });
    expect(await knock(url, { headers: { cookie, origin: 'https://evil.example' } })).toMatchObject({
      status: 403,
    });
  });

  test.each([
    ['two in the query', { query: '?access_token=a&access_token=b' }],
    ['an empty one', { query: '?access_token=' }],
    ['half a character', { query: '?access_token=%C3' }],
    ['an empty cookie', { headers: { cookie: 'sid=', origin } }],
  ])('malformed, %s: HTTP 400, and nobody else notices', async (_what, way) => {
    const { url, errors } = await serve({ ...signed, authAt });
    const other = authAt === 'hello' ? await bystander(url, { auth: await jwtFor() }) : undefined;
    expect(await knock(url, way)).toMatchObject({ status: 400 });
    await other?.noticedNothing();
    expect(errors).toEqual([]);
  });

  test('is nowhere to be seen: not in a refusal, not in the URL that the application is given', async () => {
    const urls: (string | undefined)[] = [];
    const base = jwt({ secret, audience: 'chat' });
    const auth: typeof base = (token, handshake) => {
      urls.push(handshake.request?.url);
      return base(token, handshake);
    };
    const { url, errors, server } = await serve({ ...signed, auth, authAt });
    server.use((_session, { request }) => urls.push(request?.url));
    await knock(url, { query: `?access_token=${await jwtFor()}&room=1` });
    const secretive = await jwtFor({ aud: 'billing' });
    const answer = await knock(url, { query: `?access_token=${secretive}` });
    expect(JSON.stringify(answer)).not.toContain(secretive.slice(0, 20));
    const [whole, alone] = ['/realtime?access_token=redacted&room=1', '/realtime?access_token=redacted'];
    expect([urls, errors]).toEqual([[whole, whole, alone], []]);
  });
});

describe('refused at the upgrade', () => {
  test('401 with a challenge', async () => {
    const { url, errors } = await serve({ ...signed, authAt: 'upgrade' });
    expect(await knock(url, {})).toMatchObject({
      status: 401,
      text: 'token-missing',
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(await knock(url, { query: '?access_token=a.b.c' })).toMatchObject({
      status: 401,
      text: 'token-invalid',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
    expect(errors).toEqual([]);
  });

  test('an auth that says a token is long over: 401', async () => {
    const auth = () => ({ user: { id: 'ada' }, expiresAt: Date.now() - 60_000 });
    const { url } = await serve({ auth, authAt: 'upgrade' });
    expect(await knock(url, {})).toMatchObject({ status: 401, text: 'expired' });
  });

  test('an auth that fails: 503, told to onError, and the next one is let in', async () => {
    const failure = new Error('the database is down');
    let asked = 0;
    const auth = () => {
      if (++asked === 1) throw failure;
      return { user: { id: 'ada' } };
    };
    const { url, errors } = await serve({ auth, authAt: 'upgrade' });
    expect(await knock(url, {})).toMatchObject({ status: 503, text: 'try again later' });
    expect([await knock(url, {}), asked, errors]).toEqual(['ada', 2, [failure]]);
  });

  test('a reason that would make lines of its own makes none', async () => {
    const auth = () => {
      throw new RejectError('no\r\nSet-Cookie: a=b');
    };
    const { url } = await serve({ auth, authAt: 'upgrade' });
    const answer = (await knock(url, {})) as Answer;
    expect([answer.text, answer.headers['set-cookie']]).toEqual(['no??Set-Cookie: a=b', undefined]);
  });

  test('who has gone, or a server that closes, while auth thinks: nothing is left', async () => {
    let admit: (() => void)[] = [];
    const auth = async () => {
      await new Promise<void>((resolve) => admit.push(resolve));
      return { user: { id: 'ada' } };
    };
    const { url, server, errors } = await serve({ auth, authAt: 'upgrade' });
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    socket.write(
      `GET /realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${CODEC}\r\n\r\n`,
    );
    await eventually(() => admit.length === 1, 'auth is asked');
    socket.resetAndDestroy();
    const waiting = knock(url, {}).catch(() => 'refused');
    await eventually(() => admit.length === 2, 'auth is asked again');
    const closed = server.close();
    expect(await waiting).not.toBe('ada');
    await soon(closed, 'the server closes');
    for (const resolve of admit.splice(0)) resolve();
    admit = [];
    expect([server.stats().connections, errors]).toEqual([0, []]);
  });

  test('our own client shows its token in the upgrade, and is let in', async () => {
    const { url } = await serve({ ...signed, authAt: 'upgrade' });
    const client = clientOf(url, { auth: await jwtFor(), tokenIn: 'subprotocol' });
    await soon(client.connect(), 'it connects');
    expect(client.getState()).toMatchObject({ status: 'connected', userId: 'ada' });
  });
});

test('an issuer that cannot be reached is no refusal: the client comes back by itself', async () => {
  const auth = jwt({ jwksUrl: 'http://127.0.0.1:1/jwks.json', audience: 'chat' });
  const { url, errors } = await serve({ auth });
  const key = new TextEncoder().encode(secret);
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(key);
  expect(await knock(url, { fields: { a: token } })).toBe('ERR_AUTH_REFUSED');
  const { privateKey } = await import('node:crypto').then(({ generateKeyPairSync }) =>
    generateKeyPairSync('ed25519'),
  );
  const other = await new SignJWT({}).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
  expect(await knock(url, { fields: { a: other } })).toBe('ERR_HANDLER_FAILED');
  expect(errors).toEqual([expect.objectContaining({ message: 'jwt: tokens cannot be verified' })]);
});
