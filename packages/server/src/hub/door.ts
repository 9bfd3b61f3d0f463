import {
  type Clock,
  checkName,
  encodePayload,
  type MessageOptions,
  prefixOf,
  type Random,
  type Scope,
  Type,
} from '@holdfast/protocol';
import type { Answer } from '../ports/store.js';
import type { Session } from '../session.js';
import type { ServerSendOptions, ServerSession } from '../types.js';
import type { Hub } from './hub.js';
import { askClient, sendEvent } from './outgoing.js';

export interface DoorSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: Scope;
  readonly hub: Pick<Hub, 'move'>;
  /** Ends a session for good. */
  end(sid: string, reason: string): Answer<void>;
}

/** What handlers are given of a session, as their scope sees it. */
export function doorOf(session: Session, around: DoorSurroundings): ServerSession {
  const { id, codec } = session;
  const { scope } = around;
  const asking = { ...around, codec, ask: session.ask.bind(session) };
  return Object.freeze<ServerSession>({
    id,
    rooms: session.joined.in(scope.prefix),
    get user() {
      return session.user;
    },
    get data() {
      return session.data.current;
    },
    setData: (changes) => session.data.set(changes),
    get address() {
      return session.address;
    },
    send: (event: string, payload?: unknown, options?: ServerSendOptions) =>
      sendEvent(
        around,
        { event, payload, options },
        ({ id: messageId, name, delivery, place, traceparent: c }) => {
          const at = Math.floor(around.clock.now());
          const meta = { i: messageId, t: at, u: payload === undefined ? 1 : undefined, c } as const;
          const data = encodePayload(session.codec, payload, { kind: 'event', name, from: 'server' });
          if (delivery === 'volatile') return session.cast([Type.VOL, name, data, meta], messageId);
          return session.send([Type.EVT, name, data, meta], messageId, place);
        },
      ),
    request: (method: string, input?: unknown, options?: MessageOptions) =>
      askClient(asking, { method, input, options }),
    join: (...names: readonly string[]) => move(around, id, names, 'in'),
    leave: (...names: readonly string[]) => move(around, id, names, 'out'),
    end: async (reason = 'ended') => {
      checkName(reason, 'end(reason)');
      await endIn(around, id, reason);
    },
  });
}

/** Who moves sessions, and in which scope. */
export type Mover = Pick<DoorSurroundings, 'scope' | 'hub' | 'end'>;

/** Misuse throws at once; a session that has ended is in no room, and stays so. */
export function move(
  { scope, hub }: Pick<Mover, 'scope' | 'hub'>,
  sid: string,
  rooms: readonly string[],
  way: 'in' | 'out',
): Promise<void> {
  checkMove(scope, rooms, way);
  return Promise.all(rooms.map((room) => hub.move(sid, scope.prefix + room, way))).then(() => undefined);
}

/** Throws a `TypeError` for what cannot name a room. */
export function checkMove({ prefix }: Scope, rooms: readonly string[], way: 'in' | 'out'): void {
  for (const room of rooms) checkName(room, `${way === 'in' ? 'join' : 'leave'}(room)`, prefix);
}

/** For good; in a namespace: takes it out of that, and its other life goes on. */
export function endIn({ scope, hub, end }: Mover, sid: string, reason: string): Answer<unknown> {
  return scope.prefix === '' ? end(sid, reason) : hub.move(sid, scope.prefix, 'out');
}

/** Those of the scope, as it calls them. */
export function roomsIn({ prefix }: Scope, rooms: Iterable<string>): string[] {
  return [...rooms]
    .filter((room) => prefixOf(room) === prefix && room !== prefix)
    .map((room) => room.slice(prefix.length));
}
