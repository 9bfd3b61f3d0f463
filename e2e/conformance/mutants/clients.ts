import { type Item, type Many, type Mutation, T } from '../wire.js';
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

const staysIn: Mutation = {
  said: change(T.SYNC, ([type, rooms]) => [type, (rooms as Item[]).filter(([, , , number]) => number !== 0)]),
};
const forgetsId = ([type, n, offset, name, data, meta]: Item): Item => [
  ...[type, n, offset, name, data],
  { ...(meta as object), m: String(offset) },
];
const joinsNowhere = change(T.REQ, (item) =>
  item[1] === '$join' ? [T.REQ, '$join', { room: 'reef' }] : item,
);
const farther = change(T.PUB, ([type, n, offset, ...rest]) => [type, n, Number(offset) + 50, ...rest]);
const closesOtherwise = { code: () => 1011 };
const randomNonce = (): object => ({ c: String(Math.random()).padEnd(30, '0') });

const ofConnections: readonly Mutant[] = [
  mutant(
    'closes with 1011, whatever it is',
    closesOtherwise,
    ', nothing of it is taken',
    'no WELCOME within',
    'BYE after all',
    'more items than',
  ),
  mutant('takes any subprotocol', { chooses: 'holdfast.v1.json' }, 'chose no subprotocol'),
  mutant(
    'heeds no close code and no BYE',
    { said: without(T.BYE), closes: () => 1011 },
    ': it stops',
    '4401',
  ),
  mutant('comes back when it likes', { why: () => '' }, 'with ra='),
  mutant(
    'leaves at a GOAWAY',
    { said: change(T.GOAWAY, () => [T.BYE, 'ERR_GONE', '']) },
    'GOAWAY with time left',
  ),
  mutant('says HELLO twice', { heard: twice(T.HELLO) }, 'a second HELLO', 'HELLO is the first'),
  mutant(
    'draws no nonce',
    hello(() => ({ c: 'the same nonce for everything' })),
    'a new nonce and',
    'verdict 2: the',
    ': treated as lost',
  ),
  mutant('draws a nonce for every dial', hello(randomNonce), 'the nonce stays'),
  mutant(
    'counts no attaches',
    hello(() => ({ n: 1 })),
    'the nonce stays',
  ),
  mutant(
    'forgets its token',
    hello(() => ({ a: undefined })),
    'HELLO is the first',
  ),
  mutant(
    'forgets its session',
    hello(() => ({ s: undefined })),
    'after any other close',
    'for another reason',
  ),
  mutant(
    'shows the oldest key',
    hello(({ s }) => (s === undefined ? {} : { k: 'key-1' })),
    'the newest key',
  ),
  mutant('waits for ever', { said: without(T.EVT) }, 'first frame is no WELCOME'),
  mutant(
    'believes that everything is new',
    welcome({ q: 0 }),
    'without having asked',
    'verdict 2: the',
    'ends its streams',
  ),
  mutant('hears no p', welcome({ p: undefined, lost: undefined }), 'p and lost'),
  mutant('hears no DONE', { said: without(T.DONE) }, 'also told'),
  mutant('says no BYE', { heard: without(T.BYE) }, 'BYE after all'),
  mutant('answers no PING', { heard: without(T.PONG) }, 'a PING is answered'),
  mutant('never pings', { heard: without(T.PING) }, 'silence of 1.25 h', 'an ack that is owed'),
];

const ofMessages: readonly Mutant[] = [
  mutant(
    'never acknowledges',
    { heard: ack(() => 0) },
    'each once, whatever',
    'over cuts',
    'a GAP takes the numbers',
    '32 items',
  ),
  mutant('acknowledges only with what it says anyway', { heard: notBare }, 'what ACK_NOW stands'),
  mutant(
    'acknowledges each frame',
    { heard: (frame) => [frame, ...Array<Many>(80).fill([1, 0])] },
    'by few acks',
  ),
  mutant(
    'acknowledges while it writes again',
    { heard: ack((number) => Math.max(1, number)) },
    'then an ack',
    'SYNC comes first',
  ),
  mutant(
    'writes every message twice',
    { heard: twice(T.EVT, T.REQ, T.RES, T.ERR) },
    'numbered from 1',
    "request of the server's",
  ),
  mutant('writes no message', { heard: without(T.EVT, T.REQ) }, 'needs no credit'),
  mutant('writes no answer', { heard: without(T.RES, T.ERR) }, 'an answer passes'),
  mutant('says no SYNC', { heard: without(T.SYNC) }, 'SYNC comes first', 'a room flows only'),
  mutant(
    'counts x wrongly',
    hello(({ x }) => (x === undefined ? {} : { x: x + 1 })),
    'over cuts',
    'connection that was left',
  ),
  mutant('dispatches again what comes again', renumbers, 'each once, whatever'),
  mutant('hears no event', { said: without(T.EVT) }, 'types from 32'),
  mutant('hears no VOL', { said: without(T.VOL) }, 'a VOL is told', 'a VOL of a room'),
  mutant('hears no RES', { said: without(T.RES) }, 'not settled by its ack', 'next connection settles'),
  mutant('hears the ack before the items', { said: splitsAck }, 'an ack settles'),
  mutant('hears no ack', { said: ack(() => 0) }, 'settles nothing'),
  mutant(
    'heeds no window',
    welcome({ w: [1_000, 1_048_576] }),
    'window is respected',
    'bytes count',
    'smaller than any',
  ),
  mutant('heeds no CREDIT', { said: without(T.CREDIT) }, 'window is respected'),
  mutant('heeds no o', welcome({ o: 100 }), 'no more than o', 'until its END'),
  mutant('heeds no m', welcome({ m: 1_048_576 }), 'larger than m'),
  mutant('cancels nothing', { heard: without(T.CANCEL) }, 'is cancelled'),
  mutant(
    'has no word for how much it takes',
    hello(() => ({ q: -1 })),
    'HELLO says how many',
  ),
  mutant('hears no CANCEL', { said: without(T.CANCEL) }, 'CANCEL ends', 'have no place'),
  mutant('hears no request', { said: without(T.REQ) }, 'more requests than q', 'with its session'),
  mutant('tells of no hole', { heard: without(T.GAP) }, 'given up is not', 'before it was accepted'),
];

/** It gives credit with every PONG, for more each time. */
function givesCreditUnasked(): () => Mutation {
  let total = 1_000;
  const more = (): Item => [T.STREAM_CREDIT, 1, ++total];
  return () => ({ heard: each((item) => (item[0] === T.PONG ? [more(), item] : [item])) });
}

const ofStreams: readonly Mutant[] = [
  mutant('asks for no items', { heard: change(T.REQ, (item) => item.slice(0, 3)) }, 'a REQ with q'),
  mutant(
    'hears no ITEM',
    { said: change(T.ITEM, () => [T.RES, 9_999, 1]) },
    'in the order of their numbers, and',
    'its items in order, each once',
  ),
  mutant(
    'hears no END',
    { said: change(T.END, () => [T.RES, 9_999, 1]) },
    ': ended, after the items',
    'END with a code',
    'END ERR_STREAM',
    'until its END',
    'its items in order',
  ),
  mutant(
    'hears no reason of an END',
    { said: change(T.END, (item) => item.slice(0, 2)) },
    'END with a',
    'END ERR_',
  ),
  mutant('hears no ERR', { said: change(T.ERR, () => [T.RES, 9_999, 1]) }, 'ERR in place'),
  mutant(
    'gives no credit',
    { heard: without(T.STREAM_CREDIT) },
    'STREAM CREDIT with',
    'STREAM CREDIT for each',
  ),
  mutant('gives credit unasked', givesCreditUnasked, 'and none while'),
  mutant(
    'gives credit for every request there was',
    { heard: each((item) => (item[0] === T.STREAM_CREDIT ? [item, [T.STREAM_CREDIT, 2, 16]] : [item])) },
    'and for no other',
  ),
  mutant('knows no ITEM', { said: change(T.ITEM, () => [31]) }, 'ITEM and END of'),
  mutant(
    'takes any END for an answer',
    { said: change(T.END, ([, n]) => [T.RES, n, null]) },
    'asked for no stream',
  ),
];

const ofRooms: readonly Mutant[] = [
  mutant(
    'moves no position',
    { heard: position(10) },
    'PUB has moved',
    'a GAP of the room',
    'another epoch',
    '$member',
  ),
  mutant('drops nothing below its position', { said: farther }, 'is not above'),
  mutant('hears no publication', { said: without(T.PUB) }, 'right behind'),
  mutant('hears only the first publication of a frame', { said: onlyFirst }, 'share a frame'),
  mutant('hears in no room into which it was put', { said: without(T.SYNC) }, 'put in by'),
  mutant('stays in a room from which it was taken', staysIn, 'taken out by'),
  mutant(
    'hears each time what was published in several rooms',
    { said: change(T.PUB, forgetsId) },
    'in several rooms',
  ),
  mutant('joins without a position', { heard: joinsNowhere }, 'joins anew'),
  mutant(
    'publishes to nobody',
    { heard: each((item) => [item[0] === T.EVT ? item.slice(0, 3) : item]) },
    'to publish is',
  ),
];

const meta = (to: (meta: { readonly o?: Item }) => object): Mutation => ({
  heard: change(T.EVT, ([type, name, data, meta = {}]) => [
    ...[type, name, data],
    { ...(meta as object), ...to(meta as object) },
  ]),
});

/** Before the first event of each connection comes again the one that it has written first of all. */
function forgetsNothing(): () => Mutation {
  let first: Item | undefined;
  return () => {
    let repeats = first;
    return {
      heard: each((item) => {
        if (item[0] !== T.EVT) return [item];
        const again = repeats ? [repeats] : [];
        repeats = undefined;
        first ??= item;
        return [...again, item];
      }),
    };
  };
}

const ofDurable: readonly Mutant[] = [
  mutant(
    'gives each the same place',
    meta(() => ({ o: ['outbox', 1] })),
    'has its place',
    'drawn anew in each life',
  ),
  mutant(
    'gives each another place whenever it is written',
    meta(() => ({ o: [String(Math.random()), 1] })),
    'where the server knows',
    'when its session is lost',
  ),
  mutant(
    'gives each another id whenever it is written',
    meta(() => ({ i: String(Math.random()) })),
    'never written is written',
    'where the server knows',
  ),
  mutant('asks for no epoch', welcome({ e: 'epoch' }), 'a new store'),
  mutant('asks for no window', welcome({ dw: 100 * 86_400_000 }), 'longer ago than dw', 'without dw'),
  mutant('takes everybody for ada', welcome({ u: 'ada' }), 'for another user'),
  mutant('forgets nothing that was acknowledged', forgetsNothing, 'stored no more'),
];

function onlyFirst(frame: Many): readonly Many[] {
  const isPublication = (item: unknown): boolean => Array.isArray(item) && item[0] === T.PUB;
  const first = frame.findIndex(isPublication);
  return [frame.filter((item, at) => at <= first || !isPublication(item))];
}

export const clientMutants: readonly Mutant[] = [
  ...ofConnections,
  ...ofMessages,
  ...ofStreams,
  ...ofRooms,
  ...ofDurable,
];
