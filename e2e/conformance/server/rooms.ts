import { A_WHILE_MS, type Case, check, same, sleep, until } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { type Server, unique, type Visit } from './subject.js';

const section = '5 Rooms';

interface Joined {
  readonly epoch: string;
  readonly offset: number;
  readonly members?: readonly (readonly [string, number])[];
}

/** Joins and gives the reply, and the room's number on this connection. */
export async function join(
  wire: Wire,
  seq: number,
  request: object,
): Promise<{ reply: Joined; number: number; from: number }> {
  wire.say([0, seq, [T.REQ, '$join', request]]);
  const answer = await wire.hears((item) => item[0] === T.RES && item[1] === seq, `RES to $join`);
  const { room } = request as { room: string };
  const sync = await wire.hears(
    ([type, rooms]) => type === T.SYNC && (rooms as Item[]).some(([name]) => name === room),
    'a SYNC with the room',
  );
  const [, , from, number] = (sync.item[1] as Item[]).find(([name]) => name === room) ?? [];
  check(
    sync.at >= answer.at && Number.isSafeInteger(number),
    'SYNC [room, epoch, offset, number] after the reply',
    sync.item,
  );
  return { reply: answer.item[2] as Joined, number: Number(number), from: Number(from) };
}

const publish = (room: string, value: unknown): Item => [T.EVT, 'said', value, { r: room }];
const isMember = ([type, , , name]: Item): boolean => type === T.PUB && name === '$member';
const publications = (wire: Wire): Item[] => wire.all(T.PUB).filter((item) => item[3] === 'said');
const said = (wire: Wire): unknown[] => publications(wire).map((item) => item[4]);

/** Two sessions in a room of their own; the second has said nothing yet. */
async function pair(server: Server, room = unique('room')) {
  const hearer = await server.session({ a: 'ada' });
  const { reply, number } = await join(hearer.wire, 1, { room });
  const speaker = await server.session({ a: 'bob' });
  await join(speaker.wire, 1, { room });
  return { room, hearer, speaker, reply, number };
}

/** The speaker says values from a number on; resolves when they are accepted. */
async function say({ wire }: Visit, room: string, from: number, values: readonly unknown[]): Promise<void> {
  for (const [index, value] of values.entries()) wire.say([0, from + index, publish(room, value)]);
  await wire.acked(from + values.length - 1);
}

const hearsAll = (wire: Wire, values: readonly unknown[]) =>
  until(
    () => said(wire).length >= values.length,
    `publications ${values.length === 1 ? values[0] : `of ${values.length} values`} (section 5)`,
    () => wire.story,
  ).then(() => same(said(wire), values, 'values published'));

export const rooms: readonly Case<Server>[] = [
  {
    name: 'a VOL goes to the others in its room, without an offset, and takes none',
    section: '3 Frames',
    async run(server) {
      const { room, hearer, speaker } = await pair(server);
      speaker.wire.say([0, 0, [T.VOL, 'said', 'now', { r: room }]]);
      const { item } = await hearer.wire.hearsType(T.VOL, 'a VOL');
      const { r, f } = (item[3] ?? {}) as { r?: string; f?: string };
      same([item[1], item[2], r, f], ['said', 'now', room, 'bob'], 'name, data, room and sender');
      await say(speaker, room, 2, ['later']);
      await hearsAll(hearer.wire, ['later']);
      same(publications(hearer.wire)[0]?.[2], 1, 'offset');
      same(speaker.wire.all(T.VOL), [], 'VOLs to who has said it');
    },
  },
  {
    name: '$join is answered with epoch and offset, then SYNC gives the number',
    section,
    async run(server) {
      const { wire } = await server.session();
      const { reply } = await join(wire, 1, { room: unique('join') });
      check(typeof reply.epoch === 'string' && reply.offset === 0, '{epoch, offset: 0}', reply);
    },
  },
  {
    name: 'publications reach the other members as [0, 0, PUB, …], with their sender, and not their own',
    section,
    async run(server) {
      const { room, hearer, speaker, number } = await pair(server);
      await say(speaker, room, 2, ['one', 'two']);
      await hearsAll(hearer.wire, ['one', 'two']);
      for (const { ack, first, items } of hearer.wire.frames.filter(({ items }) => items[0]?.[0] === T.PUB))
        same(
          [ack, first, ...items.map(([type]) => type)],
          [0, 0, ...items.map(() => T.PUB)],
          'frame of PUBs',
        );
      const [one, two] = publications(hearer.wire);
      same([one?.[1], two?.[1]], [number, number], 'number of the room');
      check(Number(two?.[2]) > Number(one?.[2]) && Number(one?.[2]) >= 1, 'offsets that rise', [one, two]);
      const { f } = (one?.[5] ?? {}) as { f?: string };
      if (speaker.welcome.u) same(f, speaker.welcome.u, 'f of meta');
      await speaker.wire.settled();
      same(said(speaker.wire), [], 'publications to the publisher');
    },
  },
  {
    name: 'a traceparent goes on with its publication; what is none does not, and does no harm',
    section,
    async run(server) {
      const { room, hearer, speaker } = await pair(server);
      const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      for (const [index, c] of [trace, 'no-trace'].entries())
        speaker.wire.say([0, 2 + index, [T.EVT, 'said', index, { r: room, c }]]);
      await hearsAll(hearer.wire, [0, 1]);
      const traces = publications(hearer.wire).map((item) => (item[5] as { c?: string } | undefined)?.c);
      same(traces, [trace, undefined], 'c of meta');
    },
  },
  {
    name: 'who is no member may not publish',
    section,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, publish(unique('strange'), 1)]);
      await wire.hears((item) => item[0] === T.ERR && item[1] === 1, 'ERR of 1');
    },
  },
  {
    name: 'a room whose rule says no is not joined',
    section,
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, '$join', { room: 'conformance:closed' }]]);
      const { item } = await wire.hears((item) => item[0] === T.ERR && item[1] === 1, 'ERR of 1');
      same(item[2], 'ERR_REJECTED', 'code');
    },
  },
  {
    name: '$leave ends it',
    section,
    async run(server) {
      const { room, hearer, speaker } = await pair(server);
      hearer.wire.say([0, 2, [T.REQ, '$leave', { room }]]);
      await hearer.wire.hears((item) => item[0] === T.RES && item[1] === 2, 'RES to $leave');
      await say(speaker, room, 2, ['unheard']);
      await hearer.wire.settled();
      same(said(hearer.wire), [], 'publications after $leave');
    },
  },
  {
    name: 'joins, publications and leaves take effect in the order of their numbers',
    section,
    async run(server) {
      const { room, hearer } = await pair(server);
      const { wire } = await server.session();
      const rest = [publish(room, 1), [T.REQ, '$leave', { room }], publish(room, 2)];
      wire.say([0, 1, [T.REQ, '$join', { room }], ...rest]);
      await wire.hears((item) => item[0] === T.ERR && item[1] === 4, 'ERR of 4, said after leaving');
      await hearsAll(hearer.wire, [1]);
    },
  },
  {
    name: 'joined and left in one frame: no SYNC behind the answers puts it in again',
    section,
    async run(server) {
      const { wire } = await server.session();
      const about = { room: unique('left') };
      wire.say([0, 1, [T.REQ, '$join', about], [T.REQ, '$leave', about]]);
      const { at } = await wire.hears((item) => item[0] === T.RES && item[1] === 2, 'RES to $leave');
      await wire.settled();
      const behind = wire.heard.filter((one) => one.at >= at).map(({ item }) => item);
      const isIn = ([type, rooms]: Item) => type === T.SYNC && (rooms as Item[])[0]?.[3] !== 0;
      same(behind.filter(isIn), [], 'SYNC behind the answer to $leave');
    },
  },
  {
    name: 'after WELCOME 1 nothing flows before the SYNC; then what was missed, in order and once',
    section,
    async run(server) {
      const { room, hearer, speaker, reply } = await pair(server);
      await say(speaker, room, 2, [1, 2]);
      await hearsAll(hearer.wire, [1, 2]);
      const offset = Number(publications(hearer.wire)[0]?.[2]);
      hearer.wire.cut();
      await say(speaker, room, 4, [3, 4]);
      const { wire } = await server.back(hearer.welcome, 2, { a: 'ada', x: 1, y: 1 });
      await wire.settled();
      await sleep(A_WHILE_MS);
      same([said(wire), wire.all(T.SYNC)], [[], []], 'publications and SYNC before the SYNC of the client');
      wire.say([0, 0, [T.SYNC, [[room, reply.epoch, offset]]]]);
      await hearsAll(wire, [2, 3, 4]);
      const sync = wire.heard.findIndex(({ item }) => item[0] === T.SYNC);
      check(
        sync < wire.heard.findIndex(({ item }) => item[0] === T.PUB),
        'SYNC before the first PUB',
        wire.story,
      );
    },
  },
  {
    name: 'a room that SYNC does not name flows from where it was joined',
    section,
    async run(server) {
      const { room, hearer, speaker } = await pair(server);
      await say(speaker, room, 2, [1, 2]);
      await hearsAll(hearer.wire, [1, 2]);
      hearer.wire.cut();
      const { wire } = await server.back(hearer.welcome, 2, { a: 'ada', x: 1, y: 1 });
      wire.say([0, 0, [T.SYNC, []]]);
      await hearsAll(wire, [1, 2]);
    },
  },
  {
    name: 'a position before that of the join is raised to it',
    section,
    async run(server) {
      const room = unique('raised');
      const speaker = await server.session();
      await join(speaker.wire, 1, { room });
      await say(speaker, room, 2, [1, 2]);
      const hearer = await server.session();
      const { reply } = await join(hearer.wire, 1, { room });
      check(reply.offset >= 2, 'the newest offset in the reply', reply);
      hearer.wire.cut();
      const { wire } = await server.back(hearer.welcome, 2, { x: 1, y: 1 });
      wire.say([0, 0, [T.SYNC, [[room, reply.epoch, 0]]]]);
      await say(speaker, room, 4, [3]);
      await hearsAll(wire, [3]);
    },
  },
  {
    name: 'SYNC makes nobody a member: who is not in the room is told so',
    section,
    async run(server) {
      const { room, speaker, reply } = await pair(server);
      const stranger = await server.session();
      stranger.wire.cut();
      const { wire } = await server.back(stranger.welcome, 2);
      wire.say([0, 0, [T.SYNC, [[room, reply.epoch, 0]]]]);
      await say(speaker, room, 2, ['secret']);
      await wire.settled();
      await sleep(A_WHILE_MS);
      const answered = wire.all(T.SYNC).flatMap(([, list]) => list as (readonly unknown[])[]);
      const said = [wire.all(T.PUB), answered.map(([name, , , number]) => [name, number])];
      same(said, [[], [[room, 0]]], 'PUB, and rooms with their numbers in SYNC');
    },
  },
  {
    name: 'joining anew with a position: what follows in the log, less what replaced sessions said',
    section,
    async run(server) {
      const { room, hearer, speaker, reply } = await pair(server);
      await say(speaker, room, 2, [1, 2]);
      await say(hearer, room, 2, ['own']);
      await say(speaker, room, 4, [3]);
      hearer.wire.say([0, 0, [T.BYE, 'closed', '']]);
      hearer.wire.close(1000);
      const { wire } = await server.session({ a: 'ada' });
      await join(wire, 1, { room, epoch: reply.epoch, offset: 1, replaced: [hearer.welcome.s] });
      await hearsAll(wire, [2, 3]);
    },
  },
  {
    name: 'a log that does not reach back so far: GAP trimmed with exactly what is missing',
    section,
    async run(server) {
      const { room, speaker, reply } = await pair(server);
      const all = Array.from({ length: 300 }, (_, index) => index + 1);
      await say(speaker, room, 2, all);
      const { wire } = await server.session();
      const { number } = await join(wire, 1, { room, epoch: reply.epoch, offset: 0 });
      const gap = await wire.hearsType(T.GAP, 'a GAP');
      const [, from, to, why, of] = gap.item;
      same([from, why, of], [1, 'trimmed', number], 'from, why and room of the GAP');
      await hearsAll(wire, all.slice(Number(to)));
    },
  },
  {
    name: 'from another epoch: GAP new-epoch, then the log from its beginning',
    section,
    async run(server) {
      const { room, speaker } = await pair(server);
      await say(speaker, room, 2, [1, 2]);
      const { wire } = await server.session();
      const { number } = await join(wire, 1, { room, epoch: 'of-another-life', offset: 17 });
      const { item } = await wire.hearsType(T.GAP, 'a GAP');
      const [, from, to, why, of] = item;
      same([Number(to) < Number(from), why, of], [true, 'new-epoch', number], 'to below from, why, room');
      await hearsAll(wire, [1, 2]);
    },
  },
  {
    name: 'joining without a position where newcomers are told the past: reply and SYNC say from where, then it flows',
    section,
    async run(server) {
      const { room, speaker } = await pair(server, unique('past'));
      await say(speaker, room, 2, [1, 2, 3, 4]);
      const { wire } = await server.session();
      const { reply, from } = await join(wire, 1, { room });
      same([reply.offset, from], [2, 2], 'offset of the reply and of SYNC');
      await hearsAll(wire, [3, 4]);
    },
  },
  {
    name: 'presence: members in the reply, $member tells of changes and moves no position',
    section,
    async run(server) {
      const room = unique('here');
      const ada = await server.session({ a: 'ada' });
      const { reply, number } = await join(ada.wire, 1, { room });
      same(reply.members, [[ada.welcome.u, 1]], 'members');
      const bob = await server.session({ a: 'bob' });
      await join(bob.wire, 1, { room });
      const came = await ada.wire.hears(isMember, '$member for who came');
      same(came.item.slice(1, 5), [number, 0, '$member', [bob.welcome.u, 1]], 'number, offset, name, data');
      bob.wire.say([0, 0, [T.BYE, 'closed', '']]);
      await ada.wire.hears(
        (item) => isMember(item) && (item[4] as Item)[1] === 0,
        '$member with 0 sessions for who went',
      );
    },
  },
  {
    name: 'presence: what a member says of itself is told as JSON, to newcomers, too; the newest counts',
    section,
    async run(server) {
      const room = unique('here');
      const ada = await server.session({ a: 'ada' });
      await join(ada.wire, 1, { room });
      const bob = await server.session({ a: 'bob' });
      await join(bob.wire, 1, { room, presence: 'joining' });
      await ada.wire.hears(
        (item) => isMember(item) && (item[4] as Item)[2] === '"joining"',
        'it, with $join',
      );
      bob.wire.say([0, 2, [T.REQ, '$presence', { room, presence: { busy: true } }]]);
      await bob.wire.hears((item) => item[0] === T.RES && item[1] === 2, 'RES to $presence');
      const told = await ada.wire.hears(
        (item) => isMember(item) && (item[4] as Item)[2] !== '"joining"',
        '$member after $presence',
      );
      same(told.item[4], [bob.welcome.u, 1, '{"busy":true}'], 'data of $member');
      const late = await server.session({ a: 'late' });
      const { reply } = await join(late.wire, 1, { room });
      const [, known] = reply.members ?? [];
      same(known, [bob.welcome.u, 1, '{"busy":true}'], 'the member in the reply');
    },
  },
  {
    name: 'presence: more than 1,024 bytes of JSON are refused, and where no presence is, any',
    section,
    async run(server) {
      const room = unique('here');
      const { wire } = await server.session();
      await join(wire, 1, { room });
      wire.say([0, 2, [T.REQ, '$presence', { room, presence: 'x'.repeat(1_023) }]]);
      const large = await wire.hearsType(T.ERR, 'an ERR');
      same(large.item.slice(1, 4), [2, 'ERR_REJECTED', 'presence-too-large'], 'number, code, reason');
      const silent = await server.session();
      const elsewhere = unique('room');
      await join(silent.wire, 1, { room: elsewhere });
      silent.wire.say([0, 2, [T.REQ, '$presence', { room: elsewhere, presence: 1 }]]);
      const none = await silent.wire.hearsType(T.ERR, 'an ERR');
      same(none.item.slice(1, 4), [2, 'ERR_REJECTED', 'no-presence'], 'number, code, reason');
    },
  },
  {
    name: 'presence: a short cut is told to nobody',
    section,
    async run(server) {
      const room = unique('here');
      const { hearer, speaker } = await pair(server, room);
      speaker.wire.cut();
      await sleep(A_WHILE_MS);
      const { wire } = await server.back(speaker.welcome, 2, { a: 'bob', x: 1, y: 1 });
      wire.say([0, 0, [T.SYNC, []]]);
      const isMembers = ([type, , , name]: Item): boolean => type === T.PUB && name === '$members';
      await wire.hears(isMembers, '$members for who comes back');
      await sleep(A_WHILE_MS);
      const told = hearer.wire.all(T.PUB).filter(isMember);
      same(
        told.map(([, , , , data]) => data),
        [[speaker.welcome.u, 1]],
        'changes told: that it came',
      );
    },
  },
  {
    name: '$join of what is no name: 4400',
    section: '5 Rooms',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, '$join', { room: 5 }]]);
      await wire.closes(4400);
    },
  },
];
