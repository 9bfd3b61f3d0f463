import {
  type ContractSchemas,
  describeIssues,
  type EventItem,
  FrameError,
  type Item,
  isPromiseLike,
  isRejectError,
  JOIN,
  LEAVE,
  Listeners,
  parseJoinRequest,
  parseLeaveRequest,
  RejectError,
  type RequestItem,
  type Schema,
  type SchemaIssue,
  Type,
  validate,
} from '@holdfast/protocol';
import type { ServerPorts } from '../ports/ports.js';
import type { Session } from '../session.js';
import type { ServerContext } from '../types.js';
import type { Hub } from './hub.js';
import type { Rules } from './rules.js';

/** Of what an ERR says; the rest stands in its data. */
const MAX_REASON = 4_096;

export type Handler = (input: unknown, context: ServerContext) => unknown;
type EventListener = (payload: unknown, context: ServerContext) => unknown;
/** Tells the application of a failure in its own code. */
export type Report = (error: unknown, where: { name: string; sessionId?: string }) => void;

/** The way of what clients say: checked against contract and rules, accepted or refused, then handled. */
export class Router {
  readonly listeners: Listeners;
  readonly handlers = new Map<string, Handler>();
  readonly #ports: Pick<ServerPorts, 'clock' | 'random'>;
  readonly #schemas: ContractSchemas | undefined;
  readonly #hub: Hub;
  readonly #rules: Rules;
  readonly #maxRooms: number;
  readonly #report: Report;
  /** Requests that are being handled. */
  readonly #running = new WeakMap<Session, Map<number, AbortController>>();
  accepted = 0;

  constructor(
    ports: Pick<ServerPorts, 'clock' | 'random'>,
    { schemas, maxRooms }: { schemas: ContractSchemas | undefined; maxRooms: number },
    { hub, rules }: { hub: Hub; rules: Rules },
    report: Report,
  ) {
    this.#ports = ports;
    this.#schemas = schemas;
    this.#maxRooms = maxRooms;
    this.#hub = hub;
    this.#rules = rules;
    this.#report = report;
    this.listeners = new Listeners((error, name) => report(error, { name }));
  }

  /** Returns when the item is accepted or refused, which takes its time only where a rule does. */
  accept(session: Session, seq: number, item: Item): void | PromiseLike<void> {
    this.accepted++;
    switch (item[0]) {
      case Type.EVT:
        return this.#refuseOn(session, seq, item[1], () => this.#event(session, seq, item));
      case Type.REQ:
        return this.#refuseOn(session, seq, item[1], () => this.#request(session, seq, item));
      case Type.CANCEL:
        return this.#running.get(session)?.get(item[1])?.abort(new RejectError('cancelled'));
      default:
        throw new FrameError(`a client may not send items of type ${item[0]} here`);
    }
  }

  /** Runs `work`; what it throws, now or later, becomes the refusal of message `seq`. */
  #refuseOn(session: Session, seq: number, name: string, work: () => unknown): void | PromiseLike<void> {
    const refuse = (error: unknown): void => this.#refuse(session, seq, name, error);
    try {
      const result = work();
      if (isPromiseLike(result)) return result.then(() => undefined, refuse);
    } catch (error) {
      refuse(error);
    }
  }

  #event(
    session: Session,
    seq: number,
    [, event, data, { i: id = '', r: room, u } = {}]: EventItem,
  ): unknown {
    const payload = u ? undefined : data;
    const schema = this.#schemas?.clientEvents.get(event);
    if (event.startsWith('$') || (this.#schemas && !schema))
      throw new Refusal('ERR_NO_HANDLER', 'no such event');
    const value = check(schema, payload);
    const context = this.#context(session, seq, id, room);
    if (room === undefined) {
      if (!this.#handle(event, value, context)) throw new Refusal('ERR_NO_HANDLER', 'nobody listens to it');
      return;
    }
    const allowed = this.#mayPublish(session, room, event, value);
    const publish = (): void => {
      // Its author is gone, and was told that nobody knows: then nothing is better than a late echo to the next session.
      if (!session.live) return;
      this.#handle(event, value, context);
      const except = new Set([session.id]);
      this.#hub.publish(room, { name: event, payload, id, from: session.user.id, except });
    };
    return isPromiseLike(allowed) ? allowed.then(publish) : publish();
  }

  /** Throws, now or later, unless the session may publish this event in the room. */
  #mayPublish(session: Session, room: string, event: string, payload: unknown): void | PromiseLike<void> {
    if (!session.rooms.has(room)) throw new RejectError('not-a-member');
    if (this.#schemas && !this.#schemas.serverEvents.has(event))
      throw new RejectError('not-an-event-of-rooms');
    const { publish = false } = this.#rules.for(room);
    const allowed =
      typeof publish === 'function'
        ? publish(session.door, { room, event: event as never, payload })
        : publish;
    return demand(allowed, 'publish-not-allowed');
  }

  /**
   * Starts the listeners of an event; false if there are none. A `RejectError` thrown at once refuses the message;
   * everything else is reported.
   */
  #handle(event: string, payload: unknown, context: ServerContext): boolean {
    let refusal: unknown;
    for (const listener of this.listeners.of(event) as readonly EventListener[]) {
      try {
        const result = listener(payload, context);
        if (isPromiseLike(result)) {
          result.then(undefined, (error: unknown) =>
            this.#report(error, { name: event, sessionId: context.session.id }),
          );
        }
      } catch (error) {
        if (isRejectError(error)) refusal ??= error;
        else this.#report(error, { name: event, sessionId: context.session.id });
      }
    }
    if (refusal) throw refusal;
    return this.listeners.has(event);
  }

  #request(session: Session, seq: number, [, method, payload]: RequestItem): unknown {
    if (method === JOIN) return this.#join(session, seq, payload);
    if (method === LEAVE) return this.#leave(session, seq, payload);
    const handler = this.handlers.get(method);
    if (!handler) throw new Refusal('ERR_NO_HANDLER', 'no such request');
    const schemas = this.#schemas?.requests.get(method);
    const input = check(schemas?.input, payload);
    // Accepted now; the handler takes whatever time it takes.
    void this.#answer(session, seq, method, input, handler, schemas?.output);
    return undefined;
  }

  async #answer(
    session: Session,
    seq: number,
    method: string,
    input: unknown,
    handler: Handler,
    output?: Schema,
  ) {
    const running = this.#running.get(session) ?? new Map<number, AbortController>();
    this.#running.set(session, running);
    const aborter = new AbortController();
    running.set(seq, aborter);
    const signal = AbortSignal.any([aborter.signal, session.aborter.signal]);
    try {
      const context = { ...this.#context(session, seq, `${session.id}:${seq}`, undefined), signal };
      const result = await handler(input, context);
      // Nobody waits for the answer to what was cancelled.
      if (aborter.signal.aborted) return;
      const issues = output && validate(output, result).issues;
      if (issues)
        throw new TypeError(`the reply to '${method}' does not fit the contract: ${describeIssues(issues)}`);
      session.post([Type.RES, seq, result]);
    } catch (error) {
      if (!signal.aborted) this.#refuse(session, seq, method, error);
    } finally {
      running.delete(seq);
    }
  }

  #join(session: Session, seq: number, payload: unknown): void | PromiseLike<void> {
    const request = parseJoinRequest(payload);
    const { room } = request;
    const { join = false, presence = false } = this.#rules.for(room);
    const isNew = !session.rooms.has(room);
    if (isNew && session.rooms.size >= this.#maxRooms) throw new RejectError('too-many-rooms');
    const enter = (): void => {
      if (session.live) this.#hub.join(session, seq, request, presence);
    };
    const allowed = demand(typeof join === 'function' ? join(session.door, room) : join, 'join-not-allowed');
    return isPromiseLike(allowed) ? allowed.then(enter) : enter();
  }

  #leave(session: Session, seq: number, payload: unknown): void {
    const { room } = parseLeaveRequest(payload);
    this.#hub.leave(session, room, this.#rules.for(room).presence ?? false);
    session.post([Type.RES, seq, undefined]);
  }

  #refuse(session: Session, seq: number, name: string, error: unknown): void {
    if (error instanceof FrameError) throw error;
    if (error instanceof Refusal) {
      return session.post([Type.ERR, seq, error.code, error.message.slice(0, MAX_REASON), error.issues]);
    }
    if (isRejectError(error)) {
      try {
        return session.post([Type.ERR, seq, 'ERR_REJECTED', error.reason.slice(0, MAX_REASON), error.data]);
      } catch {
        // Its data cannot be encoded: it is refused without them, and that is reported below.
      }
    }
    this.#report(error, { name, sessionId: session.id });
    session.post([Type.ERR, seq, 'ERR_HANDLER_FAILED', 'see the log of the server', undefined]);
  }

  #context(session: Session, seq: number, id: string, room: string | undefined): ServerContext {
    return {
      id,
      at: Math.floor(this.#ports.clock.now()),
      seq,
      room,
      from: session.user.id,
      session: session.door,
      signal: session.aborter.signal,
    };
  }
}

/** The protocol's own refusals; the application's are `RejectError`. */
class Refusal extends Error {
  readonly code: 'ERR_NO_HANDLER' | 'ERR_INVALID_PAYLOAD';
  readonly issues: readonly SchemaIssue[] | undefined;

  constructor(code: Refusal['code'], message: string, issues?: readonly SchemaIssue[]) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
}

/** The payload as the handler gets it. */
function check(schema: Schema | undefined, payload: unknown): unknown {
  if (!schema) return payload;
  const result = validate(schema, payload);
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => ({
    message,
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)),
  }));
  throw new Refusal('ERR_INVALID_PAYLOAD', describeIssues(result.issues), issues);
}

/** Throws a `RejectError`, now or later, unless a rule said yes. */
function demand(allowed: unknown, reason: string): void | PromiseLike<void> {
  if (isPromiseLike(allowed)) return allowed.then((later) => demand(later, reason) as undefined);
  if (allowed !== true) throw new RejectError(reason);
}
