import { type Case, check, same, sleep } from '../case.js';
import { acknowledgesAtOnce } from '../prompt.js';
import { T, type Wire } from '../wire.js';
import { note, noted, type Server, unique } from './subject.js';

const RECEIVING = '3 Receiving';
const ACCEPTED = '3 Accepted';

const values = (wire: Wire): unknown[] => wire.all(T.EVT).map((item) => item[2]);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Waits until the server has sent so many events; whether they are the right ones is for the case to say. */
const hearsEvents = (wire: Wire, count: number) =>
  wire.waits(() => values(wire).length >= count, `${count} events conformance:event`);

export const numbers: readonly Case<Server>[] = [
  {
    name: 'a request is answered under its number',
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:echo', { a: [1, 'ü', null] }], [T.REQ, 'conformance:echo', 2]]);
      await wire.waits(() => wire.all(T.RES).length === 2, 'two answers');
      const answers = new Map(wire.all(T.RES).map(([, n, result]) => [n, result]));
      same([answers.get(1), answers.get(2)], [{ a: [1, 'ü', null] }, 2], 'answers to 1 and 2');
    },
  },
  {
    name: 'a VOL is handled, without a number',
    section: '3 Frames',
    async run(server) {
      const list = unique('volatile');
      const { wire } = await server.session();
      const [, name, data] = note(list, 'now');
      wire.say([0, 1, [T.VOL, name, data], note(list, 'later')]);
      await wire.acked(1);
      same(await noted(server, list), ['now', 'later'], 'values handled');
    },
  },
  {
    name: 'an event is handled and acknowledged',
    section: ACCEPTED,
    async run(server) {
      const list = unique('event');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 'x')]);
      await wire.acked(1);
      same(await noted(server, list), ['x'], 'values handled');
    },
  },
  {
    name: 'events are handled in the order of their numbers',
    section: '1 Words',
    async run(server) {
      const list = unique('order');
      const { wire } = await server.session();
      for (let n = 1; n <= 100; n += 2) wire.say([0, n, note(list, n), note(list, n + 1)]);
      await wire.acked(100);
      same(await noted(server, list), upTo(100), 'values handled');
    },
  },
  {
    name: 'a number that was taken already is dropped',
    section: RECEIVING,
    async run(server) {
      const list = unique('again');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1)]);
      wire.say([0, 1, note(list, 'again')]);
      wire.say([0, 1, note(list, 'again'), note(list, 2)]);
      await wire.acked(2);
      same(await noted(server, list), [1, 2], 'values handled');
    },
  },
  {
    name: 'a GAP takes the numbers that it tells of',
    section: RECEIVING,
    async run(server) {
      const list = unique('gap');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1), [T.GAP, 2, 3, 'abandoned'], note(list, 4)]);
      await wire.acked(4);
      same(await noted(server, list), [1, 4], 'values handled');
    },
  },
  {
    name: 'of a GAP that was taken in part, the rest counts',
    section: RECEIVING,
    async run(server) {
      const list = unique('part');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1)]);
      wire.say([0, 1, [T.GAP, 1, 2, 'abandoned'], note(list, 3)]);
      await wire.acked(3);
      same(await noted(server, list), [1, 3], 'values handled');
    },
  },
  {
    name: 'a refusal is written before the first ack that covers it',
    section: ACCEPTED,
    async run(server) {
      const list = unique('refused');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1), [T.EVT, 'conformance:refuse', 1], note(list, 3)]);
      await wire.acked(3);
      const refusal = await wire.hears((item) => item[0] === T.ERR && item[1] === 2, 'ERR of 2');
      same(refusal.item[2], 'ERR_REJECTED', 'code of the refusal');
      const first = wire.frames.findIndex(({ ack }) => ack >= 2);
      check(refusal.at <= first, 'the ERR not after the ack', wire.story);
    },
  },
  {
    name: 'an ack goes out by itself',
    section: '3 Acks',
    async run(server) {
      const { wire } = await server.session();
      const list = unique('ack');
      for (const n of [1, 2, 3]) {
        wire.say([0, n, note(list, n)]);
        await wire.acked(n);
        await wire.settled();
        const most = Math.max(...wire.frames.map(({ ack }) => ack));
        same(most, n, 'the highest ack, of what was sent');
      }
    },
  },
  {
    name: 'what ACK_NOW stands behind is acknowledged without another 100 ms',
    section: '3 Acks',
    async run(server) {
      const { wire } = await server.session();
      const list = unique('now');
      await acknowledgesAtOnce(wire, (n) => note(list, n));
    },
  },
  {
    name: 'DONE tells what has been handled',
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, note(unique('done'), 1), [T.REQ, 'conformance:echo', 1]]);
      const tells = ([type, upTo]: readonly unknown[]): boolean => type === T.DONE && Number(upTo) >= 1;
      await wire.hears(tells, 'DONE up to 1');
    },
  },
  {
    name: "the server's numbers rise by one from 1, in frames of at most 256 items",
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.EVT, 'conformance:send', 600]]);
      await hearsEvents(wire, 600);
      same(values(wire), upTo(600), 'values of the events');
      const seqs = wire.heard.map(({ seq }) => seq).filter((seq) => seq > 0);
      same(seqs, upTo(seqs.length), 'numbers');
      const most = Math.max(...wire.frames.map(({ items }) => items.length));
      check(most <= 256, 'at most 256 items in a frame', most);
    },
  },
  {
    name: "the client's window is respected, and CREDIT opens it",
    section: '3 Window',
    async run(server) {
      const { wire } = await server.session({ w: [2, 1_048_576] });
      wire.say([0, 1, [T.EVT, 'conformance:send', 10]]);
      await hearsEvents(wire, 2);
      await wire.settled();
      same(values(wire), [1, 2], 'events within a window of 2');
      wire.say([2, 0]);
      await hearsEvents(wire, 4);
      await wire.settled();
      same(values(wire), [1, 2, 3, 4], 'events after an ack of 2');
      wire.say([0, 0, [T.CREDIT, 5, 1_048_576]]);
      await hearsEvents(wire, 7);
      await wire.settled();
      same(values(wire), upTo(7), 'events after CREDIT 5');
    },
  },
  {
    name: 'with nothing unacknowledged one message of any size may go',
    section: '3 Window',
    async run(server) {
      const { wire } = await server.session({ w: [10, 1] });
      wire.say([0, 1, [T.EVT, 'conformance:send', 2]]);
      await hearsEvents(wire, 1);
      await wire.settled();
      same(values(wire), [1], 'events within a window of 1 byte');
      wire.say([1, 0]);
      await hearsEvents(wire, 2);
    },
  },
  {
    name: 'a reply passes what waits for credit',
    section: '3 Window',
    async run(server) {
      const { wire } = await server.session({ w: [1, 1_048_576] });
      wire.say([0, 1, [T.EVT, 'conformance:send', 3]]);
      await hearsEvents(wire, 1);
      wire.say([0, 2, [T.REQ, 'conformance:echo', 'passes']]);
      await wire.hears((item) => item[0] === T.RES && item[1] === 2, 'RES 2 while events wait');
      same(values(wire), [1], 'events');
    },
  },
  {
    name: 'a request that is cancelled harms nobody',
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:slow', { ms: 50, list: unique('slow') }], [T.CANCEL, 1]]);
      wire.say([0, 3, [T.REQ, 'conformance:echo', 'after']]);
      await wire.hears((item) => item[0] === T.RES && item[1] === 3, 'RES 3');
      await sleep(100);
      await wire.settled();
    },
  },
  {
    name: 'a payload that is undefined is marked with u, or left out',
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, 'conformance:echo', null, { u: 1 }], [T.REQ, 'conformance:echo']]);
      await wire.waits(() => wire.all(T.RES).length === 2, 'two answers');
      for (const [, n, result] of wire.all(T.RES))
        check(result === undefined, `RES ${n} without a result`, result);
    },
  },
];
