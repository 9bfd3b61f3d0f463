import { type Case, check, same } from '../case.js';
import { T } from '../wire.js';
import { note, noted, type Server, unique } from './subject.js';

const FRAMES = '3 Frames';
const BOUNDS = '3 Bounds';
const TOKENS = '4 Tokens';
const nested = (depth: number): unknown => {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
};
const pings = (count: number): unknown[] => Array.from({ length: count }, () => [T.PING]);
const echo = (data: unknown): unknown => [0, 1, [T.REQ, 'conformance:echo', data]];

const bad: readonly (readonly [what: string, section: string, frame: unknown, code?: number])[] = [
  ['no frame at all', FRAMES, { ack: 0 }],
  ['an empty array', FRAMES, []],
  ['a negative ack', FRAMES, [-1, 0]],
  ['a fraction for a number', FRAMES, [0, 0.5, [T.EVT, 'x', 1]]],
  ['a number beyond 2^53', FRAMES, [0, 2 ** 53, [T.EVT, 'x', 1]]],
  ['an item that is no array', FRAMES, [0, 0, T.PING]],
  ['257 items', FRAMES, [0, 0, ...pings(257)]],
  ['numbered items with firstSeq 0', FRAMES, [0, 0, [T.EVT, 'conformance:note', {}]]],
  ['firstSeq without a numbered item', FRAMES, [0, 1, [T.PING]]],
  ['an event without a name', FRAMES, [0, 1, [T.EVT]]],
  ['a second HELLO', FRAMES, [0, 0, [T.HELLO, { v: 1, c: 'conformance', n: 2, w: [1, 1] }]]],
  ['a WELCOME from a client', FRAMES, [0, 0, [T.WELCOME, { v: 1 }]]],
  ['a PUB from a client', FRAMES, [0, 0, [T.PUB, 1, 1, 'x', 1, {}]]],
  ['a DONE from a client', FRAMES, [0, 0, [T.DONE, 1, []]]],
  ['an AUTH with a number', TOKENS, [0, 0, [T.AUTH, 5_000]]],
  ['an AUTH without a token', TOKENS, [0, 0, [T.AUTH]]],
  ['an AUTH of more than 8 KiB', TOKENS, [0, 0, [T.AUTH, 'x'.repeat(8_193)]]],
  ['a GOAWAY from a client', FRAMES, [0, 0, [T.GOAWAY, 'drain', 0]]],
  ['an ITEM from a client', FRAMES, [0, 1, [T.ITEM, 1, 'x']]],
  ['an END from a client', FRAMES, [0, 1, [T.END, 1]]],
  ['a STREAM CREDIT without a total', FRAMES, [0, 0, [T.STREAM_CREDIT, 1]]],
  ['a STREAM CREDIT for the number 0', FRAMES, [0, 0, [T.STREAM_CREDIT, 0, 16]]],
  ['a REQ with q of 0', FRAMES, [0, 1, [T.REQ, 'conformance:count', 1, { q: 0 }]]],
  ['an unknown type below 32', '10 Evolution', [0, 0, [31]]],
  ['a name of 129 characters', FRAMES, [0, 1, [T.EVT, 'x'.repeat(129), 1]]],
  ['a payload nested 65 deep', BOUNDS, echo(nested(65))],
  ['a payload of 10,001 elements', BOUNDS, echo(Array(10_001).fill(0))],
  ['a key of 257 bytes', BOUNDS, echo({ ['k'.repeat(257)]: 1 })],
  ['the key __proto__', BOUNDS, echo(JSON.parse('{"__proto__":1}'))],
  ['an ack of what was never sent', '3 Receiving', [7, 0]],
  ['a GAP that is not where it says', '3 Receiving', [0, 1, [T.GAP, 2, 2, 'abandoned']]],
  ['a GAP of more than twice the window', '3 Receiving', [0, 1, [T.GAP, 1, 1_000_000, 'abandoned']]],
  ['numbers with a hole', '3 Receiving', [0, 3, [T.EVT, 'conformance:note', {}]], 4409],
];

const good: readonly (readonly [what: string, section: string, frame: unknown])[] = [
  ['an empty frame', FRAMES, [0, 0]],
  ['256 items', FRAMES, [0, 0, ...pings(256)]],
  ['item types from 32 on', '10 Evolution', [0, 0, [32], [4711, { x: 1 }], [1e9, 'x']]],
  ['more elements in an item than are known', '10 Evolution', [0, 0, [T.PING, 'x', { y: 1 }]]],
  ['a CANCEL of what was never asked', FRAMES, [0, 1, [T.CANCEL, 9_999]]],
  ['a RES to what was never asked', FRAMES, [0, 1, [T.RES, 9_999, 1]]],
];

const closes = ([what, section, frame, code = 4400]: (typeof bad)[number]): Case<Server> => ({
  name: `${what}: BYE and ${code}`,
  section,
  async run(server) {
    const { wire } = await server.session();
    wire.say(frame);
    await wire.closes(code);
    check(wire.all(T.BYE).length === 1, 'a BYE that says why', wire.story);
  },
});

const stays = ([what, section, frame]: (typeof good)[number]): Case<Server> => ({
  name: `${what}: the connection stays`,
  section,
  async run(server) {
    const { wire } = await server.session();
    wire.say(frame);
    await wire.settled();
  },
});

export const frames: readonly Case<Server>[] = [
  ...bad.map(closes),
  ...good.map(stays),
  {
    name: 'text that is nothing of the codec: BYE and 4400',
    section: '2 Negotiation',
    async run(server) {
      const { wire } = await server.session();
      wire.say(server.codec.protocol.endsWith('json') ? 'hello?' : new Uint8Array([0xc1]));
      await wire.closes(4400);
      check(wire.all(T.BYE).length === 1, 'a BYE that says why', wire.story);
    },
  },
  {
    name: 'of a bad frame nothing is applied',
    section: FRAMES,
    async run(server) {
      const list = unique('bad');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1), [31]]);
      await wire.closes(4400);
      same(await noted(server, list), [], 'values handled');
    },
  },
  {
    name: 'a message larger than m: 1009',
    section: '7 The end',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:echo', 'x'.repeat(welcome.m)]]);
      await wire.closes(1009);
    },
  },
  {
    name: 'a payload 64 deep, and one of 10,000 elements, pass',
    section: BOUNDS,
    async run(server) {
      const { wire } = await server.session();
      const [deep, long] = [nested(64), Array(10_000).fill(0)];
      wire.say([0, 1, [T.REQ, 'conformance:echo', deep]]);
      wire.say([0, 2, [T.REQ, 'conformance:echo', long]]);
      for (const [n, value] of [deep, long].entries()) {
        const answer = await wire.hears((item) => item[0] === T.RES && item[1] === n + 1, `RES ${n + 1}`);
        same(answer.item[2], value, `the answer to ${n + 1}`);
      }
    },
  },
  {
    name: 'bytes and moments come back as they were said, and what only looks like them, too',
    section: '2 Bytes, times and big integers',
    async run(server) {
      const { wire } = await server.session();
      const own = { $bytes: 'AAH/', x: 1 };
      const payload = server.codec.protocol.endsWith('json')
        ? [{ $bytes: 'AAH/' }, { $date: 1_500 }, { $bigint: '-12' }, { $$date: 1_500 }, { $$gt: 5 }, own]
        : [Buffer.from([0, 1, 255]), new Date(1_500), { $date: 1_500 }, { $gt: 5 }, own];
      wire.say([0, 1, [T.REQ, 'conformance:echo', payload]]);
      const answer = await wire.hears((item) => item[0] === T.RES && item[1] === 1, 'RES 1');
      same(answer.item[2], payload, 'the answer');
    },
  },
];
