import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { json } from '@holdfast/server';
import { msgpack } from '@holdfast/server/msgpack';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bystander, eventually, hello, type RawPeer, rawPeer, serve, soon } from './peers.js';
import { WebSocket } from './ws.js';

// Attacks on sessions rather than frames: keys of others, HELLOs of yesterday, peers that do not read.

type Welcome = Record<'s' | 'k' | 'e' | 'u' | 'x' | 'p' | 'lost', unknown> & { readonly q: number };

const welcomes = (peer: RawPeer): Welcome[] =>
  peer.heard.filter(([type]) => type === 1).map(([, welcome]) => welcome as Welcome);

/** Says a HELLO with these fields, on a connection of its own. */
async function greeting(url: string, fields: Record<string, unknown>): Promise<RawPeer> {
  const peer = await rawPeer(url);
  const [, , [, first]] = hello() as [number, number, [number, object]];
  peer.say([0, 0, [0, { ...first, ...fields }]]);
  return peer;
}

const named = { auth: (token: string | undefined) => ({ user: { id: token ?? 'nobody' } }) };

/** Ada, with a session in which the server has handled one message; and her key. */
async function ada(url: string) {
  const peer = await greeting(url, { a: 'ada' });
  const welcome = await eventually(() => welcomes(peer)[0] ?? false, 'a WELCOME');
  peer.say([0, 1, [3, 'echo', 'hers']]);
  await eventually(() => peer.heard.some(([type]) => type === 4), 'an answer');
  return { peer, back: { s: welcome.s, k: welcome.k, e: welcome.e, x: 1, y: 1, n: 2 } };
}

describe('a key to a session', () => {
  test('with the token of another user, or a wrong one: lost, and nothing told; whose it is keeps it', async () => {
    const { url, server, errors } = await serve(named);
    const other = await bystander(url, { auth: 'other' });
    const { peer, back } = await ada(url);
    const thieves = [
      await greeting(url, { ...back, a: 'eve' }),
      await greeting(url, { ...back, a: 'ada', k: 'guessed' }),
      await greeting(url, { ...back, a: 'ada', s: 'no-such-session' }),
    ];
    for (const thief of thieves) {
      const told = await eventually(() => welcomes(thief)[0] ?? false, 'a verdict');
      expect(Object.keys(told).sort().join(' ')).toBe('d h m o q s t took ttl u v w');
      expect(told.q).toBe(2);
    }
    peer.say([1, 2, [3, 'echo', 'still hers']]);
    await eventually(() => peer.heard.filter(([type]) => type === 4).length === 2, 'an answer');
    expect(server.stats()).toMatchObject({ sessions: 2 });
    expect(errors).toEqual([]);
    await other.noticedNothing();
  });

  test('shown again in the same HELLO: closed with 1012, and who came first stays', async () => {
    const { url, server } = await serve(named);
    const { peer, back } = await ada(url);
    const again = await greeting(url, { ...back, a: 'ada' });
    expect(await peer.closed).toBe(4410);
    await eventually(() => welcomes(again)[0]?.q === 1, 'it is resumed');
    const replayed = await greeting(url, { ...back, a: 'ada' });
    expect(await replayed.closed).toBe(1012);
    expect(replayed.heard).toEqual([]);
    again.say([1, 2, [3, 'echo', 'still hers']]);
    await eventually(() => again.heard.some(([type]) => type === 4), 'an answer');
    expect(server.stats()).toMatchObject({ sessions: 1, connections: 1 });
  });

  test.each([
    ['of more than was ever written', { x: 99 }],
    ['of more than was ever accepted', { y: 99 }],
    ['of another life of the store', { e: 'another' }],
  ])('and positions %s: lost, not believed', async (_what, wrong) => {
    const { url } = await serve(named);
    const { back } = await ada(url);
    const liar = await greeting(url, { ...back, ...wrong, a: 'ada' });
    expect((await eventually(() => welcomes(liar)[0] ?? false, 'a verdict')).q).toBe(2);
    // It may begin anew on the same connection.
    liar.say([0, 0, [0, { v: 1, c: `anew-${Math.random()}`, n: 2, w: [10, 1_000], a: 'ada' }]]);
    await eventually(() => welcomes(liar)[1]?.q === 0, 'a new session');
  });

  test('without its epoch or positions is a bad frame', async () => {
    const { url } = await serve(named);
    const { back } = await ada(url);
    const peer = await greeting(url, { ...back, e: undefined, a: 'ada' });
    expect(await peer.closed).toBe(4400);
    expect(peer.heard).toEqual([[13, 'ERR_PROTOCOL', expect.stringMatching(/gives its key, its epoch/)]]);
  });
});

describe('MessagePack', () => {
  const bytes = (...all: number[]): Uint8Array => new Uint8Array(all);
  const codec = msgpack();
  const packed = (value: unknown): Uint8Array =>
    codec.frame(0, 0, [codec.encode(value as never)]) as Uint8Array;

  test.each<[string, string | Uint8Array]>([
    ['a text frame', '[0,0,[7]]'],
    ['half a frame', packed([7]).slice(0, -1)],
    ['bytes behind it', new Uint8Array([...packed([7]), 0xc0])],
    ['nothing at all', bytes()],
    ['a header that promises four billion elements', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['nested headers that promise 65,535 elements each', new Uint8Array(9_000).fill(0xdc)],
    ['an extension', bytes(0x93, 0, 0, 0xd4, 1, 0)],
    ['a byte that means nothing', bytes(0xc1)],
  ])('%s: 4400, and nobody else notices', async (_what, data) => {
    const { url, server, errors } = await serve({ codecs: [json(), msgpack()] });
    const other = await bystander(url);
    const socket = new WebSocket(url, ['holdfast.v1.msgpack']);
    onTestFinished(() => socket.terminate());
    socket.on('error', () => undefined);
    await soon(new Promise((resolve) => socket.once('open', resolve)), 'it connects');
    const greeted = soon(new Promise((resolve) => socket.once('message', resolve)), 'a WELCOME');
    socket.send(packed([0, { v: 1, c: `packed-${Math.random()}`, n: 1, w: [10, 1_000] }]));
    await greeted;
    const closed = soon(new Promise((resolve) => socket.once('close', resolve)), 'it is hung up on');
    socket.send(data);
    expect(await closed).toBe(4400);
    await other.noticedNothing();
    expect([errors, server.stats().connections]).toEqual([[], 1]);
  });
});

describe('below the frames', () => {
  /** A WebSocket frame of a client, masked with zeros. */
  const raw = (opcode: number, payload: Uint8Array, first = 0x80 | opcode): Uint8Array =>
    new Uint8Array([first, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);

  test.each<[string, Uint8Array, number]>([
    ['text that is no UTF-8', raw(1, new Uint8Array([0xff, 0xfe])), 1007],
    ['an opcode that means nothing', raw(3, new Uint8Array([1])), 1002],
    ['a reserved bit', raw(1, new Uint8Array([0x5b]), 0xc1), 1002],
    ['a frame without a mask', new Uint8Array([0x81, 2, 0x5b, 0x5d]), 1002],
    ['a continuation of nothing', raw(0, new Uint8Array([0x5d])), 1002],
    [
      'a header of more bytes than a message may have',
      new Uint8Array([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0]),
      1009,
    ],
  ])('%s: %3$i, the session waits, and nobody else notices', async (_what, data, code) => {
    const { url, server, errors } = await serve();
    const other = await bystander(url);
    const socket = new WebSocket(url, ['holdfast.v1.json']);
    onTestFinished(() => socket.terminate());
    socket.on('error', () => undefined);
    await soon(new Promise((resolve) => socket.once('open', resolve)), 'it connects');
    const greeted = soon(new Promise((resolve) => socket.once('message', resolve)), 'a WELCOME');
    socket.send(JSON.stringify(hello()));
    await greeted;
    const closed = soon(new Promise((resolve) => socket.once('close', resolve)), 'it is hung up on');
    (socket as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(data);
    expect(await closed).toBe(code);
    await eventually(() => server.stats().connections === 1, 'the connection is gone');
    expect([errors, server.stats().sessions]).toEqual([[], 2]);
    await other.noticedNothing();
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** By this process, of what is not garbage. */
function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('a member that does not read holds nobody up, and is not kept in memory; then it reads what the log has', async () => {
  const { url, server } = await serve();
  const other = await bystander(url);
  const heard: unknown[] = [];
  other.client.on('big', (_payload, { seq }) => heard.push(seq));
  await other.client.room('r').join();
  const slow = new WebSocket(url, ['holdfast.v1.json']);
  onTestFinished(() => slow.terminate());
  const items: unknown[][] = [];
  slow.on('message', (data) => items.push(...(JSON.parse(String(data)) as unknown[][]).slice(2)));
  await soon(new Promise((resolve) => slow.once('open', resolve)), 'it connects');
  slow.send(JSON.stringify(hello()));
  slow.send(JSON.stringify([0, 0, [7]]));
  await eventually(() => items.some(([type]) => type === 8), 'a PONG');
  slow.send(JSON.stringify([0, 1, [3, '$join', { room: 'r' }]]));
  await eventually(() => items.some(([type]) => type === 15), 'it is in');
  slow.pause();
  const before = heldBytes();
  // 40 MB: more than any socket takes.
  for (let n = 0; n < 400; n++) {
    await server.to('r').send('big', 'x'.repeat(100_000));
    // The log does not keep 40 MB: who reads, but not in time, is told of a gap, too.
    if (n % 20 === 19) await eventually(() => heard.length === n + 1, 'the other has it all');
  }
  expect(heldBytes() - before).toBeLessThan(30e6);
  slow.resume();
  await eventually(() => items.some(([type, , offset]) => type === 6 && offset === 400), 'the newest');
  // Each once and in order, or told as missing.
  let next = 1;
  for (const [type, first, second] of items as [number, number, number][]) {
    if (type === 6) expect(second).toBe(next++);
    if (type !== 12) continue;
    expect(first).toBe(next);
    next = second + 1;
  }
  expect([next, items.some(([type]) => type === 12)]).toEqual([401, true]);
  expect(server.stats().connections).toBe(2);
  await other.noticedNothing();
});
