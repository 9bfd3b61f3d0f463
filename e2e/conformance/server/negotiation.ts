import { type Case, check, NotAsked, same } from '../case.js';
import { json, T } from '../wire.js';
import { helloItem, type Server } from './subject.js';

const section = '2 Negotiation';

/** The first frame of a connection breaks a rule. */
const refusesFirst = (name: string, at: string, frame: (server: Server) => unknown): Case<Server> => ({
  name: `${name}: BYE and 4400, no WELCOME`,
  section: at,
  async run(server) {
    const wire = await server.dial();
    wire.say(frame(server));
    await wire.closes(4400);
    same(wire.all(T.WELCOME), [], 'no WELCOME');
    check(wire.all(T.BYE).length === 1, 'a BYE that says why', wire.story);
  },
});

export const negotiation: readonly Case<Server>[] = [
  {
    name: 'the subprotocol that is offered is chosen',
    section,
    async run(server) {
      same(await server.upgrade([server.codec.protocol]), server.codec.protocol, 'subprotocol');
    },
  },
  {
    name: 'of several, one that it speaks is chosen',
    section,
    async run(server) {
      const offered = ['holdfast.v9.json', 'graphql-ws', server.codec.protocol];
      same(await server.upgrade(offered), server.codec.protocol, 'subprotocol');
    },
  },
  {
    name: 'offered only other versions: upgraded, told in JSON, closed',
    section,
    async run(server) {
      const wire = await server.dial(['holdfast.v9.json'], json);
      await wire.closes(4400);
      same(wire.all(T.BYE)[0]?.[1], 'ERR_PROTOCOL_VERSION', 'code of the BYE');
    },
  },
  {
    name: 'offered no holdfast subprotocol: HTTP 400',
    section,
    async run(server) {
      same(await server.upgrade(['graphql-ws']), 400, 'HTTP status');
      same(await server.upgrade([]), 400, 'HTTP status without any subprotocol');
    },
  },
  {
    name: 'a page of another origin: HTTP 403',
    section,
    async run(server) {
      const headers = { Origin: 'https://elsewhere.invalid' };
      same(await server.upgrade([server.codec.protocol], headers), 403, 'HTTP status');
    },
  },
  {
    name: 'a binary frame where text is due, or the reverse: 4400',
    section,
    async run(server) {
      const { wire } = await server.session();
      wire.say(server.codec === json ? new TextEncoder().encode('[0,0,[7]]') : '[0,0,[7]]');
      await wire.closes(4400);
    },
  },
];

const HANDSHAKE = '4 The handshake';

export const firstFrames: readonly Case<Server>[] = [
  refusesFirst('data before HELLO', HANDSHAKE, () => [0, 1, [T.EVT, 'conformance:note', {}]]),
  refusesFirst('PING before HELLO', HANDSHAKE, () => [0, 0, [T.PING]]),
  refusesFirst('AUTH before HELLO', '4 Tokens', () => [0, 0, [T.AUTH, 'ada']]),
  refusesFirst('HELLO in company', HANDSHAKE, () => [0, 0, helloItem({}), [T.PING]]),
  refusesFirst('HELLO of another version', '4 Refusals', () => [0, 0, [T.HELLO, { v: 2, x: 'unknown' }]]),
  refusesFirst('HELLO of more than 8 KiB', HANDSHAKE, () => [0, 0, helloItem({ a: 'x'.repeat(8_192) })]),
  refusesFirst('HELLO with attach number 0', '4 HELLO', () => [0, 0, helloItem({ n: 0 })]),
  refusesFirst('HELLO with q of -1', '4 HELLO', () => [0, 0, helloItem({ q: -1 })]),
  refusesFirst('HELLO with a session and no proof', '4 HELLO', () => [0, 0, helloItem({ s: 'some' })]),
  {
    name: 'no HELLO within 5 s: hung up on',
    section: HANDSHAKE,
    isSlow: true,
    async run(server) {
      const since = Date.now();
      const wire = await server.dial();
      await wire.closes(3008, 15_000);
      check(Date.now() - since > 4_000, 'to wait 5 s', `a close after ${Date.now() - since} ms`);
    },
  },
  {
    name: 'another version is named in the BYE',
    section: '4 Refusals',
    async run(server) {
      const wire = await server.dial();
      wire.say([0, 0, [T.HELLO, { v: 2 }]]);
      await wire.closes(4400);
      same(wire.all(T.BYE)[0]?.[1], 'ERR_PROTOCOL_VERSION', 'code of the BYE');
    },
  },
  {
    name: 'a refused token: BYE ERR_AUTH_REFUSED, close 3003',
    section: '4 Refusals',
    async run(server) {
      const wire = await server.dial();
      wire.say([0, 0, helloItem({ a: 'conformance:refused' })]);
      await wire.closes(3003);
      same(wire.all(T.BYE)[0]?.[1], 'ERR_AUTH_REFUSED', 'code of the BYE');
    },
  },
  {
    name: 'WELCOME has every field of a new session',
    section: '4 WELCOME',
    async run(server) {
      const { welcome, wire } = await server.session();
      const { v, s, q, u, h, w, m, o, ttl, d, k, e, x } = welcome;
      const texts = [s, u, d, k, e].every((value) => typeof value === 'string');
      const numbers = [h, m, o, ttl, ...w].every((value) => Number.isSafeInteger(value) && value > 0);
      check(texts && numbers && w.length === 2, 'texts s, u, d, k, e; numbers h, w, m, o, ttl', welcome);
      same([v, q, x ?? 0], [1, 0, 0], 'v, q, x');
      check(m >= 8_192, 'm of 8 KiB or more', m);
      check(['memory', 'node', 'disk'].includes(d), 'd: memory, node or disk', d);
      const [first] = wire.frames;
      same(
        [first?.ack, first?.first, first?.items.length],
        [0, 0, 1],
        'the WELCOME alone in [0, 0, WELCOME]',
      );
    },
  },
  {
    name: 'unknown fields of HELLO are ignored',
    section: '10 Evolution',
    async run(server) {
      await server.session({ f: ['later'], later: { x: 1 } });
    },
  },
  {
    name: 'the session belongs to the user whom the token names',
    section: '4 WELCOME',
    async run(server) {
      const { welcome } = await server.session({ a: 'ada' });
      if (welcome.u === '') throw new NotAsked('this server knows no users');
      same(welcome.u, 'ada', 'user id');
    },
  },
];
