import {
  type ContractSchemas,
  type EventItem,
  type Handlers,
  isPromiseLike,
  JOIN,
  type JoinRequest,
  LEAVE,
  type Listeners,
  PRESENCE,
  parseJoinRequest,
  parseLeaveRequest,
  parsePresenceRequest,
  prefixOf,
  RejectError,
  type RequestItem,
  type Scopes,
  type VolatileItem,
} from '@holdfast/protocol';
import { after } from '../answer.js';
import type { Answer } from '../ports/store.js';
import type { Session } from '../session.js';
import type { IncomingMessageInfo, ServerSession } from '../types.js';
import type { Handler, StreamHandler } from './handlers.js';
import { demandHome } from './home.js';
import type { Hub } from './hub.js';
import type { Middleware } from './middleware.js';
import { checkPayload, dataOf, Refusal } from './payload.js';
import { demand, type Rules } from './rules.js';

export interface PermitsSurroundings {
  readonly scopes: Scopes;
  readonly middleware: Middleware;
  readonly rules: Rules;
  readonly maxRooms: number;
  readonly hub: Pick<Hub, 'heardOf'>;
  readonly listeners: Listeners;
  readonly handlers: Handlers<Handler>;
  readonly streamers: Handlers<StreamHandler>;
}

/** What a client may say: by namespace, contract, rule and middleware. Throws, now or later, for what it may not. */
export class Permits {
  readonly #around: PermitsSurroundings;

  constructor(around: PermitsSurroundings) {
    this.#around = around;
  }

  maySend(session: Session, item: EventItem | VolatileItem): Answer<void> {
    const [, event, , { r: room } = {}] = item;
    demandHome(session, event);
    const payload = this.payloadOf(session, item);
    if (room === undefined && !this.#around.listeners.has(event)) {
      throw new Refusal('ERR_NO_HANDLER', 'nobody listens to it');
    }
    const allowed = room === undefined ? undefined : this.#mayPublish(session, room, event, payload);
    const asked = after(allowed, () =>
      this.#askMiddleware(session, { kind: 'event', name: event, room, payload }),
    );
    return stillAtHome(session, event, asked);
  }

  mayAsk(session: Session, item: RequestItem): Answer<void> {
    const [, method, , meta] = item;
    const { hub, handlers } = this.#around;
    const payload = dataOf(session, item);
    if (method === JOIN) return this.#mayJoin(session, parseJoinRequest(payload));
    if (method === LEAVE) return void parseLeaveRequest(payload);
    if (method === PRESENCE) return void hub.heardOf(session, parsePresenceRequest(payload));
    demandHome(session, method);
    const kind = meta?.q ? 'stream' : 'request';
    if (kind === 'request' && !handlers.has(method)) throw new Refusal('ERR_NO_HANDLER', 'no such request');
    const input =
      kind === 'stream'
        ? this.streamer(method, payload).input
        : checkPayload(this.#schemasOf(method)?.requests.get(method)?.input, payload);
    return stillAtHome(session, method, this.#askMiddleware(session, { kind, name: method, payload: input }));
  }

  #mayJoin(session: Session, request: JoinRequest): Answer<void> {
    const { room } = request;
    const { rules, maxRooms, middleware } = this.#around;
    if (!session.rooms.has(room) && session.rooms.size >= maxRooms) throw new RejectError('too-many-rooms');
    const { handshake } = session.attachment ?? {};
    if (room === prefixOf(room) && handshake)
      return middleware.admit(session.facadeIn(''), request, handshake);
    demandHome(session, room);
    const { join = false } = rules.for(room);
    const allowed = typeof join === 'function' ? join(...here(session, room)) : join;
    return stillAtHome(session, room, demand(allowed, 'join-not-allowed'));
  }

  /** Throws, now or later, unless the session may publish this event in the room. */
  #mayPublish(session: Session, room: string, event: string, payload: unknown): Answer<void> {
    const schemas = this.#schemasOf(event);
    const prefix = prefixOf(event);
    if (!session.rooms.has(room)) throw new RejectError('not-a-member');
    if (prefix !== prefixOf(room) || (schemas && !schemas.serverEvents.has(event))) {
      throw new RejectError('not-an-event-of-rooms');
    }
    const { publish = false } = this.#around.rules.for(room);
    if (typeof publish !== 'function') return demand(publish, 'publish-not-allowed');
    const [facade, name] = here(session, room);
    const said = { room: name, event: event.slice(prefix.length) as never, payload };
    return demand(publish(facade, said), 'publish-not-allowed');
  }

  /** The payload as the contract has it. Throws a refusal. */
  payloadOf(session: Session, item: EventItem | VolatileItem): unknown {
    const [, event] = item;
    const schemas = this.#schemasOf(event);
    const schema = schemas?.clientEvents.get(event);
    if (event.startsWith('$') || (schemas && !schema)) throw new Refusal('ERR_NO_HANDLER', 'no such event');
    return checkPayload(schema, dataOf(session, item));
  }

  /** Who yields a stream, and what the handler gets. Throws a refusal. */
  streamer(method: string, payload: unknown): { readonly handler: StreamHandler; readonly input: unknown } {
    const handler = this.#around.streamers.get(method);
    if (!handler) throw new Refusal('ERR_NO_HANDLER', 'no such stream');
    return { handler, input: checkPayload(this.#schemasOf(method)?.streams.get(method)?.input, payload) };
  }

  /** The middleware for messages: whatever is allowed otherwise. */
  #askMiddleware(session: Session, message: IncomingMessageInfo): Answer<void> {
    const { scopes, middleware } = this.#around;
    const scope = scopes.of(message.name);
    const chain = scope && middleware.of(scope).messages;
    if (!chain || chain.isEmpty) return;
    const { length } = scope.prefix;
    const said = { ...message, name: message.name.slice(length), room: message.room?.slice(length) };
    return chain.ask(said, session.facadeIn(scope.prefix));
  }

  #schemasOf(name: string): ContractSchemas | undefined {
    return this.#around.scopes.of(name)?.schemas;
  }
}

/** Whoever was taken out of the namespace while a rule or the middleware was asked is refused, too. */
function stillAtHome(session: Session, name: string, asked: Answer<void>): Answer<void> {
  return isPromiseLike(asked) ? after(asked, () => demandHome(session, name)) : asked;
}

/** A session and a room, as the namespace of the room sees them. */
function here(session: Session, room: string): [ServerSession, string] {
  const prefix = prefixOf(room);
  return [session.facadeIn(prefix), room.slice(prefix.length)];
}
