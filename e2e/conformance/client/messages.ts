import { A_WHILE_MS, type Case, check, same, sleep } from '../case.js';
import { acknowledgesAtOnce } from '../prompt.js';
import { T, type Wire } from '../wire.js';
import { type ClientProgram, event, isAck, numbered, type Play, payloads, play } from './play.js';

const RECEIVING = '3 Receiving';
const AFTER = '4 After WELCOME 1';

const answersTo = (wire: Wire, n: number) =>
  numbered(wire).filter(({ item }) => (item[0] === T.RES || item[0] === T.ERR) && item[1] === n);

/** What it says breaks the protocol: the client hangs up and comes back, having taken nothing of it. */
const breaks = (what: string, section: string, code: number, data: unknown): Case<ClientProgram> =>
  play(`${what}: ${code}, nothing of it is taken, and it comes back`, section, async (scene) => {
    const wire = await scene.session();
    wire.say(data);
    await wire.closes(code);
    const { hello } = await scene.dial(2);
    same([hello.s, hello.x, scene.events], ['session', 0, []], 's, x and events told');
  });

/** And nothing more: all orders lay before the client at its first PONG, and it has turned to them before the second. */
async function writes(wire: Wire, count: number): Promise<void> {
  await wire.waits(() => numbered(wire).length >= count, `${count} messages`);
  await wire.settled();
  await sleep(A_WHILE_MS);
  await wire.settled();
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Sends so many events at once and waits until some are on the wire. */
const sends = (scene: Play, count: number): number[] => upTo(count).map((value) => scene.send(value));

export const messages: readonly Case<ClientProgram>[] = [
  play('messages are numbered from 1, in the order in which they were said', '3 Frames', async (scene) => {
    const wire = await scene.session();
    for (const value of upTo(20))
      if (value % 5 === 0) scene.ask(value);
      else scene.send(value);
    await wire.waits(() => numbered(wire).length === 20, '20 messages');
    same(
      numbered(wire).map(({ seq }) => seq),
      upTo(20),
      'numbers',
    );
    same(payloads(wire), upTo(20), 'payloads');
    const [, ask] = [numbered(wire)[0], numbered(wire)[4]];
    same(ask?.item.slice(0, 3), [T.REQ, 'ask', 5], 'a request');
  }),
  play('an ack settles events, RES and ERR what they are about', '3 Frames', async (scene) => {
    const wire = await scene.session();
    const [sent, asked, refused, denied] = [scene.send(1), scene.ask(2), scene.send(3), scene.ask(4)];
    await wire.waits(() => numbered(wire).length === 4, '4 messages');
    wire.say([
      4,
      1,
      [T.RES, 2, { x: 1 }],
      [T.ERR, 3, 'ERR_REJECTED', 'no'],
      [T.ERR, 4, 'ERR_NO_HANDLER', ''],
    ]);
    await scene.settled(sent, 'acknowledged');
    same((await scene.settled(asked, 'answered')).data, { x: 1 }, 'the answer');
    // In the very frame of the ack: its items come first.
    await scene.settled(refused, 'refused');
    await scene.settled(denied, 'refused');
  }),
  play('a request is not settled by its ack', '3 Frames', async (scene) => {
    const wire = await scene.session();
    const id = scene.ask(1);
    await wire.hearsType(T.REQ, 'the request');
    wire.say([1, 0]);
    await wire.settled();
    await sleep(A_WHILE_MS);
    check(!scene.lines.some((line) => line.id === id), 'nothing of the request yet', scene.told);
    wire.say([1, 1, [T.RES, 1, 'later']]);
    same((await scene.settled(id, 'answered')).data, 'later', 'the answer');
  }),
  play('events are dispatched in order, each once, whatever comes again', RECEIVING, async (scene) => {
    const wire = await scene.session();
    wire.say([0, 1, event(1), event(2)]);
    wire.say([0, 1, event(1), event(2)]);
    wire.say([0, 2, event(2), event(3)]);
    wire.say([0, 4, event(4)]);
    await scene.hearsEvents(4);
    await wire.acked(4);
    await sleep(A_WHILE_MS);
    same(scene.events, [1, 2, 3, 4], 'events told');
  }),
  play('events over cuts: in order, each once', '1 Words', async (scene) => {
    let wire = await scene.session();
    for (let cut = 1; cut <= 4; cut++) {
      wire.say([0, cut, event(cut), event(cut + 1)]);
      await wire.acked(cut + 1);
      wire.cut();
      const { wire: next, hello } = await scene.resumed(cut + 1);
      same(hello.x, cut + 1, 'x');
      next.say([0, cut, event(cut), event(cut + 1)]);
      wire = next;
    }
    wire.say([0, 6, event(6)]);
    await scene.hearsEvents(6);
    same(scene.events, upTo(6), 'events told');
  }),
  breaks('a hole in the numbers', RECEIVING, 4409, [0, 2, event(2)]),
  breaks('an ack of what was never sent', RECEIVING, 4400, [1, 1, event(1)]),
  breaks('a GAP that is not where it says', RECEIVING, 4400, [0, 1, [T.GAP, 2, 3, 'outbox-full']]),
  breaks('text that is no JSON', '2 Negotiation', 4400, 'hello?'),
  breaks('a binary frame', '2 Negotiation', 4400, new TextEncoder().encode('[0,0]')),
  breaks('JSON that is no frame', '3 Frames', 4400, '{"ack":0}'),
  breaks('an item that is no array', '3 Frames', 4400, [0, 0, 7]),
  breaks('an unknown type below 32', '10 Evolution', 4400, [0, 0, [31]]),
  breaks('a STREAM CREDIT from a server', '3 Frames', 4400, [0, 0, [T.STREAM_CREDIT, 1, 16]]),
  play('a VOL is told, and has no number', '3 Frames', async (scene) => {
    const wire = await scene.session();
    wire.say([0, 1, [T.VOL, 'said', 'now', { i: 'v', t: 1 }], event(1)]);
    await scene.hearsEvents(2);
    same(scene.events, ['now', 1], 'events told');
    await wire.acked(1);
  }),
  play('what still comes on a connection that was left changes nothing', '6 Liveness', async (scene) => {
    const wire = await scene.session();
    wire.say([0, 2, event('hole')]);
    wire.say([0, 1, event('late')]);
    const { hello } = await scene.dial(2);
    same([hello.x, scene.events], [0, []], 'x and events told');
  }),
  play(
    'item types from 32 on, and more elements than are known, are ignored',
    '10 Evolution',
    async (scene) => {
      const wire = await scene.session();
      wire.say([0, 1, [32, 'later'], [T.EVT, 'said', 1, {}, 'more'], [4711]]);
      await wire.settled();
      await scene.hearsEvents(1);
      same(wire.code, undefined, 'no close');
    },
  ),
  play('a GAP takes the numbers that it tells of, and the application is told', RECEIVING, async (scene) => {
    const wire = await scene.session();
    wire.say([0, 1, event(1), [T.GAP, 2, 4, 'outbox-full'], event(5)]);
    await wire.acked(5);
    await scene.hearsEvents(2);
    await scene.was(({ was, why }) => was === 'gap' && why === 'outbox-full', 'a gap told');
    wire.say([0, 6, event(6)]);
    await scene.hearsEvents(3);
  }),
  play('many frames are acknowledged by few acks, and all of them', '3 Acks', async (scene) => {
    const wire = await scene.session();
    for (const value of upTo(200)) wire.say([0, value, event(value)]);
    await wire.acked(200);
    const acks = wire.frames.filter(isAck).length;
    check(acks <= 60, 'some 7 acks for 200 frames', acks);
  }),
  play('32 items are acknowledged without another 100 ms', '3 Acks', async (scene) => {
    const wire = await scene.session();
    wire.say([0, 1, event(1)]);
    await wire.acked(1);
    wire.say([0, 2, ...upTo(32).map((value) => event(value + 1))]);
    await wire.waits(() => wire.frames.some(({ ack }) => ack >= 33), 'an ack of 33');
  }),
  play('what ACK_NOW stands behind is acknowledged without another 100 ms', '3 Acks', async (scene) => {
    const wire = await scene.session();
    await acknowledgesAtOnce(wire, event);
  }),
  play("the server's window is respected, and CREDIT opens it", '3 Window', async (scene) => {
    const wire = await scene.session({ w: [2, 1_048_576] });
    sends(scene, 8);
    await writes(wire, 2);
    same(payloads(wire), [1, 2], 'events within a window of 2');
    wire.say([1, 0]);
    await writes(wire, 3);
    same(payloads(wire), [1, 2, 3], 'events after an ack of 1');
    wire.say([1, 0, [T.CREDIT, 5, 1_048_576]]);
    await writes(wire, 6);
    same(payloads(wire), upTo(6), 'events after CREDIT 5');
  }),
  play("the window's bytes count, but one message always goes", '3 Window', async (scene) => {
    const wire = await scene.session({ w: [100, 1_000] });
    for (const value of ['a', 'b', 'c']) scene.send(value.repeat(600));
    await writes(wire, 1);
    same(numbered(wire).length, 1, 'messages of 600 bytes in a window of 1,000');
    wire.say([1, 0]);
    await writes(wire, 2);
    same(numbered(wire).length, 2, 'messages after an ack');
  }),
  play('a window smaller than any message: one at a time', '3 Window', async (scene) => {
    const wire = await scene.session({ w: [100, 1] });
    sends(scene, 3);
    for (const value of upTo(3)) {
      await writes(wire, value);
      same(payloads(wire), upTo(value), 'messages');
      wire.say([value, 0]);
    }
  }),
  play('no more than o requests are without an answer', '3 Window', async (scene) => {
    const wire = await scene.session({ o: 2 });
    for (const value of upTo(4)) scene.ask(value);
    await writes(wire, 2);
    same(wire.all(T.REQ).length, 2, 'requests');
    wire.say([2, 0]);
    await wire.settled();
    await sleep(A_WHILE_MS);
    same(wire.all(T.REQ).length, 2, 'requests after an ack, which answers none');
  }),
  play('nothing larger than m is written', '4 WELCOME', async (scene) => {
    const wire = await scene.session({ m: 8_192 });
    const big = scene.send('x'.repeat(9_000));
    scene.send('small');
    await scene.settled(big, 'unsent');
    await wire.hearsType(T.EVT, 'the small one');
    same(payloads(wire), ['small'], 'messages');
  }),
  play('SYNC comes first after WELCOME 1, also without a room', '5 Rooms', async (scene) => {
    const first = await scene.session();
    scene.send(1);
    await first.hearsType(T.EVT, 'the event');
    first.cut();
    const { wire } = await scene.resumed(2, { x: 0 });
    await wire.hearsType(T.EVT, 'the event again');
    const [hello, sync] = wire.heard;
    same([hello?.item[0], sync?.item, sync?.ack], [T.HELLO, [T.SYNC, []], 0], 'HELLO, then SYNC with ack 0');
    same(wire.all(T.SYNC).length, 1, 'SYNCs');
  }),
  play('what the server lacks is written again, in order, with ack 0; then an ack', AFTER, async (scene) => {
    const first = await scene.session();
    first.say([0, 1, event(1)]);
    await first.acked(1);
    sends(scene, 10);
    await first.waits(() => numbered(first).length === 10, '10 events');
    first.cut();
    const waits = scene.send(11);
    const { wire } = await scene.resumed(2, { x: 4 });
    await wire.waits(() => numbered(wire).length >= 7, '7 events');
    await wire.acked(1);
    same(
      numbered(wire).map(({ seq, item }) => [seq, item[2]]),
      [5, 6, 7, 8, 9, 10, 11].map((n) => [n, n]),
      'again',
    );
    const late = numbered(wire).filter(({ seq, ack }) => seq <= 10 && ack > 0);
    same(late, [], 'no ack on what is written again');
    wire.say([11, 0]);
    await scene.settled(waits, 'acknowledged');
  }),
  play('what is written again needs no credit', '3 Window', async (scene) => {
    const first = await scene.session();
    sends(scene, 5);
    await first.waits(() => numbered(first).length === 5, '5 events');
    first.cut();
    const { wire } = await scene.resumed(2, { x: 0, w: [1, 1] });
    await wire.waits(() => numbered(wire).length === 5, '5 events again');
  }),
  play('x of WELCOME settles nothing: a refusal may follow', AFTER, async (scene) => {
    const first = await scene.session();
    const [one, two] = [scene.send(1), scene.send(2)];
    await first.waits(() => numbered(first).length === 2, '2 events');
    first.cut();
    const { wire } = await scene.resumed(2, { x: 2 });
    await wire.settled();
    await sleep(A_WHILE_MS);
    check(!scene.lines.some(({ was }) => was === 'settled'), 'nothing settled yet', scene.told);
    same(numbered(wire), [], 'nothing written again');
    wire.say([0, 1, [T.ERR, 1, 'ERR_REJECTED', 'no']]);
    wire.say([2, 0]);
    await scene.settled(one, 'refused');
    await scene.settled(two, 'acknowledged');
  }),
  play('an answer that comes on the next connection settles its request', AFTER, async (scene) => {
    const first = await scene.session();
    const id = scene.ask(1);
    await first.hearsType(T.REQ, 'the request');
    first.say([1, 0]);
    await first.settled();
    first.cut();
    const { wire } = await scene.resumed(2, { x: 1 });
    wire.say([0, 1, [T.RES, 1, 'late']]);
    same((await scene.settled(id, 'answered')).data, 'late', 'the answer');
    same(wire.all(T.REQ), [], 'not asked again');
  }),
  play(
    "a request of the server's is answered or refused, once, also over a cut",
    '3 Frames',
    async (scene) => {
      const first = await scene.session();
      first.say([0, 1, [T.REQ, 'echo', 'x']]);
      first.say([0, 1, [T.REQ, 'echo', 'x']]);
      await first.waits(() => answersTo(first, 1).length > 0, 'an answer to 1');
      await first.settled();
      await sleep(A_WHILE_MS);
      const [answer, ...more] = answersTo(first, 1);
      same(more, [], 'one answer');
      if (answer?.item[0] === T.RES) same(answer.item[2], 'x', 'the answer');
      first.cut();
      const { wire } = await scene.resumed(2, { x: 0 });
      wire.say([0, 1, [T.REQ, 'echo', 'x']]);
      await wire.waits(() => answersTo(wire, 1).length > 0, 'the answer again');
      await wire.settled();
      same(
        answersTo(wire, 1).map(({ seq, item }) => [seq, item]),
        [[answer?.seq, answer?.item]],
        'the same answer',
      );
    },
  ),
  play('an answer passes what waits for credit', '3 Window', async (scene) => {
    const wire = await scene.session({ w: [1, 1_048_576] });
    sends(scene, 3);
    await writes(wire, 1);
    wire.say([0, 1, [T.REQ, 'echo', 'x']]);
    await wire.waits(() => answersTo(wire, 1).length > 0, 'an answer while events wait');
    same(wire.all(T.EVT).length, 1, 'events');
  }),
  play('what was given up is not written again: a GAP takes its number', '3 Given up', async (scene) => {
    await scene.can('giveUp');
    const first = await scene.session();
    const [id] = [scene.ask(1), scene.send(2)];
    await first.waits(() => numbered(first).length === 2, '2 messages');
    first.cut();
    scene.does({ do: 'giveUp', of: id });
    await scene.settled(id, 'unknown');
    const { wire } = await scene.resumed(2, { x: 0 });
    await wire.waits(() => wire.all(T.EVT).length === 1, 'the event again');
    const [gap, sent] = numbered(wire);
    same(gap?.item, [T.GAP, 1, 1, 'abandoned'], 'in place of the request');
    same([sent?.seq, sent?.item[2]], [2, 2], 'the event');
  }),
  play('a request that is given up is cancelled', '3 Frames', async (scene) => {
    await scene.can('giveUp');
    const wire = await scene.session();
    const id = scene.ask(1);
    await wire.hearsType(T.REQ, 'the request');
    scene.does({ do: 'giveUp', of: id });
    const { item } = await wire.hearsType(T.CANCEL, 'CANCEL');
    same(item, [T.CANCEL, 1], 'CANCEL');
  }),
];
