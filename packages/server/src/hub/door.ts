import {
  type CallOptions,
  type Clock,
  type ContractSchemas,
  checkName,
  encodePayload,
  type Random,
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
  readonly schemas: ContractSchemas | undefined;
  readonly hub: Pick<Hub, 'move'>;
  /** Ends a session for good. */
  end(sid: string, reason: string): Answer<void>;
}

/** What handlers are given of a session. */
export function doorOf(session: Session, around: DoorSurroundings): ServerSession {
  const { id, rooms, codec } = session;
  const asking = { ...around, codec, ask: session.ask.bind(session) };
  return Object.freeze<ServerSession>({
    id,
    rooms,
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
      sendEvent(around, { event, payload, options }, ({ id: messageId, delivery, place, traceparent: c }) => {
        const at = Math.floor(around.clock.now());
        const meta = { i: messageId, t: at, u: payload === undefined ? 1 : undefined, c } as const;
        const data = encodePayload(session.codec, payload, { kind: 'event', name: event, from: 'server' });
        if (delivery === 'volatile') return session.cast([Type.VOL, event, data, meta], messageId);
        return session.send([Type.EVT, event, data, meta], messageId, place);
      }),
    request: (method: string, input?: unknown, options?: CallOptions) =>
      askClient(asking, { method, input, options }),
    join: (...names: readonly string[]) => move(around.hub, id, names, 'in'),
    leave: (...names: readonly string[]) => move(around.hub, id, names, 'out'),
    end: async (reason = 'ended') => {
      checkName(reason, 'end(reason)');
      await around.end(id, reason);
    },
  });
}

/** Misuse throws at once; a session that has ended is in no room, and stays so. */
export function move(
  hub: Pick<Hub, 'move'>,
  sid: string,
  rooms: readonly string[],
  way: 'in' | 'out',
): Promise<void> {
  checkMove(rooms, way);
  return Promise.all(rooms.map((room) => hub.move(sid, room, way))).then(() => undefined);
}

/** Throws a `TypeError` for what cannot name a room. */
export function checkMove(rooms: readonly string[], way: 'in' | 'out'): void {
  for (const room of rooms) checkName(room, `${way === 'in' ? 'join' : 'leave'}(room)`);
}
