import { A_WHILE_MS, type Case, check, same, sleep } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { type ClientProgram, event, helloOn, numbered, type Play, play, welcome } from './play.js';

const STREAMS = '3 Streams';
/** Reads to its end. */
const ALL = 1_000;

/** A stream of the client's, as the server sees it. */
interface Open {
  readonly wire: Wire;
  /** Of the order. */
  readonly id: number;
  /** Of its REQ. */
  readonly n: number;
  /** So many items may come. */
  readonly q: number;
}

const item = (n: number, data: unknown): Item => [T.ITEM, n, data];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** What the application has been told of a stream. */
const told = (scene: Play, id: number): unknown[] =>
  scene.lines.filter(({ was, of }) => was === 'item' && of === id).map(({ data }) => data);
const isTold = (scene: Play, id: number, count: number) =>
  scene.was(() => told(scene, id).length >= count, `${count} lines "item" of order ${id}`);

const read = (scene: Play, of: number, count: number) => scene.does({ do: 'read', of, count });

/** One more stream, of which so much is read at once. */
async function opens(scene: Play, wire: Wire, count = ALL): Promise<Open> {
  const before = wire.all(T.REQ).length;
  const id = scene.does({ do: 'stream', method: 'count', data: 7 });
  read(scene, id, count);
  const { item: request, seq } = await wire.waits(
    () => wire.heard.filter(({ item: [type] }) => type === T.REQ)[before],
    'the REQ of a stream',
  );
  const { q = 0 } = (request[3] ?? {}) as { q?: number };
  return { wire, id, n: seq, q };
}

/** The first stream of a session. */
async function begins(scene: Play, count = ALL, fields: object = {}): Promise<Open> {
  await scene.can('streams');
  return opens(scene, await scene.session(fields), count);
}

const totals = (wire: Wire, n: number): number[] =>
  wire.all(T.STREAM_CREDIT).flatMap(([, about, total]) => (about === n ? [Number(total)] : []));

/** Its items of these numbers, each when there is credit for it; nothing else has a number here. */
async function yields({ wire, n, q }: Open, first: number, last: number): Promise<void> {
  for (let value = first; value <= last; value++) {
    await wire.waits(() => Math.max(q, ...totals(wire, n)) >= value, `credit for ${value} items`);
    wire.say([0, value, item(n, value)]);
  }
}

/** What comes uncalled for has time to come. */
async function isQuiet(wire: Wire): Promise<void> {
  await wire.settled();
  await sleep(A_WHILE_MS);
  await wire.settled();
}

/** How it ends, behind so many items. */
const ends = (what: string, end: readonly unknown[], as: string): Case<ClientProgram> =>
  play(`${what}: ${as}, after the items`, STREAMS, async (scene) => {
    const stream = await begins(scene);
    await yields(stream, 1, 3);
    stream.wire.say([0, 4, [T.END, stream.n, ...end]]);
    const { code } = await scene.settled(stream.id, as);
    same(code, end[0], 'the code');
    same(told(scene, stream.id), [1, 2, 3], 'items told');
    const { was } = scene.lines.filter(({ id, of }) => id === stream.id || of === stream.id).at(-1) ?? {};
    same(was, 'settled', 'the last line of it');
  });

const reading: readonly Case<ClientProgram>[] = [
  play('a stream is a REQ with q of 1 or more', STREAMS, async (scene) => {
    const { wire, q } = await begins(scene);
    same(wire.all(T.REQ)[0]?.slice(0, 3), [T.REQ, 'count', 7], 'the request');
    check(Number.isSafeInteger(q) && q > 0, 'q of 1 or more', wire.story);
  }),
  play('its items are told in the order of their numbers, and acknowledged', STREAMS, async (scene) => {
    const stream = await begins(scene);
    await yields(stream, 1, 40);
    await isTold(scene, stream.id, 40);
    same(told(scene, stream.id), upTo(40), 'items told');
    await stream.wire.acked(40);
  }),
  ends('END', [], 'ended'),
  ends('END with a code', ['ERR_REJECTED', 'enough', { after: 3 }], 'refused'),
  ends('END ERR_STREAM_LOST', ['ERR_STREAM_LOST', 'gone'], 'unknown'),
  play('ERR in place of a stream: refused', STREAMS, async (scene) => {
    const { wire, id, n } = await begins(scene);
    wire.say([0, 1, [T.ERR, n, 'ERR_NO_HANDLER', '']]);
    same((await scene.settled(id, 'refused')).code, 'ERR_NO_HANDLER', 'the code');
  }),
  play(
    'STREAM CREDIT with a higher total as items are read, and none while none is',
    STREAMS,
    async (scene) => {
      const stream = await begins(scene, 1);
      const { wire, id, n, q } = stream;
      await yields(stream, 1, q);
      await isTold(scene, id, 1);
      await isQuiet(wire);
      const before = totals(wire, n);
      await isQuiet(wire);
      same(totals(wire, n), before, 'totals while nothing is read');
      read(scene, id, q);
      await yields(stream, q + 1, q + 1);
      await isTold(scene, id, q + 1);
      await isQuiet(wire);
      const all = [q, ...totals(wire, n)];
      const rises = all.every((total, index) => index === 0 || total > (all[index - 1] ?? 0));
      check(rises, 'totals that rise', all);
      await isQuiet(wire);
      same([q, ...totals(wire, n)], all, 'q and totals while nothing is read');
    },
  ),
  play('more items than it has given credit for: 4400, and it comes back', STREAMS, async (scene) => {
    const stream = await begins(scene, 1);
    const { wire, n, q } = stream;
    await yields(stream, 1, 1);
    await isQuiet(wire);
    const most = Math.max(q, ...totals(wire, n));
    await yields(stream, 2, most);
    await isQuiet(wire);
    same(wire.code, undefined, 'no close');
    wire.say([0, most + 1, item(n, most + 1)]);
    await wire.closes(4400);
    await scene.dial(2);
  }),
  play('until its END a stream is a request without an answer', STREAMS, async (scene) => {
    const { wire, n } = await begins(scene, ALL, { o: 1 });
    scene.ask('too early');
    await isQuiet(wire);
    same(wire.all(T.REQ).length, 1, 'requests while o is 1');
    wire.say([0, 1, [T.END, n]]);
    scene.ask('after it');
    await wire.waits(() => wire.all(T.REQ).length > 1, 'another request');
  }),
];

const leaving: readonly Case<ClientProgram>[] = [
  play('a stream that is left is cancelled', STREAMS, async (scene) => {
    const stream = await begins(scene, 1);
    await yields(stream, 1, 1);
    await isTold(scene, stream.id, 1);
    scene.does({ do: 'leave', of: stream.id });
    same((await stream.wire.hearsType(T.CANCEL, 'CANCEL')).item, [T.CANCEL, stream.n], 'CANCEL');
  }),
  play(
    'ITEM and END of a stream that was left or has ended: ignored, and acknowledged',
    STREAMS,
    async (scene) => {
      const one = await begins(scene);
      const { wire } = one;
      const other = await opens(scene, wire);
      wire.say([0, 1, item(one.n, 'a'), [T.END, one.n], item(other.n, 'b')]);
      await scene.settled(one.id, 'ended');
      await isTold(scene, other.id, 1);
      scene.does({ do: 'leave', of: other.id });
      await wire.hearsType(T.CANCEL, 'CANCEL');
      for (const [index, { n }] of [one, other].entries())
        wire.say([0, 4 + 2 * index, item(n, 'late'), [T.END, n, 'ERR_STREAM_LOST', 'gone']]);
      wire.say([0, 8, item(4_711, 'none'), [T.END, 4_711], event(1)]);
      await wire.acked(10);
      await scene.hearsEvents(1);
      same([told(scene, one.id), told(scene, other.id)], [['a'], ['b']], 'items told');
      same(wire.code, undefined, 'no close');
    },
  ),
  play('ITEM and END of a request that asked for no stream: ignored', STREAMS, async (scene) => {
    await scene.can('streams');
    const wire = await scene.session();
    const id = scene.ask(1);
    const { seq: n } = await wire.hearsType(T.REQ, 'the request');
    wire.say([0, 1, item(n, 'none'), [T.END, n]]);
    await wire.acked(2);
    await isQuiet(wire);
    check(!scene.lines.some((line) => line.id === id), 'nothing of the request yet', scene.told);
    wire.say([0, 3, [T.RES, n, 'answer']]);
    same((await scene.settled(id, 'answered')).data, 'answer', 'the answer');
  }),
];

const resuming: readonly Case<ClientProgram>[] = [
  play('a stream over a cut: its items in order, each once', STREAMS, async (scene) => {
    const stream = await begins(scene);
    const { n, id } = stream;
    await yields(stream, 1, 3);
    await stream.wire.acked(3);
    const q = Math.max(stream.q, ...totals(stream.wire, n));
    stream.wire.cut();
    const { wire, hello } = await scene.resumed(2, { x: n });
    same(hello.x, 3, 'x');
    wire.say([0, 2, item(n, 2), item(n, 3)]);
    await yields({ wire, id, n, q }, 4, 30);
    wire.say([0, 31, [T.END, n]]);
    await scene.settled(id, 'ended');
    same(told(scene, id), upTo(30), 'items told');
    same(wire.all(T.REQ), [], 'not asked again');
  }),
  play(
    'after WELCOME 1: STREAM CREDIT for each open stream, behind what is written again, and for no other',
    STREAMS,
    async (scene) => {
      const reads = await begins(scene, 1);
      const { wire: first } = reads;
      const [over, left] = [await opens(scene, first), await opens(scene, first)];
      first.say([0, 1, item(reads.n, 1), [T.END, over.n]]);
      await scene.settled(over.id, 'ended');
      scene.does({ do: 'leave', of: left.id });
      const { seq: accepted } = await first.hearsType(T.CANCEL, 'CANCEL');
      first.say([accepted, 0]);
      const fresh = await opens(scene, first, 1);
      scene.send('again');
      await first.hearsType(T.EVT, 'an event');
      await first.settled();
      first.cut();
      const { wire } = await scene.resumed(2, { x: accepted });
      await wire.waits(() => wire.all(T.STREAM_CREDIT).length >= 2, '2 STREAM CREDITs');
      await isQuiet(wire);
      const about = wire.all(T.STREAM_CREDIT).map(([, n]) => n);
      same(about, [reads.n, fresh.n], 'streams that are open');
      for (const { n, q } of [reads, fresh])
        check(Math.max(...totals(wire, n)) >= q, `a total of ${n} not below its q`, wire.story);
      same(wire.all(T.REQ).length, 1, 'REQs that are written again');
      const order = wire.heard.map(({ item: [type] }) => type);
      const again = Math.max(order.lastIndexOf(T.REQ), order.lastIndexOf(T.EVT));
      check(order.indexOf(T.STREAM_CREDIT) > again, 'STREAM CREDIT behind what is written again', wire.story);
    },
  ),
  play('in place of a stream that was left before it was accepted: a GAP', '3 Given up', async (scene) => {
    const { wire: first, id, n } = await begins(scene);
    first.cut();
    scene.does({ do: 'leave', of: id });
    // Orders are taken in turn: when this is on the wire, the stream has been left.
    scene.send('behind');
    const { wire } = await scene.resumed(2, { x: 0 });
    await wire.hearsType(T.EVT, 'an event');
    same(numbered(wire)[0]?.item, [T.GAP, n, n, 'abandoned'], 'in place of the request');
    same(wire.all(T.REQ), [], 'REQs');
  }),
  play(
    'a session that is lost ends its streams: unknown, after the items',
    '4 After WELCOME 2',
    async (scene) => {
      const stream = await begins(scene);
      await yields(stream, 1, 2);
      await stream.wire.acked(2);
      stream.wire.cut();
      const { wire } = await scene.dial(2);
      wire.say(welcome({ q: 2, k: undefined, e: undefined, x: undefined }));
      await scene.settled(stream.id, 'unknown');
      same(told(scene, stream.id), [1, 2], 'items told');
      await helloOn(wire, 1);
      wire.say(welcome({ s: 'another' }));
      await isQuiet(wire);
      same(
        [wire.all(T.REQ), wire.all(T.STREAM_CREDIT)],
        [[], []],
        'REQ and STREAM CREDIT in the next session',
      );
    },
  ),
];

export const streams: readonly Case<ClientProgram>[] = [...reading, ...leaving, ...resuming];
