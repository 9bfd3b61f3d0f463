import { type Item, type Many, type Mutation, T } from '../wire.js';
import { ack, change, each, fields, itemsOf, twice, without } from './rewrite.js';

interface Hello {
  readonly c: string;
  readonly n: number;
  readonly s?: string;
  readonly x?: number;
}

const hello = (to: (hello: Hello) => object): Mutation => ({ heard: fields<Hello>(T.HELLO, to) });
const welcome = (to: object): Mutation => ({ said: fields<object>(T.WELCOME, () => to) });

/** It takes every number for a new one: what comes to it is numbered anew. */
function renumbers(): () => Mutation {
  let next = 1;
  return () => ({
    said: (frame) => {
      const numbered = itemsOf(frame).filter(([type]) => [T.EVT, T.REQ].some((one) => one === type)).length;
      if (numbered === 0) return [frame];
      const first = next;
      next += numbered;
      return [[frame[0], first, ...itemsOf(frame)]];
    },
  });
}

/** Frames of an item of one type come in two: the ack first. */
const splitsAck = (frame: Many): readonly Many[] => {
  const [number, first, ...items] = frame;
  return number === 0 || items.length === 0
    ? [frame]
    : [
        [number, 0],
        [0, first, ...items],
      ];
};

const position = (to: number) =>
  change(T.SYNC, ([type, rooms]) => [type, (rooms as Item[]).map(([room, epoch]) => [room, epoch, to])]);

export const clientMutants: Readonly<Record<string, () => () => Mutation>> = {
  'closes with 1011, whatever it is': () => () => ({ code: () => 1011 }),
  'never acknowledges': () => () => ({ heard: ack(() => 0) }),
  'acknowledges each frame': () => () => ({ heard: (frame) => [frame, ...Array(80).fill([1, 0])] }),
  'acknowledges while it writes again': () => () => ({ heard: ack((number) => Math.max(1, number)) }),
  'answers no PING': () => () => ({ heard: without(T.PONG) }),
  'never pings': () => () => ({ heard: without(T.PING) }),
  'writes everything twice': () => () => ({
    heard: twice(T.EVT, T.REQ, T.RES, T.ERR, T.HELLO, T.CANCEL, T.BYE),
  }),
  'writes no message': () => () => ({ heard: without(T.EVT, T.REQ) }),
  'writes no answer': () => () => ({ heard: without(T.RES, T.ERR) }),
  'says no SYNC': () => () => ({ heard: without(T.SYNC) }),
  'says no BYE': () => () => ({ heard: without(T.BYE) }),
  'draws no nonce': () => () => hello(() => ({ c: 'the same nonce for everything' })),
  'draws a nonce for every dial': () => () => hello(() => ({ c: String(Math.random()).padEnd(30, '0') })),
  'counts no attaches': () => () => hello(() => ({ n: 1 })),
  'forgets its session': () => () => hello(() => ({ s: undefined, k: undefined })),
  'shows the oldest key': () => () => hello(({ s }) => (s === undefined ? {} : { k: 'key-1' })),
  'forgets its token': () => () => hello(() => ({ a: undefined })),
  'counts x wrongly': () => () => hello(({ x }) => (x === undefined ? {} : { x: x + 1 })),
  'dispatches again what comes again': renumbers,
  'hears no event': () => () => ({ said: without(T.EVT) }),
  'hears no RES': () => () => ({ said: without(T.RES) }),
  'hears the ack before the items': () => () => ({ said: splitsAck }),
  'hears no ack': () => () => ({ said: ack(() => 0) }),
  'hears no DONE': () => () => ({ said: without(T.DONE) }),
  'hears no GAP': () => () => ({ said: without(T.GAP) }),
  'heeds no window': () => () => welcome({ w: [1_000, 1_048_576] }),
  'heeds no CREDIT': () => () => ({ said: without(T.CREDIT) }),
  'heeds no o': () => () => welcome({ o: 100 }),
  'heeds no m': () => () => welcome({ m: 1_048_576 }),
  'believes that everything is resumed': () => () => welcome({ q: 1, x: 0 }),
  'believes that everything is new': () => () => welcome({ q: 0 }),
  'hears no p': () => () => welcome({ p: undefined, lost: undefined }),
  'moves no position': () => () => ({ heard: position(10) }),
  'hears publications twice': () => () => ({
    said: change(T.PUB, ([type, n, offset, ...rest]) => [type, n, Number(offset) + 50, ...rest]),
  }),
  'hears no publication': () => () => ({ said: without(T.PUB) }),
  'takes $member for a publication': () => () => ({
    said: change(T.PUB, ([type, n, offset, name, ...rest]) => [
      type,
      n,
      offset,
      String(name).replace('$', ''),
      ...rest,
    ]),
  }),
  'joins without a position': () => () => ({
    heard: change(T.REQ, (item) => (item[1] === '$join' ? [T.REQ, '$join', { room: 'reef' }] : item)),
  }),
  'cancels nothing': () => () => ({ heard: without(T.CANCEL) }),
  'tells of no hole': () => () => ({ heard: without(T.GAP) }),
  'publishes to nobody': () => () => ({
    heard: each((item) => [item[0] === T.EVT ? item.slice(0, 3) : item]),
  }),
};
