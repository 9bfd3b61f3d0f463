import { type Case, check, same, sleep } from '../case.js';
import { T } from '../wire.js';
import { helloItem, type Server } from './subject.js';

const TOKENS = '4 Tokens';
const GRACE_MS = 25_000;
const MORTAL = 'conformance:mortal';
const expires = (ms: number): string => `conformance:expires:${ms}`;
const bearer = (text: string): string => `holdfast.bearer.${Buffer.from(text).toString('base64url')}`;

interface Mortal {
  readonly exp?: number;
}

/** A token that ends the connection, and leaves the session to its user. */
const ends = (name: string, token: string, code: number, said: string): Case<Server> => ({
  name: `${name}: BYE ${said}, close ${code}, and the session waits`,
  section: TOKENS,
  async run(server) {
    const { wire, welcome } = await server.session({ a: 'ada' });
    wire.say([0, 0, [T.AUTH, token]]);
    await wire.closes(code);
    same(wire.all(T.BYE)[0]?.[1], said, 'code of the BYE');
    await server.back(welcome, 2, { a: 'ada' });
  },
});

const hasTime = (ms: unknown, longest: number): boolean =>
  Number.isSafeInteger(ms) && Number(ms) >= 0 && Number(ms) <= longest && Number(ms) > longest - 10_000;

export const tokens: readonly Case<Server>[] = [
  {
    name: 'an expired token in HELLO: BYE ERR_AUTH_EXPIRED, close 3000',
    section: '4 Refusals',
    async run(server) {
      const wire = await server.dial();
      wire.say([0, 0, helloItem({ a: 'conformance:expired' })]);
      await wire.closes(3000);
      same(
        [wire.all(T.BYE)[0]?.[1], wire.all(T.WELCOME)],
        ['ERR_AUTH_EXPIRED', []],
        'code of the BYE, no WELCOME',
      );
    },
  },
  {
    name: 'exp says in how many ms the token expires, and is absent where it never does',
    section: '4 WELCOME',
    async run(server) {
      const mortal = await server.session({ a: expires(60_000) });
      const { exp } = mortal.welcome as Mortal;
      check(hasTime(exp, 60_000), 'exp of 60,000 ms, or a little less', mortal.welcome);
      const { welcome } = await server.session({ a: 'ada' });
      same((welcome as Mortal).exp, undefined, 'exp of a token without an end');
    },
  },
  {
    name: 'an AUTH of the same user is answered with the time that its token has, and without one if it has no end',
    section: TOKENS,
    async run(server) {
      const { wire } = await server.session({ a: expires(60_000) });
      wire.say([0, 0, [T.AUTH, expires(90_000)]]);
      const { item } = await wire.hearsType(T.AUTH, 'an AUTH');
      check(hasTime(item[1], 90_000), '[10, 90000], or a little less', item);
      const ada = await server.session({ a: 'ada' });
      ada.wire.say([0, 0, [T.AUTH, 'ada']]);
      const forEver = await ada.wire.hearsType(T.AUTH, 'an AUTH');
      same(forEver.item, [T.AUTH], 'an AUTH without a time');
    },
  },
  ends('an AUTH that names somebody else', 'eve', 4401, 'ERR_SESSION_LOST'),
  ends('an AUTH with an expired token', 'conformance:expired', 3000, 'ERR_AUTH_EXPIRED'),
  ends('an AUTH that is refused', 'conformance:refused', 3003, 'ERR_AUTH_REFUSED'),
  {
    name: '25 s after an expired token has expired: BYE ERR_AUTH_EXPIRED, close 3000, and the session waits',
    section: TOKENS,
    async run(server) {
      const { wire, welcome } = await server.session({ a: expires(1_500 - GRACE_MS) });
      same((welcome as Mortal).exp, 0, 'exp');
      await wire.closes(3000);
      same(wire.all(T.BYE)[0]?.[1], 'ERR_AUTH_EXPIRED', 'code of the BYE');
      await server.back(welcome, 2, { a: MORTAL });
    },
  },
  {
    name: 'a fresh token before that: the end moves',
    section: TOKENS,
    async run(server) {
      const { wire } = await server.session({ a: expires(1_500 - GRACE_MS) });
      wire.say([0, 0, [T.AUTH, expires(60_000)]]);
      await wire.hearsType(T.AUTH, 'an AUTH');
      const since = Date.now();
      while (Date.now() < since + 2_000) {
        await wire.settled();
        await sleep(100);
      }
    },
  },
  {
    name: 'a token among the subprotocols counts where HELLO has none, and is never chosen',
    section: TOKENS,
    async run(server) {
      const offered = [bearer('bob'), server.codec.protocol];
      same(await server.upgrade(offered), server.codec.protocol, 'subprotocol');
      const wire = await server.dial(offered);
      const { u } = await server.greet(wire);
      same(u, 'bob', 'user id');
      const other = await server.dial(offered);
      same((await server.greet(other, { a: 'ada' })).u, 'ada', 'user id of the token in HELLO');
    },
  },
  {
    name: 'a token among the subprotocols that is no base64url: HTTP 400',
    section: TOKENS,
    async run(server) {
      same(await server.upgrade(['holdfast.bearer.a!b', server.codec.protocol]), 400, 'HTTP status');
    },
  },
];
