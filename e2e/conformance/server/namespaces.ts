import { type Case, same } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { join } from './rooms.js';
import { note, noted, type Server, unique } from './subject.js';

const section = '5 Namespaces';

const HOME = '/conformance#';
const inside = (list: string, value: unknown): Item => [T.EVT, `${HOME}note`, { list, value }];

/** The refusal of a number. */
async function refusal(wire: Wire, seq: number): Promise<unknown> {
  const { item } = await wire.hears(([type, n]) => type === T.ERR && n === seq, `ERR of number ${seq}`);
  return item.slice(2, 4);
}

export const namespaces: readonly Case<Server>[] = [
  {
    name: 'who is not in a namespace says, asks and joins nothing there, and goes on elsewhere',
    section,
    async run(server) {
      const { wire } = await server.session();
      const list = unique('outside');
      wire.say([
        0,
        1,
        inside(list, 1),
        [T.REQ, `${HOME}echo`, 'hello'],
        [T.REQ, '$join', { room: `${HOME}r` }],
      ]);
      for (const seq of [1, 2, 3])
        same(await refusal(wire, seq), ['ERR_REJECTED', 'not-in-namespace'], 'refusal');
      wire.say([0, 4, note(list, 2)]);
      await wire.acked(4);
      same(await noted(server, list), [2], 'values that were noted');
    },
  },
  {
    name: 'what stands behind the $join of a namespace is heard and answered there',
    section,
    async run(server) {
      const { wire } = await server.session();
      const list = unique('inside');
      wire.say([0, 1, [T.REQ, '$join', { room: HOME }], inside(list, 1), [T.REQ, `${HOME}echo`, 'hello']]);
      const { item } = await wire.hears(([type, n]) => type === T.RES && n === 3, 'an answer to number 3');
      same(item[2], 'hello', 'answer');
      await wire.acked(3);
      same(await noted(server, list), [1], 'values that were noted');
    },
  },
  {
    name: 'a namespace refuses whom it does not let in, and one that is not there everybody',
    section,
    async run(server) {
      const { wire } = await server.session();
      const rooms = ['/conformance-closed#', '/conformance-none#'];
      wire.say([0, 1, ...rooms.map((room): Item => [T.REQ, '$join', { room }])]);
      same(await refusal(wire, 1), ['ERR_REJECTED', 'conformance'], 'refusal');
      same(await refusal(wire, 2), ['ERR_REJECTED', 'join-not-allowed'], 'refusal');
    },
  },
  {
    name: 'a namespace comes back with its session',
    section,
    async run(server) {
      const { wire, welcome } = await server.session();
      await join(wire, 1, { room: HOME });
      await wire.settled();
      wire.cut();
      const back = await server.back(welcome, 2);
      const list = unique('back');
      back.wire.say([0, 0, [T.SYNC, []]]);
      back.wire.say([0, 2, inside(list, 1)]);
      await back.wire.acked(2);
      same(await noted(server, list), [1], 'values that were noted');
    },
  },
  {
    name: 'whoever leaves a namespace is out of its rooms, too',
    section,
    async run(server) {
      const { wire } = await server.session();
      const room = `${HOME}${unique('room')}`;
      await join(wire, 1, { room: HOME });
      await join(wire, 2, { room });
      wire.say([0, 3, [T.REQ, '$leave', { room: HOME }]]);
      await wire.hears(([type, n]) => type === T.RES && n === 3, 'an answer to $leave');
      await wire.hears(
        ([type, rooms]) =>
          type === T.SYNC && (rooms as Item[]).some(([name, , , n]) => name === room && n === 0),
        'a SYNC with number 0 of the room',
      );
      wire.say([0, 4, [T.REQ, '$join', { room: HOME }]]);
      wire.say([0, 5, [T.EVT, `${HOME}note`, { list: unique('x'), value: 1 }, { r: room }]]);
      same(await refusal(wire, 5), ['ERR_REJECTED', 'not-a-member'], 'refusal');
    },
  },
  {
    name: 'what is said in a room is of its namespace, and nothing in the room of the namespace itself',
    section,
    async run(server) {
      const { wire } = await server.session();
      const room = `${HOME}${unique('room')}`;
      await join(wire, 1, { room: HOME });
      await join(wire, 2, { room });
      const list = unique('elsewhere');
      wire.say([0, 3, [T.EVT, 'conformance:note', { list, value: 1 }, { r: room }]]);
      same(await refusal(wire, 3), ['ERR_REJECTED', 'not-an-event-of-rooms'], 'refusal');
      wire.say([0, 4, [T.EVT, `${HOME}note`, { list, value: 2 }, { r: HOME }]]);
      same(await refusal(wire, 4), ['ERR_REJECTED', 'publish-not-allowed'], 'refusal');
      same(await noted(server, list), [], 'values that were noted');
    },
  },
];
