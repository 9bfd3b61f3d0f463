import { type Clock, type ContractSchemas, type EventItem, type Random, Type } from '@holdfast/protocol';
import type { Session } from '../session.js';
import type { ServerSession } from '../types.js';
import { sendEvent } from './outgoing.js';

/** What handlers are given of a session. */
export function doorOf(
  session: Session,
  around: { readonly clock: Clock; readonly random: Random; readonly schemas: ContractSchemas | undefined },
): ServerSession {
  const { id, user, rooms } = session;
  return Object.freeze<ServerSession>({
    id,
    user,
    rooms,
    get address() {
      return session.address;
    },
    send: (event: string, payload?: unknown, options?: { id?: string | undefined }) =>
      sendEvent(around, { event, payload, options }, (messageId) => {
        const at = Math.floor(around.clock.now());
        const meta = { i: messageId, t: at, u: payload === undefined ? 1 : undefined } as const;
        const item: EventItem = [Type.EVT, event, payload, meta];
        return session.send(item, messageId);
      }),
  });
}
