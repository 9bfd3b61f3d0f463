import { randomUUID } from 'node:crypto';
import { type Item, type Mutation, T } from '../wire.js';
import {
  ack,
  change,
  each,
  fields,
  itemsOf,
  type Mutant,
  mutant,
  notBare,
  twice,
  without,
} from './rewrite.js';
import { roomServers } from './room-servers.js';
import { streamingServers } from './streaming-servers.js';

interface Hello {
  readonly s?: string;
  readonly k?: string;
  readonly e?: string;
}
interface Welcome {
  readonly s: string;
  readonly q: number;
  readonly k?: string;
  readonly e?: string;
  readonly x?: number;
}

const welcome = (to: (welcome: Welcome) => object): Mutation => ({ heard: fields<Welcome>(T.WELCOME, to) });
const hello = (to: (hello: Hello) => object): Mutation => ({ said: fields<Hello>(T.HELLO, to) });
const isNote = (item: Item): boolean => item[0] === T.EVT && item[1] === 'conformance:note';
/** It gives every numbered item that comes in a number of its own. */
const renumbers = () => (): Mutation => {
  let next = 1;
  return {
    said: (frame) => {
      const numbered = itemsOf(frame).filter(([type]) => [T.EVT, T.REQ].some((one) => one === type)).length;
      if (numbered === 0) return [frame];
      const first = next;
      next += numbered;
      return [[frame[0], first, ...itemsOf(frame)]];
    },
  };
};

/** What it wrote again carries the newest ack. */
function acksReplay(): Mutation {
  let isBack = false;
  return {
    heard: (frame) => {
      const [item] = itemsOf(frame);
      if (item?.[0] === T.WELCOME) isBack = (item[1] as Welcome).q === 1;
      return [isBack && frame[1] !== 0 ? [1, ...frame.slice(1)] : frame];
    },
  };
}

/** It writes refusals a frame too late. */
function refusesLate(): Mutation {
  let held: readonly Item[] = [];
  return {
    heard: (frame) => {
      const refusals = itemsOf(frame).filter(([type]) => type === T.ERR);
      const others = itemsOf(frame).filter(([type]) => type !== T.ERR);
      const late = held;
      held = refusals;
      const after = late.length > 0 ? [[0, 99, ...late]] : [];
      return [[frame[0], frame[1], ...others], ...after];
    },
  };
}

/** It lets in whoever names a session, with whatever proof. */
function believes(): () => Mutation {
  const known = new Map<string, Welcome>();
  return () => ({
    said: fields<Hello>(T.HELLO, ({ s = '' }) => {
      const { k, e } = known.get(s) ?? {};
      return k === undefined ? {} : { k, e, x: 0, y: 0, a: 'ada' };
    }),
    heard: (frame) => {
      const [item] = itemsOf(frame);
      const told = item?.[1] as Welcome | undefined;
      if (item?.[0] === T.WELCOME && told?.k !== undefined) known.set(told.s, told);
      return [frame];
    },
  });
}

/** It takes any HELLO for a later one. */
function ignoresAttachNumbers(): () => Mutation {
  let n = 0;
  return () => hello(() => ({ n: ++n }));
}

const never = { code: () => 1000 };

const ofConnections: readonly Mutant[] = [
  mutant(
    'says that it took an hour',
    welcome(() => ({ took: 3_600_000 })),
    'took of WELCOME',
  ),
  mutant('hears no VOL', { said: without(T.VOL) }, 'a VOL is handled'),
  mutant('passes on no VOL', { heard: without(T.VOL) }, 'a VOL goes to'),
  mutant('closes with 1000, whatever it is', never, ': BYE and 44', 'no HELLO within', 'is named in the BYE'),
  mutant(
    'closes with 1000, whatever it is',
    never,
    'a refused token',
    'an expired token',
    'an AUTH that names somebody else',
    'an AUTH with an expired',
    'an AUTH that is refused',
    'offered only other',
    'a binary frame',
  ),
  mutant(
    'closes with 1000, whatever it is',
    never,
    'text that is nothing',
    'of a bad frame',
    'larger than m',
  ),
  mutant(
    'closes with 1000, whatever it is',
    never,
    'a nonce whose session',
    'a replayed',
    'a late HELLO',
    ': 4400',
  ),
  mutant('closes with 1000, whatever it is', never, 'closed with 4410', 'silent for 2.2 h', 'is no name'),
  mutant(
    'takes every upgrade',
    { upgraded: () => 'any' },
    'is chosen',
    'no holdfast',
    'no base64url',
    'another origin',
  ),
  mutant('answers no PING', { heard: without(T.PONG) }, 'connection stays', 'is cancelled', 'a PING is'),
  mutant('answers no AUTH', { heard: without(T.AUTH) }, 'an AUTH of the same'),
  mutant('hears no AUTH', { said: without(T.AUTH) }, 'the end moves'),
  mutant(
    'says nothing of the end of a token',
    welcome(() => ({ exp: undefined })),
    'exp says',
  ),
  mutant('never pings', { heard: without(T.PING) }, 'pings every h ms'),
  mutant('never says DONE', { heard: without(T.DONE) }, 'DONE tells'),
  mutant(
    'forgets half of WELCOME',
    welcome(() => ({ o: undefined, k: undefined })),
    'WELCOME has every',
  ),
  mutant(
    'says that everything is resumed',
    welcome(() => ({ q: 1 })),
    'unknown fields',
    'whom the token names',
  ),
  mutant(
    'says that everything is new',
    welcome(() => ({ q: 0 })),
    'nothing told',
    'BYE ends',
    'no such session',
  ),
  mutant(
    'gives the same key again',
    welcome(() => ({ k: 'key' })),
    'gives another key',
    'stays valid until',
  ),
  mutant(
    'believes every HELLO',
    believes,
    'a stolen session',
    'another epoch: verdict',
    'x of what',
    'y of what',
  ),
  mutant('heeds no attach number', ignoresAttachNumbers, 'a replayed HELLO', 'a late HELLO'),
  mutant(
    'forgets nonces',
    hello(() => ({ c: randomUUID() })),
    'first WELCOME lost',
    'a nonce whose',
  ),
  mutant(
    'knows one user',
    hello(() => ({ a: 'ada' })),
    'one user only',
    'another user',
    'a refused token',
    'where HELLO has none',
  ),
  mutant('hears no BYE', { said: without(T.BYE) }, 'BYE ends the session'),
];

const ofMessages: readonly Mutant[] = [
  mutant(
    'answers wrongly',
    { heard: change(T.RES, ([type, n]) => [type, n, 'wrong']) },
    'under its number',
    '64 deep, and',
    'come back as they were said',
    'marked with u',
    'handled once and answered',
  ),
  mutant('answers every request twice', { heard: twice(T.RES) }, 'handled once and answered'),
  mutant(
    'acknowledges what was never sent',
    { heard: ack((number) => (number > 0 ? number + 5 : 0)) },
    'an ack goes out',
  ),
  mutant(
    'acknowledges only with what it says anyway',
    { heard: notBare },
    'what ACK_NOW stands',
    'an ack goes out',
  ),
  mutant(
    'never acknowledges',
    { heard: ack(() => 0) },
    'an ack goes out',
    'an ack comes also',
    'x of WELCOME is',
  ),
  mutant(
    'acknowledges while it writes again',
    () => acksReplay,
    'carry ack 0',
    'an answer that was lost',
    'a refusal that was lost',
  ),
  mutant('refuses after the ack', () => refusesLate, 'before the first ack', 'before an ack covers'),
  mutant('refuses nothing', { heard: without(T.ERR) }, 'who is no member', 'whose rule says no'),
  mutant(
    'writes every event twice',
    { heard: twice(T.EVT) },
    'rise by one',
    'in order, each number',
    'again without credit',
  ),
  mutant(
    'loses events',
    { heard: each((item) => (item[0] === T.EVT && Number(item[2]) % 2 === 0 ? [] : [item])) },
    'rise by one',
    'was away',
    'is not written again',
    'many cuts',
  ),
  mutant(
    'handles no event',
    { said: each((item) => [isNote(item) ? [T.CANCEL, 9_999] : item]) },
    'is handled and ack',
    'events are handled',
    'a GAP takes',
    'taken in part',
    'before BYE',
    'it is handled once',
  ),
  mutant('takes every number for a new one', renumbers, 'taken already', 'a hole'),
  mutant(
    'heeds no window',
    hello(() => ({ w: [1_000, 1_048_576] })),
    'window is respected',
    'of any size may go',
    'a reply passes',
    'ITEM and END pass',
  ),
  mutant('heeds no CREDIT', { said: without(T.CREDIT) }, 'window is respected'),
  mutant(
    'resumes nothing',
    welcome(({ q }) => ({ q: q === 1 ? 2 : q })),
    'leaves its session',
    'an ack comes also',
  ),
  mutant(
    'miscounts x',
    welcome(({ x = 0 }) => ({ x: x + 1 })),
    'x of WELCOME is',
    'first WELCOME lost',
  ),
  mutant(
    'writes everything again',
    hello(({ s }) => (s === undefined ? {} : { x: 0 })),
    'in order, each number',
  ),
];

const ofAsking: readonly Mutant[] = [
  mutant('asks nothing', { heard: without(T.REQ) }, 'its request is a REQ', 'waits for nothing that'),
  mutant('asks everything twice', { heard: twice(T.REQ) }, 'over a cut is written again, and'),
  mutant(
    'hears no answer',
    { said: without(T.RES, T.ERR) },
    'its request is a REQ',
    'ERR of its number',
    'waits for nothing that',
    'over a cut is written again, and',
    'more than q',
  ),
  mutant('cancels nothing', { heard: without(T.CANCEL) }, 'past what waits', 'in place of a request'),
  mutant(
    'writes again what it has given up',
    { heard: change(T.GAP, ([, n]) => [T.REQ, 'conformance:question', n]) },
    'in place of a request',
  ),
  mutant(
    'heeds no q',
    hello(() => ({ q: 1_000 })),
    'more than q',
  ),
];

/** Changes the places of durable events. */
const outboxes = (to: (place: readonly [string, number]) => unknown): Mutation => ({
  said: change(T.EVT, (item) => {
    const meta = item[3] as { readonly o?: readonly [string, number] } | undefined;
    return meta?.o ? [...item.slice(0, 3), { ...meta, o: to(meta.o) }] : item;
  }),
});

const ofOutboxes: readonly Mutant[] = [
  mutant(
    'has no clock',
    welcome(() => ({ t: undefined })),
    't of WELCOME',
  ),
  mutant(
    'has a window of less than nothing',
    welcome(() => ({ dw: -1 })),
    't of WELCOME',
  ),
  mutant(
    'knows no outbox',
    outboxes(() => undefined),
    'handled in one session',
    'a number below',
    'also if it would be refused',
  ),
  mutant(
    'knows the very numbers only',
    outboxes(([outbox, n]) => [`${outbox} ${n}`, n]),
    'a number below',
  ),
  mutant(
    'knows one outbox of all users',
    hello(() => ({ a: 'ada' })),
    'of the same name, of another user',
  ),
];

export const serverMutants: readonly Mutant[] = [
  ...ofConnections,
  ...ofMessages,
  ...ofAsking,
  ...roomServers,
  ...ofOutboxes,
  ...streamingServers,
];
