import {
  type ContractSchemas,
  describeIssues,
  type EventItem,
  encodePayload,
  FrameError,
  Handlers,
  type Item,
  isPromiseLike,
  isRejectError,
  JOIN,
  LEAVE,
  Listeners,
  MAX_REASON,
  PRESENCE,
  parseJoinRequest,
  parseLeaveRequest,
  parsePresenceRequest,
  type RequestItem,
  Type,
  type VolatileItem,
  validate,
  type WireMeta,
} from '@holdfast/protocol';
import type { Aborter } from '../aborter.js';
import { after } from '../answer.js';
import type { Checked } from '../inflow.js';
import type { Observed } from '../observe/observer.js';
import type { ServerPorts } from '../ports/ports.js';
import type { Answer, ClaimedItem, Reply } from '../ports/store.js';
import { type Hold, type Outcome, replyOf } from '../runner.js';
import type { Session } from '../session.js';
import type { StreamSource } from '../streams.js';
import type { ServerContext } from '../types.js';
import { HandlerContext, type Running } from './handler-context.js';
import type { Handler, StreamHandler } from './handlers.js';
import type { Hub } from './hub.js';
import type { NewPublication } from './new-publication.js';
import { checkPayload, dataOf, Refusal, tooMany } from './payload.js';
import { Permits, type PermitsSurroundings } from './permits.js';

/** A message whose handler has been begun by so many servers that fell silent then is not run any more: it seems to kill them. */
const MOST_EXPIRED = 3;

type RunningRequest = Running & { readonly aborter: Aborter };

/** The protocol's own requests, each with what throws a `FrameError` unless it is as the protocol says. */
const PROTOCOL_REQUESTS = new Map<string, (payload: unknown) => unknown>([
  [JOIN, parseJoinRequest],
  [LEAVE, parseLeaveRequest],
  [PRESENCE, parsePresenceRequest],
]);

type EventListener = (payload: unknown, context: ServerContext) => unknown;
/** Tells the application of a failure in its own code. */
export type Report = (error: unknown, where: { name: string; sessionId?: string }) => void;

/** What a router needs of its server. */
export interface RouterSurroundings
  extends Pick<PermitsSurroundings, 'scopes' | 'middleware' | 'rules' | 'maxRooms'> {
  readonly ports: Pick<ServerPorts, 'clock'>;
  readonly hub: Hub;
  /** Handlers of one session at once. */
  readonly concurrency: number;
  readonly observe: Observed;
  report: Report;
}

/** The way of what clients say: checked against contract and rules, accepted or refused, then handled. */
export class Router {
  readonly listeners: Listeners;
  readonly handlers: Handlers<Handler>;
  readonly streamers: Handlers<StreamHandler>;
  readonly #around: RouterSurroundings;
  readonly #permits: Permits;
  /** How many volatile events of a session are being handled. */
  readonly #hearing = new Map<Session, number>();

  constructor(around: RouterSurroundings) {
    this.#around = around;
    this.listeners = new Listeners((error, name) => around.report(error, { name }));
    this.handlers = new Handlers('requests');
    this.streamers = new Handlers('streams', 'handleStream');
    const { listeners, handlers, streamers } = this;
    this.#permits = new Permits({ ...around, listeners, handlers, streamers });
  }

  /**
   * Whether an item may come in: said at once, except where a rule takes its time; `retryAfterMs`: no, there are too many.
   * What is refused here is never handled. Throws a `FrameError` for what breaks the protocol.
   */
  check(session: Session, seq: number, item: Item, retryAfterMs?: number): Answer<Checked> {
    switch (item[0]) {
      case Type.EVT:
      case Type.REQ:
        this.#around.observe.messages('in', 1);
        // Here a `FrameError` ends the connection; below, where the application may throw one, it is a failure as any other.
        if (item[0] === Type.REQ) PROTOCOL_REQUESTS.get(item[1])?.(dataOf(session, item));
        return this.#checked(session, seq, item, retryAfterMs);
      case Type.CANCEL:
        session.cancel(item[1]);
        return {};
      // An answer was told when it came; or the client has given up what would have stood here.
      case Type.RES:
      case Type.ERR:
      case Type.GAP:
        return {};
      default:
        throw new FrameError(`a client may not send items of type ${item[0]} here`);
    }
  }

  /** Runs what was accepted. Never throws: what fails is an outcome. */
  run(session: Session, claimed: ClaimedItem, aborter: Aborter, hold: Hold): Answer<Outcome> {
    const { seq, item, redelivered, expired } = claimed;
    const [, name] = item as EventItem | RequestItem;
    if (expired >= MOST_EXPIRED) {
      const text = `'${name}' is set aside: ${expired} times its handler was begun and its server not heard of any more`;
      return { reply: this.#refusal(session, seq, name, new Error(text)) };
    }
    const running = { seq, redelivered, aborter, begun: this.#around.ports.clock.now() };
    try {
      const outcome =
        item[0] === Type.EVT
          ? this.#event(session, item, running, hold)
          : this.#request(session, item as RequestItem, running);
      if (!isPromiseLike(outcome)) return this.#observed(session, item, running, outcome);
      return outcome.then(
        (later) => this.#observed(session, item, running, later),
        (error: unknown) => this.#failed(session, item, running, error),
      );
    } catch (error) {
      return this.#failed(session, item, running, error);
    }
  }

  #failed(session: Session, item: Item, running: RunningRequest, error: unknown): Outcome {
    const { seq, aborter } = running;
    // Nobody waits for the answer to what was cancelled.
    const isGivenUp = item[0] === Type.REQ && aborter.aborted;
    if (isGivenUp) return this.#observed(session, item, running, {});
    return this.#observed(session, item, running, {
      reply: this.#refusal(session, seq, String(item[1]), error),
    });
  }

  /** Names of what nobody handles come from clients: there may be any number of them. */
  #observed(session: Session, item: Item, { begun }: Running, outcome: Outcome): Outcome {
    const [type, name, , meta] = item as EventItem | RequestItem;
    if (meta?.q) return outcome;
    const isOurs = type === Type.REQ && PROTOCOL_REQUESTS.has(name);
    if (!isOurs && !(type === Type.EVT ? this.listeners : this.handlers).has(name)) return outcome;
    const { observe, ports } = this.#around;
    observe.handled({
      sessionId: session.id,
      kind: type === Type.EVT ? 'event' : 'request',
      name,
      ms: ports.clock.now() - begun,
      code: outcome.reply?.refusal?.[2],
    });
    return outcome;
  }

  /**
   * A volatile event: heard and passed on at once, or not at all. Nobody is told of a refusal, and from who says more of
   * them than can be heard, some are not.
   */
  hear(session: Session, item: VolatileItem): void {
    const { concurrency, observe } = this.#around;
    const hearing = this.#hearing.get(session) ?? 0;
    observe.messages('in', 1);
    if (hearing >= concurrency) {
      return observe.dropped({ sessionId: session.id, reason: 'volatile', messages: 1 });
    }
    const over = (): void => {
      const left = (this.#hearing.get(session) ?? 1) - 1;
      if (left > 0) this.#hearing.set(session, left);
      else this.#hearing.delete(session);
    };
    // The refusal is sent to nobody; but to make it reports what was not meant to fail.
    const failed = (error: unknown): void => void this.#refusal(session, 0, item[1], error);
    try {
      const heard = after(this.#permits.maySend(session, item), () => this.#heard(session, item));
      if (!isPromiseLike(heard)) return;
      this.#hearing.set(session, hearing + 1);
      Promise.resolve(heard).catch(failed).then(over, over);
    } catch (error) {
      failed(error);
    }
  }

  #heard(session: Session, item: VolatileItem): Answer<unknown> {
    const [, name, , { i: id = '', r: room, c } = {}] = item;
    const begun = this.#around.ports.clock.now();
    const running = { seq: 0, redelivered: false, aborter: session.aborter, begun };
    const context = new HandlerContext(session, running, name, { i: id, r: room, c });
    const working = this.#callListeners(name, this.#permits.payloadOf(session, item), context);
    const payload = dataOf(session, item);
    const from = session.user.id;
    const except = new Set([session.id]);
    const publication = { name, payload, id, from, except, traceparent: context.traceparent };
    const told = room === undefined ? 0 : this.#around.hub.cast(room, publication);
    return working.length === 0 ? told : Promise.all([told, ...working]);
  }

  /** The item, or why it is refused. */
  #checked(
    session: Session,
    seq: number,
    item: EventItem | RequestItem,
    retryAfterMs: number | undefined,
  ): Answer<Checked> {
    const refused = (error: unknown): Checked => ({ refusal: this.#refusal(session, seq, item[1], error) });
    try {
      if (retryAfterMs !== undefined) throw tooMany(retryAfterMs);
      const allowed =
        item[0] === Type.EVT ? this.#permits.maySend(session, item) : this.#permits.mayAsk(session, item);
      return isPromiseLike(allowed) ? allowed.then(() => ({ item }), refused) : { item };
    } catch (error) {
      return refused(error);
    }
  }

  /**
   * Starts the listeners of an event and, if it is for a room, publishes it. A `RejectError` thrown at once refuses
   * it; everything else that a listener throws is reported.
   */
  #event(session: Session, item: EventItem, running: Running, hold: Hold): Answer<Outcome> {
    const [, event, , meta = {}] = item;
    const { i: id = '', r: room, s: sentAt } = meta;
    const context = new HandlerContext(session, running, event, meta);
    const working = this.#callListeners(event, this.#permits.payloadOf(session, item), context);
    const published =
      room === undefined
        ? 0
        : this.#publish(session, room, {
            name: event,
            payload: dataOf(session, item),
            id,
            from: session.user.id,
            sentAt,
            traceparent: context.traceparent,
            except: new Set([session.id]),
            message: `${session.id} ${running.seq}`,
          });
    if (working.length === 0 && !isPromiseLike(published)) return {};
    // A room hears what one member says in the order in which that was said, also if the next is published elsewhere.
    if (isPromiseLike(published)) hold(working.length > 0 ? published : undefined);
    return Promise.all([published, ...working]).then(() => ({}));
  }

  /** Its sender may have been told already that it is accepted: a failure from then on is told to the application. */
  #publish(session: Session, room: string, publication: NewPublication): Answer<unknown> {
    const published = this.#around.hub.publish(room, publication);
    if (!isPromiseLike(published)) return published;
    const where = { name: publication.name, sessionId: session.id };
    return published.then(undefined, (error: unknown) => this.#around.report(error, where));
  }

  /** Returns what still runs. Throws the first `RejectError` that a listener has thrown at once, when all have been called. */
  #callListeners(event: string, payload: unknown, context: ServerContext): Promise<void>[] {
    const working: Promise<void>[] = [];
    let refusal: unknown;
    const report = (error: unknown): void =>
      this.#around.report(error, { name: event, sessionId: context.session.id });
    for (const listener of this.listeners.of(event) as readonly EventListener[]) {
      try {
        const result = listener(payload, context);
        if (isPromiseLike(result)) working.push(Promise.resolve(result).then(() => undefined, report));
      } catch (error) {
        if (isRejectError(error)) refusal ??= error;
        else report(error);
      }
    }
    if (refusal) throw refusal;
    return working;
  }

  #request(session: Session, item: RequestItem, running: RunningRequest): Answer<Outcome> {
    const { hub } = this.#around;
    const [, method, , meta] = item;
    const payload = dataOf(session, item);
    const { seq } = running;
    if (meta?.q) return this.#stream(session, running, { method, payload, meta });
    if (method === JOIN) return hub.join(session, seq, parseJoinRequest(payload));
    if (method === LEAVE) return hub.leave(session, seq, parseLeaveRequest(payload).room);
    if (method === PRESENCE) return hub.setPresence(session, seq, parsePresenceRequest(payload));
    const handler = this.handlers.get(method);
    if (!handler) throw new Refusal('ERR_NO_HANDLER', 'no such request');
    const entry = this.#schemasOf(method)?.requests.get(method);
    const context = new HandlerContext(session, running, method, {
      i: `${session.id}:${seq}`,
      c: meta?.c,
    });
    return after(handler(checkPayload(entry?.input, payload), context) as Answer<unknown>, (result) => {
      if (running.aborter.aborted) return {};
      const issues = entry && validate(entry.output, result).issues;
      if (issues)
        throw new TypeError(`the reply to '${method}' does not fit the contract: ${describeIssues(issues)}`);
      const data = encodePayload(session.codec, result, { kind: 'reply', name: method, from: 'server' });
      return { reply: replyOf(session.codec, [Type.RES, seq, data]) };
    });
  }

  /** Its request has been handled when it begins: who runs it again would yield it again. */
  #stream(
    session: Session,
    running: Running,
    { method, payload, meta: { q: credit = 0, c } }: { method: string; payload: unknown; meta: WireMeta },
  ): Outcome {
    const { codec } = session;
    const { seq } = running;
    const { handler, input } = this.#permits.streamer(method, payload);
    const schema = this.#schemasOf(method)?.streams.get(method)?.output;
    const stream = session.streams.begin(seq, credit);
    const id = `${session.id}:${seq}`;
    const source: StreamSource = {
      open: (signal) =>
        handler(
          input,
          new HandlerContext(session, { ...running, aborter: { signal } }, method, { i: id, c }),
        ),
      encode: (item) => {
        const issues = schema && validate(schema, item).issues;
        if (issues)
          throw new TypeError(`an item of '${method}' does not fit the contract: ${describeIssues(issues)}`);
        const data = encodePayload(codec, item, { kind: 'item', name: method, from: 'server' });
        return codec.encode([Type.STREAM_ITEM, seq, data]);
      },
      refusal: (error) => this.#refusal(session, seq, method, error, Type.STREAM_END).data,
    };
    return {
      afterwards: (status) => {
        // Of a session that has ended, nobody would tell its handler to stop.
        if (status === 'ok' && !session.ended) void stream.run(source);
        else session.streams.lose(seq);
      },
    };
  }

  #refusal(
    session: Session,
    seq: number,
    name: string,
    error: unknown,
    type: typeof Type.ERR | typeof Type.STREAM_END = Type.ERR,
  ): Reply {
    const reply = (code: string, text: string, data: unknown): Reply => {
      const encoded = replyOf(session.codec, [type, seq, code, text.slice(0, MAX_REASON), data]);
      this.#around.observe.rejected({ sessionId: session.id, name, code });
      return encoded;
    };
    if (error instanceof Refusal) return reply(error.code, error.message, error.data);
    if (isRejectError(error)) {
      try {
        return reply('ERR_REJECTED', error.reason, error.data);
      } catch {
        // Its data cannot be encoded: it is refused without them, and that is reported below.
      }
    }
    this.#around.report(error, { name, sessionId: session.id });
    return reply('ERR_HANDLER_FAILED', 'see the log of the server', undefined);
  }

  #schemasOf(name: string): ContractSchemas | undefined {
    return this.#around.scopes.of(name)?.schemas;
  }
}
