import { type Case, check, same } from '../case.js';
import { type Heard, T, type Wire } from '../wire.js';
import { note, noted, type Server, unique } from './subject.js';

const AFTER = '4 After WELCOME 1';
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const numbered = (wire: Wire): readonly Heard[] => wire.heard.filter(({ seq }) => seq > 0);

/** A session that has been sent so many events and has acknowledged none; then it is cut. */
async function unread(server: Server, count: number, fields: object = {}) {
  const { wire, welcome } = await server.session(fields);
  wire.say([0, 1, [T.EVT, 'conformance:send', count]]);
  await wire.waits(() => wire.all(T.EVT).length >= count, `${count} events`);
  await wire.acked(1);
  wire.cut();
  return welcome;
}

export const resume: readonly Case<Server>[] = [
  {
    name: 'x of WELCOME is the highest number accepted',
    section: '4 WELCOME',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, note(unique('x'), 1), note(unique('x'), 2)]);
      await wire.acked(2);
      wire.cut();
      const back = await server.back(welcome, 2);
      same(back.welcome.x, 2, 'x');
    },
  },
  {
    name: 'what is above x of the HELLO is written again, in order, each number once',
    section: AFTER,
    async run(server) {
      const welcome = await unread(server, 10);
      const { wire } = await server.back(welcome, 2, { x: 4, y: 1 });
      await wire.waits(() => wire.all(T.EVT).length >= 6, '6 events again');
      await wire.settled();
      const again = numbered(wire);
      same(
        again.map(({ item, seq }) => [seq, item[2]]),
        [5, 6, 7, 8, 9, 10].map((n) => [n, n]),
        'numbers and values written again',
      );
    },
  },
  {
    name: 'frames that are written again carry ack 0; an ack follows the last of them',
    section: AFTER,
    async run(server) {
      const welcome = await unread(server, 600);
      const { wire } = await server.back(welcome, 2, { x: 0, y: 0 });
      await wire.acked(1);
      const firstAck = wire.frames.findIndex(({ ack }) => ack > 0);
      const last = Math.max(...numbered(wire).map(({ at }) => at));
      check(
        numbered(wire).length === 600,
        '600 events before the first ack',
        `${numbered(wire).length} of them`,
      );
      check(firstAck > last, 'the first ack behind the last frame that is written again', wire.story);
    },
  },
  {
    name: 'an ack comes also where nothing is written again',
    section: AFTER,
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, note(unique('ack'), 1)]);
      await wire.acked(1);
      wire.cut();
      const back = await server.back(welcome, 2, { y: 1 });
      await back.wire.acked(1);
    },
  },
  {
    name: 'what was written once is written again without credit',
    section: '3 Window',
    async run(server) {
      const welcome = await unread(server, 10);
      const { wire } = await server.back(welcome, 2, { w: [1, 1] });
      await wire.waits(() => wire.all(T.EVT).length === 10, 'all 10 events again');
    },
  },
  {
    name: 'what was sent while the client was away comes, after what is written again',
    section: AFTER,
    async run(server) {
      const { wire, welcome } = await server.session({ w: [2, 1_048_576] });
      wire.say([0, 1, [T.EVT, 'conformance:send', 5]]);
      await wire.waits(() => wire.all(T.EVT).length >= 2, '2 events');
      wire.cut();
      const back = await server.back(welcome, 2, { w: [10, 1_048_576], x: 1 });
      await back.wire.waits(() => back.wire.all(T.EVT).length >= 4, 'the rest');
      same(
        numbered(back.wire).map(({ item }) => item[2]),
        [2, 3, 4, 5],
        'values',
      );
    },
  },
  {
    name: 'the client writes again what was handled: it is handled once',
    section: '3 Receiving',
    async run(server) {
      const list = unique('once');
      const { wire, welcome } = await server.session();
      wire.say([0, 1, note(list, 1), note(list, 2)]);
      await wire.acked(2);
      wire.cut();
      const back = await server.back(welcome, 2);
      back.wire.say([0, 1, note(list, 1), note(list, 2), note(list, 3)]);
      await back.wire.acked(3);
      same(await noted(server, list), upTo(3), 'values handled');
    },
  },
  {
    name: 'a request over a cut is handled once and answered on the next connection',
    section: '3 Frames',
    async run(server) {
      const list = unique('slow');
      const { wire, welcome } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:slow', { ms: 150, list }]]);
      await wire.acked(1);
      wire.cut();
      const back = await server.back(welcome, 2, { y: 0 });
      back.wire.say([0, 1, [T.REQ, 'conformance:slow', { ms: 150, list }]]);
      const { item } = await back.wire.hearsType(T.RES, 'RES 1');
      same(item, [T.RES, 1, list], 'answer');
      await back.wire.settled();
      same(back.wire.all(T.RES).length, 1, 'answers');
      same(await noted(server, list), ['asked'], 'calls of the handler');
    },
  },
  {
    name: 'an answer that was lost is written again, under the same number',
    section: AFTER,
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:echo', 'x']]);
      const first = await wire.hearsType(T.RES, 'RES 1');
      wire.cut();
      const back = await server.back(welcome, 2);
      const again = await back.wire.hearsType(T.RES, 'RES 1 again');
      same([again.seq, again.item], [first.seq, first.item], 'number and answer');
      same(again.ack, 0, 'ack of its frame');
    },
  },
  {
    name: 'a refusal that was lost is written again before an ack covers it',
    section: '3 Accepted',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, [T.EVT, 'conformance:refuse', 1]]);
      await wire.hearsType(T.ERR, 'ERR of 1');
      wire.cut();
      const { wire: next } = await server.back(welcome, 2);
      const refusal = await next.hearsType(T.ERR, 'ERR of 1 again');
      await next.acked(1);
      check(next.frames.findIndex(({ ack }) => ack >= 1) > refusal.at, 'the ack behind the ERR', next.story);
    },
  },
  {
    name: 'what the client has acknowledged is not written again',
    section: '8 Both ends as machines',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, [T.EVT, 'conformance:send', 3]]);
      await wire.waits(() => wire.all(T.EVT).length >= 3, '3 events');
      wire.say([3, 0]);
      await wire.settled();
      wire.cut();
      const back = await server.back(welcome, 2, { x: 3, y: 1 });
      await back.wire.acked(1);
      await back.wire.settled();
      same(numbered(back.wire), [], 'nothing written again');
    },
  },
  {
    name: 'many cuts: every event once and in order, in both directions',
    section: '1 Words',
    async run(server) {
      const list = unique('cuts');
      let { wire, welcome } = await server.session();
      wire.say([0, 1, [T.EVT, 'conformance:send', 40]]);
      const got: unknown[] = [];
      for (let n = 2; n <= 9; n++) {
        await wire.waits(() => numbered(wire).length >= 5, '5 events');
        const five = numbered(wire).slice(0, 5);
        got.push(...five.map(({ item }) => item[2]));
        wire.say([0, n, note(list, n)]);
        if (n % 2 === 0) await wire.acked(n);
        wire.cut();
        const next = await server.back(welcome, n, { x: got.length, y: 0 });
        const accepted = next.welcome.x ?? 0;
        if (accepted < n) next.wire.say([0, n, note(list, n)]);
        ({ wire, welcome } = next);
      }
      same(got, upTo(40), 'values of the events');
      await wire.acked(9);
      same(await noted(server, list), [2, 3, 4, 5, 6, 7, 8, 9], 'values handled');
    },
  },
];
