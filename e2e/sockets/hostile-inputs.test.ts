import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from '@holdfast/client';
import { createHoldfastServer, json, type Logger } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { msgpack } from '@holdfast/server/msgpack';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from './ws.js';

// Whatever strangers send to a server: it does not fall, does not grow, and who talks meanwhile notices nothing. With
// HOLDFAST_LONG=1 more than 100,000 of them.

const INPUTS = process.env['HOLDFAST_LONG'] === '1' ? 34_000 : 700;
const AT_ONCE = 40;
const SEED = 20_261_129;
const SECRET = 'of thirty-two characters or more';
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const sampled = <T>(arbitrary: fc.Arbitrary<T>): T[] => fc.sample(arbitrary, { numRuns: INPUTS, seed: SEED });

/** So many at a time; each ends when the server has hung up, or at once where it may stay. */
async function each<T>(inputs: readonly T[], attack: (input: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let mine = next++; mine < inputs.length; mine = next++) await attack(inputs[mine] as T);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const word = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', '\r\n', '\0', '🐚', '../..', '%00', 'x'.repeat(300)),
);
const header = fc
  .tuple(
    fc.constantFrom(
      'Origin',
      'Cookie',
      'Sec-WebSocket-Protocol',
      'Sec-WebSocket-Key',
      'Authorization',
      'X-Forwarded-For',
      'Content-Length',
    ),
    word,
  )
  .map(([name, value]) => `${name}: ${value}`);
/** An upgrade as it should be, with something that is not. */
const upgrade = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'OPTIONS', ''),
    path: fc.oneof(fc.constant('/realtime'), fc.constant('/realtime?token=x'), word),
    headers: fc.array(header, { maxLength: 6 }),
    tail: fc.oneof(fc.constant(''), fc.string(), fc.constant('\x81\xff')),
  })
  .map(({ method, path, headers, tail }) =>
    [
      `${method} ${path} HTTP/1.1`,
      ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers, '', tail],
    ].join('\r\n'),
  );

const part = fc.oneof(fc.base64String({ maxLength: 60 }), fc.json(), word);
const token = fc.oneof(
  word,
  fc.tuple(part, part, part).map((parts) => parts.join('.')),
  fc
    .jsonValue()
    .map((claims) =>
      [claims, claims, ''].map((one) => btoa(encodeURIComponent(JSON.stringify(one)))).join('.'),
    ),
);

const item = fc.oneof(
  fc.array(fc.jsonValue(), { maxLength: 5 }),
  fc.tuple(fc.nat({ max: 40 }), fc.jsonValue(), fc.jsonValue()),
);
const frame = fc.oneof(
  fc.string(),
  fc.json(),
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.array(item, { maxLength: 4 }))
    .map(([a, b, c]) => JSON.stringify([a, b, ...c])),
);

async function scene() {
  const reported: unknown[] = [];
  const server = createHoldfastServer({
    auth: jwt({ secret: SECRET, audience: 'app' }),
    tokenFrom: { cookie: 'token', query: 'token' },
    codecs: [json(), msgpack()],
    // None expires meanwhile: they are counted.
    sessionTtlMs: 3_600_000,
    // Of many strangers, one would be the flood that limits are for: these are to be heard.
    limits: { acceptPerSecond: 1_000_000, connectionsPerUser: 1_000 },
    logger: silent,
  });
  server.onError((error) => reported.push(error));
  server.rooms('*', { join: true, publish: true, presence: true });
  server.handle('echo', (input) => input);
  server.on('note', () => undefined);
  const { port } = await server.listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  const good = await new SignJWT({ sub: 'ada' })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience('app')
    .sign(new TextEncoder().encode(SECRET));
  return { server, port, good, reported };
}

/** One who talks all the while, and counts what comes back. */
function talker(url: string, auth: string) {
  const client = createClient({ url, auth });
  const losses: unknown[] = [];
  client.onState((state) => state.status === 'reconnecting' && losses.push(state.lastError));
  let answered = 0;
  let asked = 0;
  let isOver = false;
  const talk = async (): Promise<void> => {
    await client.connect();
    while (!isOver) {
      expect(await client.request('echo', ++asked)).toBe(asked);
      answered++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await client.close();
  };
  const talking = talk();
  return {
    async end() {
      isOver = true;
      await talking;
      return { answered: answered === asked && asked > 0, losses };
    },
  };
}

function raw(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const over = (): void => {
      socket.destroy();
      resolve();
    };
    socket.on('error', over).on('close', over);
    // An answer is an answer; what the server keeps waiting for, as it must, is not waited for here.
    socket.once('data', over).setTimeout(100, over);
  });
}

/** HELLO, if any, then frames; until the server hangs up or has answered the last. */
function speak(
  port: number,
  hello: object | undefined,
  frames: readonly (string | Uint8Array)[],
): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/realtime`, 'holdfast.v1.json');
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.on('open', () => {
      if (hello) socket.send(JSON.stringify([0, 0, [0, hello]]));
      for (const one of frames) socket.send(one);
      // It is answered where all before it was heard, or the connection is over.
      socket.send('[0,0,[7]]');
    });
    socket.on('message', (data) => {
      if (String(data).includes('[8]')) socket.terminate();
    });
  });
}

test(`${3 * INPUTS} upgrades, tokens and frames as nobody should send them`, {
  timeout: 1_800_000,
}, async () => {
  const { server, port, good, reported } = await scene();
  const someone = talker(`ws://127.0.0.1:${port}/realtime`, good);
  const helloOf = (a: string, c: string) => ({ v: 1, c, n: 1, w: [1_000, 1_048_576], a });
  const attack = async (): Promise<void> => {
    await each(sampled(upgrade), (bytes) => raw(port, bytes));
    await each(sampled(token), (a) => speak(port, helloOf(a, 'stranger'), []));
    await each(
      sampled(fc.tuple(fc.boolean(), fc.uuid(), fc.array(frame, { minLength: 1, maxLength: 4 }))),
      ([isIn, nonce, frames]) => speak(port, isIn ? helloOf(good, nonce) : undefined, frames),
    );
  };
  await attack();
  const settled = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const { sessions } = server.stats();
  const before = await settled();
  // The same nonces find the same sessions again: what grows now is a leak.
  await attack();
  const grown = (await settled()) - before;
  expect({ reported, sessions: server.stats().sessions }).toEqual({ reported: [], sessions });
  expect(grown).toBeLessThan(16 * 1_048_576);
  expect(await someone.end()).toEqual({ answered: true, losses: [] });
});
