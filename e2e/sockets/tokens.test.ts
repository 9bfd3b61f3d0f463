import type { IncomingMessage } from 'node:http';
import { RejectError } from '@holdfast/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bystander, eventually, greetedPeer, hello, rawPeer, serve, soon } from './peers.js';
import { WebSocket } from './ws.js';

// Tokens and draining on the real wire, spoken to without a client of ours.

const AUTH = 10;
const GOAWAY = 11;
const CODEC = 'holdfast.v1.json';
const bearer = (token: string): string =>
  `holdfast.bearer.${Buffer.from(token, 'utf8').toString('base64url')}`;

function named() {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    auth: (token: string | undefined) => {
      asked.push(token);
      if (token === 'expired') throw new RejectError('expired');
      return { user: { id: token ?? 'nobody' } };
    },
  };
}

/** What the upgrade was answered with: the subprotocol, or status and text of the refusal. */
function upgrade(url: string, protocols: readonly string[]): Promise<string> {
  const socket = new WebSocket(url, [...protocols]);
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => resolve(socket.protocol));
    socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
      let text = `${response.statusCode} `;
      response.on('data', (data) => {
        text += String(data);
      });
      response.on('end', () => resolve(text.trim()));
    });
  });
}

describe('a token among the subprotocols', () => {
  test.each([['ada'], ['Ädä 🐚 with / and +'], ['x'.repeat(8_192)]])(
    '%.20s: auth gets it, and it is not echoed',
    async (token) => {
      const { auth, asked } = named();
      const { url } = await serve({ auth: (given) => ({ user: { id: auth(given).user.id.slice(0, 20) } }) });
      expect(await upgrade(url, [bearer(token), CODEC])).toBe(CODEC);
      const peer = await rawPeer(url, [bearer(token), CODEC]);
      peer.say(hello());
      const welcome = await eventually(() => peer.heard[0] ?? false, 'a WELCOME');
      expect([welcome[1], asked]).toEqual([expect.objectContaining({ u: token.slice(0, 20) }), [token]]);
    },
  );

  test.each([
    ['nothing in it', ['holdfast.bearer.', CODEC]],
    ['no base64url', ['holdfast.bearer.a!b', CODEC]],
    ['a length that none has', ['holdfast.bearer.YWRhx', CODEC]],
    ['no UTF-8', [`holdfast.bearer.${Buffer.from([0xff, 0xfe]).toString('base64url')}`, CODEC]],
    ['two of them', [bearer('ada'), bearer('bob'), CODEC]],
    ['more than 8 KiB', [bearer('x'.repeat(8_193)), CODEC]],
    ['no codec beside it', [bearer('secret')]],
    ['another codec beside it', [bearer('secret'), 'graphql-ws']],
  ])('%s: HTTP 400 that does not show it', async (_what, protocols) => {
    const { auth, asked } = named();
    const { url, errors } = await serve({ auth });
    const answer = await upgrade(url, protocols);
    expect(answer).toMatch(/^400 /);
    for (const secret of ['secret', bearer('secret'), bearer('ada')]) expect(answer).not.toContain(secret);
    expect([asked, errors]).toEqual([[], []]);
  });

  test('only other versions beside it: told so, and the token is neither chosen nor shown', async () => {
    const { url } = await serve({ auth: named().auth });
    const peer = await rawPeer(url, [bearer('secret'), 'holdfast.v9.json']);
    expect(await peer.closed).toBe(4400);
    expect(JSON.stringify(peer.heard)).not.toContain('bearer');
  });

  test('one that has expired: told in band', async () => {
    const { url } = await serve({ auth: named().auth });
    const peer = await rawPeer(url, [CODEC, bearer('expired')]);
    peer.say(hello());
    expect(await peer.closed).toBe(3000);
    expect(peer.heard).toEqual([[13, 'ERR_AUTH_EXPIRED', 'the token has expired']]);
  });
});

test('a token is renewed while the connection stands; another user has to begin another session', async () => {
  const { url, errors } = await serve({ auth: named().auth });
  const other = await bystander(url, { auth: 'other' });
  const peer = await greetedPeer(url);
  peer.say([0, 0, [AUTH, 'nobody']]);
  expect(await eventually(() => peer.heard.find(([type]) => type === AUTH) ?? false, 'an answer')).toEqual([
    AUTH,
  ]);
  peer.say([0, 0, [AUTH, 'eve']]);
  expect(await peer.closed).toBe(4401);
  await other.noticedNothing();
  expect(errors).toEqual([]);
});

describe('what nobody may say: 4400, and nobody else notices', () => {
  test.each([
    ['AUTH with a number', [AUTH, 5]],
    ['AUTH without a token', [AUTH]],
    ['AUTH with more than 8 KiB', [AUTH, 'x'.repeat(8_193)]],
    ['GOAWAY from a client', [GOAWAY, 'drain', 0]],
  ])('%s', async (_what, item) => {
    const { asked, auth } = named();
    const { url, errors } = await serve({ auth });
    const other = await bystander(url, { auth: 'other' });
    const peer = await greetedPeer(url);
    peer.say([0, 0, item]);
    expect(await peer.closed).toBe(4400);
    expect([peer.heard.at(-1)?.[1], asked.length, errors]).toEqual(['ERR_PROTOCOL', 2, []]);
    await other.noticedNothing();
  });

  test('AUTH before the WELCOME', async () => {
    const { url } = await serve({ auth: named().auth });
    const other = await bystander(url, { auth: 'other' });
    const peer = await rawPeer(url);
    peer.say([0, 0, [AUTH, 'ada']]);
    expect(await peer.closed).toBe(4400);
    await other.noticedNothing();
  });
});

test('a flood of AUTH: 4429 with the time to wait, and nobody else notices', async () => {
  const { asked, auth } = named();
  const { url } = await serve({ auth });
  const other = await bystander(url, { auth: 'other' });
  const socket = new WebSocket(url, [CODEC]);
  onTestFinished(() => socket.terminate());
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
  await soon(new Promise((resolve) => socket.once('open', resolve)), 'it connects');
  const greeted = soon(new Promise((resolve) => socket.once('message', resolve)), 'a WELCOME');
  socket.send(JSON.stringify(hello()));
  await greeted;
  for (let count = 0; count < 500; count++)
    socket.send(JSON.stringify([0, 0, ...Array(10).fill([AUTH, 'nobody'])]));
  expect(await soon(closed, 'it is hung up on')).toBe('4429 ra=10000');
  expect(asked.length).toBe(2 + 30);
  await other.noticedNothing();
});

test('drain: who is here is asked to go, who comes is sent elsewhere in a way that browsers show, the rest is closed', async () => {
  const { url, server } = await serve();
  const peer = await greetedPeer(url);
  const drained = server.drain({ deadlineMs: 600 });
  await eventually(
    () => peer.heard.some(([type, reason]) => type === GOAWAY && reason === 'drain'),
    'a GOAWAY',
  );
  const late = await rawPeer(url);
  expect([await late.closed, late.heard]).toEqual([1012, []]);
  peer.say([0, 1, [3, 'echo', 'still']]);
  await eventually(() => peer.heard.some(([type]) => type === 4), 'an answer');
  expect(server.stats()).toMatchObject({ draining: true, connections: 1 });
  expect(await peer.closed).toBe(1012);
  await soon(drained, 'the drain is over');
});
