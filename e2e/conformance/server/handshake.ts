import { randomUUID } from 'node:crypto';
import { type Case, check, same } from '../case.js';
import { T } from '../wire.js';
import { backTo, helloItem, note, noted, type Server, unique, type Welcome } from './subject.js';

const LOOKS = '4 The server';
const ID = "4 The session's id";

/** A HELLO that comes back to a session with one thing wrong: the session is not given, and not harmed. */
const isLost = (name: string, wrong: (welcome: Welcome) => object): Case<Server> => ({
  name: `${name}: verdict 2, nothing told, and the session is unharmed`,
  section: LOOKS,
  async run(server) {
    const owner = await server.session({ a: 'ada' });
    const other = await server.visit({ a: 'ada', ...backTo(owner.welcome, 2), ...wrong(owner.welcome) });
    const { q, k, p, lost } = other.welcome;
    same(
      [q, k, p, lost],
      [2, null, null, null].map((none) => none ?? undefined),
      'q, k, p, lost',
    );
    await owner.wire.settled();
    await server.back(owner.welcome, 3, { a: 'ada' });
  },
});

export const handshake: readonly Case<Server>[] = [
  {
    name: 'took of WELCOME, if it is there, is a whole number of ms, no more than the client has waited',
    section: '4 WELCOME',
    async run(server) {
      const since = Date.now();
      const { welcome } = await server.session();
      const { took = 0 } = welcome;
      check(Number.isInteger(took) && took >= 0, 'a whole number, 0 or more', welcome);
      check(took <= Date.now() - since + 1, 'no more than was waited', welcome);
    },
  },
  {
    name: 'first WELCOME lost: the same nonce and a higher n find the session again',
    section: ID,
    async run(server) {
      const c = randomUUID();
      const first = await server.session({ c });
      first.wire.cut();
      const { welcome } = await server.visit({ c, n: 2 });
      same([welcome.q, welcome.s, welcome.x], [0, first.welcome.s, 0], 'q, s, x');
      check(typeof welcome.k === 'string', 'a key', welcome);
    },
  },
  {
    name: 'a nonce names a session for one user only',
    section: ID,
    async run(server) {
      const c = randomUUID();
      const ada = await server.session({ c, a: 'ada' });
      const eve = await server.session({ c, a: 'eve', n: 2 });
      check(ada.welcome.s !== eve.welcome.s, 'another session for another user', eve.welcome.s);
    },
  },
  {
    name: 'a nonce whose session has been used makes no other: 4400',
    section: ID,
    async run(server) {
      const c = randomUUID();
      const { wire } = await server.session({ c });
      await wire.settled();
      const again = await server.dial();
      again.say([0, 0, helloItem({ c, n: 2 })]);
      await again.closes(4400);
      await wire.settled();
    },
  },
  {
    name: 'a replayed HELLO: 1012, and the session is unharmed',
    section: LOOKS,
    async run(server) {
      const hello = helloItem({});
      const first = await server.dial();
      first.say([0, 0, hello]);
      await first.hearsType(T.WELCOME, 'a WELCOME');
      const second = await server.dial();
      second.say([0, 0, hello]);
      await second.closes(1012);
      same(second.all(T.WELCOME), [], 'no WELCOME');
      await first.settled();
    },
  },
  {
    name: 'a late HELLO, with the right key: 1012, and the session is unharmed',
    section: LOOKS,
    async run(server) {
      const { welcome } = await server.session();
      const newest = await server.back(welcome, 5);
      const late = await server.dial();
      late.say([0, 0, helloItem(backTo(welcome, 4))]);
      await late.closes(1012);
      await newest.wire.settled();
    },
  },
  isLost('a stolen session without its key', () => ({ k: 'guessed' })),
  isLost('another epoch', () => ({ e: 'another' })),
  isLost('x of what was never written', () => ({ x: 1_000 })),
  isLost('y of what was never accepted', () => ({ y: 1_000 })),
  isLost('another user', () => ({ a: 'eve' })),
  {
    name: 'no such session: verdict 2; then a HELLO without s on the same connection: verdict 0',
    section: '4 After WELCOME 2',
    async run(server) {
      const unknown = { s: 'no-such-session', k: 'key', e: 'epoch', x: 0, y: 0, n: 3 };
      const { wire, welcome } = await server.visit(unknown);
      same(welcome.q, 2, 'verdict');
      const begun = await server.greet(wire, { n: 3 });
      same(begun.q, 0, 'verdict');
      wire.say([0, 1, [T.REQ, 'conformance:echo', 1]]);
      await wire.hearsType(T.RES, 'RES 1 in the new session');
    },
  },
  {
    name: 'after verdict 2 anything but a HELLO: 4400',
    section: '4 After WELCOME 2',
    async run(server) {
      const { wire } = await server.visit({ s: 'no-such-session', k: 'k', e: 'e', x: 0, y: 0 });
      wire.say([0, 0, [T.PING]]);
      await wire.closes(4400);
    },
  },
  {
    name: 'each WELCOME gives another key',
    section: LOOKS,
    async run(server) {
      const { welcome } = await server.session();
      const { welcome: next } = await server.back(welcome, 2);
      check(typeof next.k === 'string' && next.k !== welcome.k, 'another key', next.k);
      same([next.s, next.e], [welcome.s, welcome.e], 's, e');
    },
  },
  {
    name: 'the key presented stays valid until the first frame after its HELLO, no longer',
    section: LOOKS,
    async run(server) {
      const { welcome } = await server.session();
      const second = await server.back(welcome, 2);
      // A PONG would be such a frame.
      second.wire.answersPings = false;
      const third = await server.back(welcome, 3);
      await third.wire.settled();
      const old = await server.visit(backTo(welcome, 4));
      same(old.welcome.q, 2, 'verdict for the old key');
      await server.back(third.welcome, 5);
    },
  },
  {
    name: 'the older connection is closed with 4410, and what still comes on it changes nothing',
    section: LOOKS,
    async run(server) {
      const list = unique('older');
      const { wire, welcome } = await server.session();
      const newer = await server.dial();
      newer.say([0, 0, helloItem(backTo(welcome, 2))]);
      await newer.hearsType(T.WELCOME, 'a WELCOME');
      wire.say([0, 1, note(list, 'late')]);
      await wire.closes(4410);
      newer.say([0, 1, note(list, 'new')]);
      await newer.acked(1);
      same(await noted(server, list), ['new'], 'values handled');
    },
  },
];
