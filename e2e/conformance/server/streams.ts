import { A_WHILE_MS, type Case, check, NotAsked, same, sleep, until } from '../case.js';
import { type Heard, type Item, T, type Wire } from '../wire.js';
import { noted, type Server, unique } from './subject.js';

// What the server yields: 'conformance:count' to its end, 'conformance:break' until it breaks off, and
// 'conformance:endless' until it is left.

const STREAMS = '3 Streams';
/** More than any server is asked to have open for one session. */
const MANY = 120;

const open = (method: string, input: unknown, q?: number): Item => [
  ...[T.REQ, `conformance:${method}`, input],
  ...(q === undefined ? [] : [{ q }]),
];
const credit = (n: number, total: number): unknown => [0, 0, [T.STREAM_CREDIT, n, total]];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** What has come of stream `n`, with its numbers. */
const of = (wire: Wire, n: number): readonly Heard[] =>
  wire.heard.filter(({ item: [type, about] }) => (type === T.ITEM || type === T.END) && about === n);
const items = (wire: Wire, n: number): readonly Heard[] =>
  of(wire, n).filter(({ item }) => item[0] === T.ITEM);
const values = (wire: Wire, n: number): unknown[] => items(wire, n).map(({ item }) => item[2]);

const hearsItems = (wire: Wire, n: number, count: number) =>
  wire.waits(() => items(wire, n).length >= count, `${count} ITEMs of ${n}`);
const ends = (wire: Wire, n: number): Promise<Heard> =>
  wire.hears(([type, about]) => type === T.END && about === n, `END of ${n}`);

/** What comes uncalled for has time to come. */
async function isQuiet(wire: Wire): Promise<void> {
  await wire.settled();
  await sleep(A_WHILE_MS);
  await wire.settled();
}

/** These come, and no more of them. */
async function stops(wire: Wire, n: number, expected: readonly number[], what: string): Promise<void> {
  await hearsItems(wire, n, expected.length);
  await isQuiet(wire);
  same(values(wire, n), expected, what);
}

/** The handler of `conformance:endless` has been told that nobody reads it any more. */
async function isLeft(server: Server, list: string): Promise<void> {
  let seen: unknown;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    seen = await noted(server, list).catch(() => 'no answer');
    isAsking = false;
  };
  const look = (): boolean => {
    if (!isAsking) void ask();
    return JSON.stringify(seen) === '["left"]';
  };
  await until(look, "['left'] in the list of a stream that nobody reads", () => seen);
}

const refused = (what: string, ask: Item): Case<Server> => ({
  name: `${what}: ERR_NO_HANDLER, and nothing of a stream`,
  section: '3 Codes',
  async run(server) {
    const { wire } = await server.session();
    wire.say([0, 1, ask]);
    const { item } = await wire.hears(([type, n]) => type === T.ERR && n === 1, 'ERR of 1');
    same(item[2], 'ERR_NO_HANDLER', 'its code');
    await wire.settled();
    same(of(wire, 1), [], 'ITEM and END');
  },
});

const yielding: readonly Case<Server>[] = [
  {
    name: 'a stream: its items in order, each with a number, and END behind them, in place of RES',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('count', 300, 1_000)]);
      const end = await ends(wire, 1);
      same(values(wire, 1), upTo(300), 'items');
      same(end.item, [T.END, 1], 'END');
      const seqs = wire.heard.map(({ seq }) => seq).filter((seq) => seq > 0);
      same(seqs, upTo(301), 'numbers of the items and the END');
      await isQuiet(wire);
      same([wire.all(T.RES), wire.all(T.ERR)], [[], []], 'RES and ERR');
    },
  },
  {
    name: 'a stream without items: END alone',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('count', 0, 1)]);
      same((await ends(wire, 1)).item, [T.END, 1], 'END');
      same(values(wire, 1), [], 'items');
    },
  },
  {
    name: 'as many items as q and the highest total of STREAM CREDIT say, and no more',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('count', 12, 3)]);
      await stops(wire, 1, upTo(3), 'items with q of 3');
      wire.say(credit(1, 8));
      await stops(wire, 1, upTo(8), 'items with a total of 8');
      wire.say(credit(1, 5));
      wire.say(credit(1, 1));
      await stops(wire, 1, upTo(8), 'items, whatever smaller totals say');
      wire.say(credit(1, 10));
      await stops(wire, 1, upTo(10), 'items with a total of 10');
      wire.say(credit(1, 1_000));
      await ends(wire, 1);
      same(values(wire, 1), upTo(12), 'items');
    },
  },
  {
    name: 'a stream that breaks off: END with the code, the reason and what it adds, behind the items',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('break', 3, 100)]);
      const { item } = await ends(wire, 1);
      same(item, [T.END, 1, 'ERR_REJECTED', 'conformance', { after: 3 }], 'END');
      same(values(wire, 1), [1, 2, 3], 'items before it');
    },
  },
  refused('a stream that nobody yields', open('nothing', 1, 16)),
  refused('a request that is asked for as a stream', open('echo', 1, 16)),
  refused('a stream that is asked for as a request', open('count', 1)),
  {
    name: 'ITEM and END pass what waits for credit',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session({ w: [1, 1_048_576] });
      wire.say([0, 1, [T.EVT, 'conformance:send', 3], open('count', 5, 16)]);
      await ends(wire, 2);
      same(values(wire, 2), upTo(5), 'items');
      await wire.settled();
      same(wire.all(T.EVT).length, 1, 'events');
    },
  },
  {
    name: 'its request is handled when it has begun, though it goes on',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('endless', unique('endless'), 1)]);
      await hearsItems(wire, 1, 1);
      await wire.hears(([type, low]) => type === T.DONE && Number(low) >= 1, 'DONE of 1');
      await wire.acked(1);
      same(of(wire, 1).length, 1, 'one ITEM and no END');
    },
  },
  {
    name: 'streams that wait for their reader hold up nothing else',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      const list = unique('endless');
      wire.say([0, 1, ...upTo(40).map(() => open('endless', list, 1))]);
      wire.say([0, 41, [T.REQ, 'conformance:echo', 'x'], open('count', 3, 16)]);
      await wire.hears(([type, n]) => type === T.RES && n === 41, 'RES 41');
      await ends(wire, 42);
      same(values(wire, 42), [1, 2, 3], 'items of another stream');
    },
  },
  {
    name: 'who acknowledges nothing does not get items without end',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('endless', unique('endless'), 20_000)]);
      let count = -1;
      for (const since = Date.now(); count < items(wire, 1).length && Date.now() - since < 5_000; ) {
        count = items(wire, 1).length;
        await isQuiet(wire);
      }
      check(count < 20_000, 'fewer than 20000 items before any ack', count);
      const [last] = items(wire, 1).slice(-1);
      wire.say([last?.seq ?? 0, 0]);
      await hearsItems(wire, 1, count + 1);
    },
  },
];

const leaving: readonly Case<Server>[] = [
  {
    name: 'CANCEL ends a stream: its handler is told, and no item comes any more',
    section: '3 Cancelled',
    async run(server) {
      const { wire } = await server.session();
      const list = unique('endless');
      wire.say([0, 1, open('endless', list, 2)]);
      await stops(wire, 1, upTo(2), 'items with q of 2');
      wire.say([0, 2, [T.CANCEL, 1]]);
      await isLeft(server, list);
      wire.say(credit(1, 100));
      await isQuiet(wire);
      same(values(wire, 1), [1, 2], 'items');
    },
  },
  {
    name: 'too many streams: ERR_REJECTED too-many-streams; one that was cancelled, and one that has ended, have no place',
    section: STREAMS,
    async run(server) {
      const { wire, welcome } = await server.session();
      const most = Math.min(welcome.o, welcome.w[0]);
      if (most < MANY + 4) throw new NotAsked(`it takes ${most} requests at once`);
      const list = unique('endless');
      wire.say([0, 1, open('count', 3, 1), ...upTo(MANY - 1).map(() => open('endless', list, 1))]);
      const begun = (n: number): boolean => items(wire, n).length > 0;
      const refusal = (n: number) => wire.all(T.ERR).find(([, about]) => about === n);
      await wire.waits(
        () => upTo(MANY).every((n) => begun(n) || refusal(n)),
        `an ITEM or ERR of each of ${MANY}`,
      );
      const [first] = wire.all(T.ERR);
      if (!first) throw new NotAsked(`it lets a session have ${MANY} streams open`);
      same(first.slice(2, 4), ['ERR_REJECTED', 'too-many-streams'], 'the refusal');
      // One that is cancelled makes room for one, and so does one that ends; there is none for a third.
      wire.say([0, MANY + 1, [T.CANCEL, 2], open('endless', list, 1)]);
      await hearsItems(wire, MANY + 2, 1);
      wire.say(credit(1, 100));
      await ends(wire, 1);
      wire.say([0, MANY + 3, open('endless', list, 1), open('endless', list, 1)]);
      await wire.waits(() => refusal(MANY + 4), `ERR of ${MANY + 4}`);
      same(
        [begun(MANY + 3), refusal(MANY + 3)],
        [true, undefined],
        'ITEM and ERR in the place of one that ended',
      );
    },
  },
  {
    name: 'with its session a stream ends: its handler is told',
    section: '3 Cancelled',
    async run(server) {
      const { wire } = await server.session();
      const list = unique('endless');
      wire.say([0, 1, open('endless', list, 1)]);
      await hearsItems(wire, 1, 1);
      wire.say([0, 0, [T.BYE, 'closed', '']]);
      await isLeft(server, list);
    },
  },
];

const resuming: readonly Case<Server>[] = [
  {
    name: 'a stream over a cut: what was not acknowledged comes again with its numbers, and then it goes on',
    section: STREAMS,
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, open('count', 9, 5)]);
      await hearsItems(wire, 1, 5);
      const before = items(wire, 1);
      const x = before[1]?.seq ?? 0;
      wire.cut();
      const { wire: second } = await server.back(welcome, 2, { x, y: 0 });
      await hearsItems(second, 1, 3);
      const told = ({ seq, item }: Heard) => [seq, ...item];
      same(items(second, 1).map(told), before.slice(2).map(told), 'items that come again');
      second.say(credit(1, 7));
      await stops(second, 1, [3, 4, 5, 6, 7], 'items with a total of 7');
      second.say(credit(1, 100));
      same((await ends(second, 1)).item, [T.END, 1], 'END');
      same(values(second, 1), [3, 4, 5, 6, 7, 8, 9], 'items');
    },
  },
  {
    name: 'the request of a stream that is written again does not begin it again',
    section: STREAMS,
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, open('count', 50, 100)]);
      await wire.acked(1);
      wire.cut();
      const { wire: second } = await server.back(welcome, 2);
      second.say([0, 1, open('count', 50, 100)]);
      second.say(credit(1, 100));
      await ends(second, 1);
      await isQuiet(second);
      same(values(second, 1), upTo(50), 'items');
      same(of(second, 1).length, 51, 'items and END');
    },
  },
  {
    name: 'STREAM CREDIT for a handled request of which no stream runs or has ended: END ERR_STREAM_LOST',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:echo', 1]]);
      await wire.hearsType(T.RES, 'RES 1');
      await wire.hears(([type, low]) => type === T.DONE && Number(low) >= 1, 'DONE of 1');
      wire.say(credit(1, 16));
      const { item, seq } = await ends(wire, 1);
      same(item[2], 'ERR_STREAM_LOST', 'its code');
      check(seq > 0, 'an END with a number', wire.story);
    },
  },
  {
    name: 'STREAM CREDIT for what has ended, for what is not yet handled, and for what was never asked: ignored',
    section: STREAMS,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, open('count', 1, 16), [T.REQ, 'conformance:slow', { ms: 400, list: unique('slow') }]]);
      await ends(wire, 1);
      await wire.acked(2);
      for (const n of [1, 2, 3, 9_999]) wire.say(credit(n, 16));
      await isQuiet(wire);
      same(wire.all(T.END), [[T.END, 1]], 'ENDs');
      await wire.hears(([type, n]) => type === T.RES && n === 2, 'RES 2');
      // Nor when it has been handled.
      await isQuiet(wire);
      same(wire.all(T.END), [[T.END, 1]], 'ENDs');
    },
  },
];

export const streams: readonly Case<Server>[] = [...yielding, ...leaving, ...resuming];
