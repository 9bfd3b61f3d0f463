import {
  type CallOptions,
  type Clock,
  type ContractSchemas,
  encodePayload,
  type Random,
  Type,
} from '@holdfast/protocol';
import type { Session } from '../session.js';
import type { ServerSendOptions, ServerSession } from '../types.js';
import { askClient, sendEvent } from './outgoing.js';

/** What handlers are given of a session. */
export function doorOf(
  session: Session,
  around: { readonly clock: Clock; readonly random: Random; readonly schemas: ContractSchemas | undefined },
): ServerSession {
  const { id, user, rooms, codec } = session;
  const asking = { ...around, codec, ask: session.ask.bind(session) };
  return Object.freeze<ServerSession>({
    id,
    user,
    rooms,
    get address() {
      return session.address;
    },
    send: (event: string, payload?: unknown, options?: ServerSendOptions) =>
      sendEvent(around, { event, payload, options }, ({ id: messageId, delivery, place }) => {
        const at = Math.floor(around.clock.now());
        const meta = { i: messageId, t: at, u: payload === undefined ? 1 : undefined } as const;
        const data = encodePayload(session.codec, payload, { kind: 'event', name: event, from: 'server' });
        if (delivery === 'volatile') return session.cast([Type.VOL, event, data, meta], messageId);
        return session.send([Type.EVT, event, data, meta], messageId, place);
      }),
    request: (method: string, input?: unknown, options?: CallOptions) =>
      askClient(asking, { method, input, options }),
  });
}
