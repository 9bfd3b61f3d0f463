import type { Peer } from './peer.js';
import { type Place, settle } from './place.js';

/** What is measured: made ready in a place, then done again and again. */
export interface Operation {
  readonly title: string;
  /** How often it is done in each round. */
  readonly times: number;
  /** Of so many things that each operation is for; the figure is for one of them. Default 1. */
  readonly parts?: (size: number) => number;
  prepare(place: Place, size: number): Promise<() => Promise<unknown> | unknown>;
}

const TEXT =
  'some hundred bytes of text, as people write them when they talk to each other in a room of a chat';
/** As a client packs them. */
const IN_A_FRAME = 100;
/** The room of the crowd, where `MEMBERS` are measured. */
export const FULL = 'people:full';
let ids = 0;
/** As clients make them. */
const id = (): string => `${1e12 + ++ids}abcdefghi`;
const names = (prefix: string, size: number): string[] =>
  Array.from({ length: size }, (_, n) => `${prefix}:${n}`);
const event = (more: object = {}): readonly unknown[] => [2, 'note', TEXT, { i: id(), ...more }];

/** One peer says something, and all that follows from it is waited for. */
const saying = (title: string, say: (peer: Peer) => void): Operation => ({
  title,
  times: 400,
  async prepare(place) {
    const peer = await place.peer();
    return () => {
      say(peer);
      return settle();
    };
  },
});

/** On the path of one message. Beside so many sessions, rooms and durable outboxes that have nothing to do with it. */
export const MESSAGES: readonly Operation[] = [
  saying('an event of a client', (peer) => peer.say(event())),
  saying('a request of a client, and its answer', (peer) => peer.say([3, 'echo', TEXT])),
  saying('a volatile event of a client', (peer) => peer.mention([20, 'note', TEXT, { i: id() }])),
  {
    title: 'a durable event of a client, from another outbox each time',
    times: 400,
    async prepare(place, size) {
      const peer = await place.peer();
      let n = 0;
      const next = (): void => peer.say(event({ o: [`outbox-${++n % size}`, n] }));
      for (let outbox = 0; outbox < size; outbox++) {
        next();
        await settle();
      }
      return () => {
        next();
        return settle();
      };
    },
  },
  {
    title: 'an event to a session, and its ack',
    times: 400,
    async prepare(place) {
      const peer = await place.peer();
      const session = place.session(peer);
      return async () => {
        const sending = session.send('news', TEXT);
        await settle();
        peer.mention();
        await sending;
      };
    },
  },
  {
    title: 'an event to a user, and its ack',
    times: 400,
    async prepare(place) {
      const peer = await place.peer();
      return async () => {
        await place.server.toUser(peer.id).send('news', TEXT);
        await settle();
        peer.mention();
      };
    },
  },
  {
    title: 'a publication of a client in a room of 3',
    times: 400,
    async prepare(place) {
      const peer = await place.peer('room:three');
      await place.peer('room:three');
      await place.peer('room:three');
      return () => {
        peer.say(event({ r: 'room:three' }));
        return settle();
      };
    },
  },
  {
    title: 'a publication of the server in a room of 3',
    times: 400,
    async prepare(place) {
      for (let member = 0; member < 3; member++) await place.peer('room:trio');
      return () => place.server.to('room:trio').send('news', TEXT);
    },
  },
  {
    title: 'a publication in a room without members, another one each time',
    times: 400,
    async prepare(place, size) {
      let n = 0;
      return () => place.server.to(`room:empty:${++n % size}`).send('news', TEXT);
    },
  },
];

/** What happens now and then. Beside as much as above. */
export const COMINGS: readonly Operation[] = [
  {
    title: 'a join and a leave, with presence, in a room of 3',
    times: 200,
    async prepare(place) {
      const peer = await place.peer();
      await place.peer('people:here');
      await place.peer('people:here');
      return async () => {
        peer.say([3, '$join', { room: 'people:here' }]);
        await settle();
        peer.say([3, '$leave', { room: 'people:here' }]);
        await settle();
      };
    },
  },
  {
    title: 'a change of presence, in a room of 3',
    times: 200,
    async prepare(place) {
      const peer = await place.peer('people:there');
      await place.peer('people:there');
      await place.peer('people:there');
      let n = 0;
      return () => {
        peer.say([3, '$presence', { room: 'people:there', presence: { typing: ++n % 2 === 0 } }]);
        return settle();
      };
    },
  },
  {
    title: 'a connection, and its end',
    times: 200,
    async prepare(place) {
      return async () => {
        const peer = await place.peer();
        peer.mention([13]);
        await settle();
      };
    },
  },
  {
    title: 'a cut and a resume',
    times: 200,
    async prepare(place) {
      const peer = await place.peer('people:alone');
      return async () => {
        peer.cut();
        peer.dial();
        await settle();
      };
    },
  },
  {
    title: 'all are cut, and come back one after the other; each',
    times: 1,
    parts: (size) => size,
    async prepare({ crowd }) {
      return async () => {
        for (const peer of crowd) peer.cut();
        for (const peer of crowd) peer.dial();
        await settle();
      };
    },
  },
];

/** What looks at everything, and is meant to: how much that is for one session. */
export const ROUNDS: readonly Operation[] = [
  {
    title: '`server.stats()`, or a scrape; for each session',
    times: 1,
    parts: (size) => size,
    async prepare(place) {
      return () => place.server.stats();
    },
  },
  {
    title: '`server.revoke()`; for each session',
    times: 1,
    parts: (size) => size,
    async prepare(place) {
      const expiresAt = place.clock.now() + 1;
      return () => place.server.revoke({ userId: 'somebody', expiresAt });
    },
  },
  {
    title: 'what every half a minute is looked after; for each session',
    times: 1,
    parts: (size) => size,
    async prepare(place) {
      return () => place.clock.advance(30_000);
    },
  },
  {
    title: '`server.toAll().send()`; for each session',
    times: 1,
    parts: (size) => size,
    async prepare(place) {
      // `volatile`: nobody would acknowledge it.
      return () => place.server.toAll().send('news', TEXT, { delivery: 'volatile' });
    },
  },
];

/** In a room whose members are the crowd. */
export const MEMBERS: readonly Operation[] = [
  {
    title: 'a publication; for each member',
    times: 4,
    parts: (size) => size,
    async prepare({ server }) {
      return () => server.to(FULL).send('news', TEXT);
    },
  },
  {
    title: 'a volatile publication; for each member',
    times: 4,
    parts: (size) => size,
    async prepare({ server }) {
      return () => server.to(FULL).send('news', TEXT, { delivery: 'volatile' });
    },
  },
  {
    title: 'a change of presence of one of the 256 who are shown; for each member',
    times: 4,
    parts: (size) => size,
    async prepare({ crowd: [first] }) {
      let n = 0;
      return () => {
        first?.say([3, '$presence', { room: FULL, presence: { typing: ++n % 2 === 0 } }]);
        return settle();
      };
    },
  },
  {
    title: 'a join and a leave, without presence',
    times: 100,
    async prepare(place) {
      const peer = await place.peer();
      return async () => {
        peer.say([3, '$join', { room: 'room:quiet' }]);
        await settle();
        peer.say([3, '$leave', { room: 'room:quiet' }]);
        await settle();
      };
    },
  },
];

/** By a session that has so much itself. */
export const OWN: readonly Operation[] = [
  {
    title: 'a request and its answer; each',
    times: 20,
    parts: (size) => size,
    async prepare(place, size) {
      const peer = await place.peer();
      return async () => {
        for (let left = size; left > 0; left -= IN_A_FRAME) {
          peer.say(...Array.from({ length: Math.min(left, IN_A_FRAME) }, () => [3, 'echo', TEXT]));
        }
        await settle();
        peer.mention();
      };
    },
  },
];

/** By a session of which so many messages were handled since one whose handler still runs. */
export const HELD: readonly Operation[] = [
  {
    title: 'an event of a client',
    // Each is one more that was handled.
    times: 4,
    prepare: (place, size) => behindHeld(place, size, event),
  },
  {
    title: 'a request of a client, and its answer',
    times: 4,
    prepare: (place, size) => behindHeld(place, size, () => [3, 'echo', TEXT]),
  },
];

async function behindHeld(
  place: Place,
  size: number,
  item: () => readonly unknown[],
): Promise<() => Promise<void>> {
  const peer = await place.peer();
  const say = (what: readonly unknown[]): Promise<void> => {
    peer.say(what);
    return settle();
  };
  await say([2, 'held', TEXT, { i: id() }]);
  for (let left = size; left > 0; left--) await say(event());
  return () => say(item());
}

/** By a session in so many rooms of its own. */
export const ROOMS: readonly Operation[] = [
  {
    title: 'an event of a client',
    times: 400,
    async prepare(place, size) {
      const peer = await place.peer(...names('room:own', size));
      return () => {
        peer.say(event());
        return settle();
      };
    },
  },
  {
    title: 'a publication of a client in one of them',
    times: 400,
    async prepare(place, size) {
      const peer = await place.peer(...names('room:mine', size));
      return () => {
        peer.say(event({ r: 'room:mine:0' }));
        return settle();
      };
    },
  },
];

/** Beside so many rules for other rooms. */
export const RULES: readonly Operation[] = [
  {
    title: 'a publication of a client in a room of 3, if they name rooms',
    times: 400,
    prepare: (place, size) => amongRules(place, names('room:other', size)),
  },
  {
    title: 'the same, if they are patterns',
    times: 400,
    prepare: (place, size) =>
      amongRules(
        place,
        names('room:others', size).map((name) => `${name}:*`),
      ),
  },
];

async function amongRules(place: Place, patterns: readonly string[]): Promise<() => Promise<void>> {
  for (const pattern of patterns) place.server.rooms(pattern, { join: true });
  const peer = await place.peer('room:three');
  await place.peer('room:three');
  await place.peer('room:three');
  return () => {
    peer.say(event({ r: 'room:three' }));
    return settle();
  };
}
