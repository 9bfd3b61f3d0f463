import { A_WHILE_MS, type Case, check, same, sleep } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { type ClientProgram, type Play, play, welcome } from './play.js';

const section = '5 Rooms';
const NUMBER = 7;

const publication = (offset: number, value: unknown, number = NUMBER): unknown => [
  0,
  0,
  [T.PUB, number, offset, 'said', value, { f: 'bob', i: `i${offset}`, t: 1 }],
];
const member = (name: string, offset: number, data: unknown): unknown => [
  0,
  0,
  [T.PUB, NUMBER, offset, name, data, { t: 1 }],
];
const inRoom = (name: string, act: (scene: Play) => Promise<void>): Case<ClientProgram> =>
  play(name, section, async (scene) => {
    await scene.can('rooms');
    await act(scene);
  });

/** In a room whose newest offset is 10. */
async function joined(scene: Play): Promise<Wire> {
  const wire = await scene.session();
  const id = scene.does({ do: 'join', room: 'reef' });
  const { item, seq } = await wire.hears((item) => item[0] === T.REQ && item[1] === '$join', '$join');
  same((item[2] as { room: string }).room, 'reef', 'room');
  wire.say([seq, 1, [T.RES, seq, { epoch: 'one', offset: 10 }], [T.SYNC, [['reef', 'one', 10, NUMBER]]]]);
  await scene.settled(id, 'answered');
  return wire;
}

async function hears(scene: Play, values: readonly unknown[]): Promise<void> {
  await scene.was(() => scene.publications.length >= values.length, `${values.length} publications told`);
  await sleep(A_WHILE_MS);
  same(scene.publications, values, 'publications told');
}

/** Cuts, and gives the positions of the SYNC on the next connection. */
async function positions(scene: Play, wire: Wire, accepted = 1): Promise<{ wire: Wire; rooms: unknown }> {
  await wire.settled();
  wire.cut();
  const back = await scene.resumed(scene.wires.length + 1, { x: accepted });
  const { item } = await back.wire.hearsType(T.SYNC, 'SYNC');
  return { wire: back.wire, rooms: item[1] };
}

export const inRooms: readonly Case<ClientProgram>[] = [
  inRoom('publications reach the application; what is not above the position is dropped', async (scene) => {
    const wire = await joined(scene);
    for (const offset of [9, 10, 11, 11, 13, 12]) wire.say(publication(offset, offset));
    await hears(scene, [11, 13]);
  }),
  inRoom(
    'what is said right behind the reply and the SYNC is not lost, with a place in the log or without',
    async (scene) => {
      const wire = await scene.session();
      scene.does({ do: 'join', room: 'reef' });
      const { seq } = await wire.hears((item) => item[1] === '$join', '$join');
      const [, , pub] = publication(11, 'early') as [number, number, Item];
      wire.say([
        seq,
        1,
        [T.RES, seq, { epoch: 'one', offset: 10 }],
        [T.SYNC, [['reef', 'one', 10, NUMBER]]],
        [T.VOL, 'said', 'passing', { r: 'reef', f: 'bob', t: 1 }],
        pub,
      ]);
      await hears(scene, ['passing', 'early']);
    },
  ),
  inRoom('publications that share a frame are told one by one, and move the position', async (scene) => {
    const wire = await joined(scene);
    const items = [11, 12, 14].map((offset) => (publication(offset, offset) as [number, number, Item])[2]);
    wire.say([0, 0, ...items]);
    await hears(scene, [11, 12, 14]);
    same((await positions(scene, wire)).rooms, [['reef', 'one', 14]], 'positions');
  }),
  inRoom('to publish is an event with r', async (scene) => {
    const wire = await joined(scene);
    scene.send('hello', { room: 'reef' });
    const { item } = await wire.hearsType(T.EVT, 'the event');
    const { r } = (item[3] ?? {}) as { r?: string };
    same([item[1], item[2], r], ['note', 'hello', 'reef'], 'name, data, r');
  }),
  inRoom('after WELCOME 1 SYNC gives the position that PUB has moved', async (scene) => {
    const wire = await joined(scene);
    wire.say(publication(12, 'a'));
    await hears(scene, ['a']);
    const { wire: next, rooms } = await positions(scene, wire);
    same(rooms, [['reef', 'one', 12]], 'positions');
    next.say([0, 0, [T.SYNC, [['reef', 'one', 12, 3]]]]);
    next.say(publication(12, 'again', 3));
    next.say(publication(14, 'b', 3));
    await hears(scene, ['a', 'b']);
  }),
  inRoom('a room flows only after the SYNC of the server on this connection', async (scene) => {
    const { wire } = await positions(scene, await joined(scene));
    wire.say(publication(11, 'too early'));
    await wire.settled();
    await sleep(A_WHILE_MS);
    same(scene.publications, [], 'publications told');
  }),
  inRoom('a GAP of the room moves the position, and the application is told', async (scene) => {
    const wire = await joined(scene);
    wire.say([0, 0, [T.GAP, 11, 20, 'trimmed', NUMBER]]);
    wire.say(publication(20, 'below'));
    wire.say(publication(21, 'above'));
    await hears(scene, ['above']);
    await scene.was(({ was, room }) => was === 'gap' && room === 'reef', 'a gap told, with its room');
    same((await positions(scene, wire)).rooms, [['reef', 'one', 21]], 'positions');
  }),
  inRoom('a VOL of a room is told, and moves no position; of another room it is ignored', async (scene) => {
    const wire = await joined(scene);
    for (const r of ['elsewhere', 'reef']) wire.say([0, 0, [T.VOL, 'said', r, { r, f: 'bob', t: 1 }]]);
    wire.say(publication(11, 'a'));
    await hears(scene, ['reef', 'a']);
    same(scene.events, [], 'events told');
    same((await positions(scene, wire)).rooms, [['reef', 'one', 11]], 'positions');
  }),
  inRoom('$member and $members move no position and are no publications', async (scene) => {
    const wire = await joined(scene);
    wire.say(member('$member', 15, ['bob', 1]));
    wire.say(member('$member', 15, ['bob', 1, '{"busy":true}']));
    wire.say(member('$members', 15, [['bob', 1, '{"busy":true}']]));
    wire.say(publication(11, 'a'));
    await hears(scene, ['a']);
    same((await positions(scene, wire)).rooms, [['reef', 'one', 11]], 'positions');
  }),
  inRoom('put in by the server: what is said there is heard, and its position is told', async (scene) => {
    const wire = await scene.session();
    wire.say([0, 0, [T.SYNC, [['reef', 'one', 10, NUMBER]]]]);
    for (const offset of [10, 11]) wire.say(publication(offset, offset));
    await hears(scene, [11]);
    same((await positions(scene, wire, 0)).rooms, [['reef', 'one', 11]], 'positions');
  }),
  inRoom('taken out by the server: nothing more is heard, and no position is told', async (scene) => {
    const wire = await joined(scene);
    wire.say(publication(11, 'a'));
    wire.say([0, 0, [T.SYNC, [['reef', '', 0, 0]]]]);
    wire.say(publication(12, 'b'));
    await hears(scene, ['a']);
    same((await positions(scene, wire)).rooms, [], 'positions');
  }),
  inRoom(
    'what was published in several rooms is heard once, and moves the position of each',
    async (scene) => {
      const wire = await joined(scene);
      wire.say([0, 0, [T.SYNC, [['cliff', 'two', 3, 8]]]]);
      const said = (number: number, offset: number) => {
        const meta = { i: 'both', m: 'word', t: 1 };
        wire.say([0, 0, [T.PUB, number, offset, 'said', 'to both', meta]]);
      };
      said(NUMBER, 11);
      said(8, 4);
      wire.say(publication(12, 'a'));
      await hears(scene, ['to both', 'a']);
      const { rooms } = await positions(scene, wire);
      same(
        [...(rooms as string[][])].sort(),
        [
          ['cliff', 'two', 4],
          ['reef', 'one', 12],
        ],
        'positions',
      );
    },
  ),
  inRoom(
    'another epoch: the gap is told, and what flows in it counts from its own beginning',
    async (scene) => {
      const { wire } = await positions(scene, await joined(scene));
      wire.say([0, 0, [T.SYNC, [['reef', 'two', 0, 3]]], [T.GAP, 1, 0, 'new-epoch', 3]]);
      for (const offset of [1, 2]) wire.say(publication(offset, offset, 3));
      await hears(scene, [1, 2]);
      await scene.was(({ was, why }) => was === 'gap' && why === 'new-epoch', 'a gap told');
      same((await positions(scene, wire)).rooms, [['reef', 'two', 2]], 'positions');
    },
  ),
  inRoom(
    'after a lost session it joins anew, with its position and the session that is replaced',
    async (scene) => {
      const wire = await joined(scene);
      wire.say(publication(12, 'a'));
      await hears(scene, ['a']);
      wire.cut();
      const { wire: next } = await scene.dial(2);
      next.say(welcome({ q: 2 }));
      await next.waits(() => next.all(T.HELLO).length === 2, 'a second HELLO');
      next.say(welcome({ s: 'another' }));
      const { item, seq } = await next.hears((item) => item[1] === '$join', '$join');
      same(item[2], { room: 'reef', epoch: 'one', offset: 12, replaced: ['session'] }, 'what is asked');
      next.say([seq, 1, [T.RES, seq, { epoch: 'one', offset: 14 }], [T.SYNC, [['reef', 'one', 12, NUMBER]]]]);
      for (const offset of [13, 14]) next.say(publication(offset, offset));
      await hears(scene, ['a', 13, 14]);
      check(seq === 1, 'number 1 of the new session', seq);
    },
  ),
];
