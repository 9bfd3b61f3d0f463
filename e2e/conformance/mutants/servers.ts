import { randomUUID } from 'node:crypto';
import { type Item, type Mutation, T } from '../wire.js';
import { ack, change, each, fields, itemsOf, twice, without } from './rewrite.js';

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
const joins = (to: (request: object) => object): Mutation => ({
  said: change(T.REQ, (item) =>
    item[1] === '$join' ? [T.REQ, '$join', { ...(item[2] as object), ...to(item[2] as object) }] : item,
  ),
});

/** It gives every numbered item that comes in a number of its own. */
function renumbers(): Mutation {
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
}

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

export const serverMutants: Readonly<Record<string, () => Mutation>> = {
  'closes with 1000, whatever it is': () => ({ code: () => 1000 }),
  'says no BYE': () => ({ heard: without(T.BYE), code: () => 4400 }),
  'takes every upgrade': () => ({ upgraded: () => 'graphql-ws' }),
  'answers no PING': () => ({ heard: without(T.PONG) }),
  'never pings': () => ({ heard: without(T.PING) }),
  'answers with something else': () => ({ heard: change(T.RES, ([type, n]) => [type, n, 'wrong']) }),
  'answers no request': () => ({ heard: without(T.RES) }),
  'answers every request twice': () => ({ heard: twice(T.RES) }),
  'acknowledges what was never sent': () => ({ heard: ack((number) => (number > 0 ? number + 5 : 0)) }),
  'never acknowledges': () => ({ heard: ack(() => 0) }),
  'acknowledges while it writes again': acksReplay,
  'refuses after the ack': refusesLate,
  'refuses nothing': () => ({ heard: without(T.ERR) }),
  'never says DONE': () => ({ heard: without(T.DONE) }),
  'writes every event twice': () => ({ heard: twice(T.EVT) }),
  'loses events': () => ({
    heard: each((item) => (item[0] === T.EVT && Number(item[2]) % 2 === 0 ? [] : [item])),
  }),
  'handles no event': () => ({ said: each((item) => [isNote(item) ? [T.CANCEL, 9_999] : item]) }),
  'takes every number for a new one': renumbers,
  'heeds no window': () => hello(() => ({ w: [1_000, 1_048_576] })),
  'heeds no CREDIT': () => ({ said: without(T.CREDIT) }),
  'resumes nothing': () => welcome(({ q }) => ({ q: q === 1 ? 2 : q })),
  'says that everything is resumed': () => welcome(() => ({ q: 1 })),
  'says that everything is new': () => welcome(() => ({ q: 0 })),
  'forgets half of WELCOME': () => welcome(() => ({ o: undefined, k: undefined })),
  'gives the same key again': () => welcome(() => ({ k: 'key' })),
  'miscounts x': () => welcome(({ x = 0 }) => ({ x: x + 1 })),
  'believes every HELLO': believes(),
  'heeds no attach number': ignoresAttachNumbers(),
  'forgets nonces': () => hello(() => ({ c: randomUUID() })),
  'knows one user': () => hello(() => ({ a: 'ada' })),
  'hears no BYE': () => ({ said: without(T.BYE) }),
  'writes everything again': () => hello(({ s }) => (s === undefined ? {} : { x: 0 })),
  'writes publications twice': () => ({ heard: twice(T.PUB) }),
  'loses publications': () => ({ heard: without(T.PUB) }),
  'numbers rooms wrongly': () => ({
    heard: change(T.PUB, ([type, n, ...rest]) => [type, Number(n) + 1, ...rest]),
  }),
  'says no SYNC': () => ({ heard: without(T.SYNC) }),
  'hears no SYNC': () => ({ said: without(T.SYNC) }),
  'hides holes in rooms': () => ({ heard: without(T.GAP) }),
  'ignores positions of joins': () => joins(() => ({ epoch: undefined, offset: undefined })),
  'forgets who is replaced': () => joins(() => ({ replaced: [] })),
};
