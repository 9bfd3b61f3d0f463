import {
  type Codec,
  type Control,
  control,
  Deferred,
  type DeliveryError,
  type DeliveryFate,
  EndOfTask,
  type ErrorItem,
  type Frame,
  holdfastError,
  type Item,
  Link,
  messageOf,
  type Outgoing,
  refusal,
  sizeOf,
  Type,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import { limitsOf } from '../runtime/limits.js';
import { publicPart } from '../runtime/untaken.js';
import type { LostSession, UndeliveredMessage } from '../types.js';
import { atLeast, checkName } from './checks.js';
import type { LiteMessageOptions } from './types.js';

const REQUEST_TIMEOUT_MS = 30_000;
/** Of a server that never says what it has handled, only the newest are remembered. */
const MAX_ACCEPTED = 1_000;

/** Whom to tell how a message ended. */
export type Outcome = Pick<Deferred<unknown>, 'resolve' | 'reject'>;
/** What is said, before it is a message. */
export type Said = Pick<UndeliveredMessage, 'kind' | 'event' | 'payload' | 'room'>;

interface Message extends Outgoing, UndeliveredMessage {
  encoded: WireData;
  bytes: number;
  readonly deadlineAt: number;
  readonly outcome: Outcome;
  /** The protocol's own, which no bound holds back. */
  readonly isOwn: boolean;
}

/** The session, as its messages see it. */
interface Around {
  readonly ports: ClientPorts;
  readonly codec: Codec;
  readonly isUp: boolean;
  readonly connection: { arm(): void; send(frame: WireData): void };
  incoming(item: Item, seq: number): void;
  tell(name: string, ...values: unknown[]): boolean;
}

/** The messages of a session: from `send` or `request` through the outbox and the link to the one outcome, and what comes. */
export class Messages {
  readonly #session: Around;
  readonly #maxMessages: number;
  readonly #endOfTask: EndOfTask;
  #link: Link<Message | Control>;
  /** Not yet settled, in the order in which they were said. */
  readonly #open = new Set<Message>();
  /** Of these, what is not yet on the wire, in order. */
  #outbox: Message[] = [];
  /** Requests on the wire, by number. */
  readonly #asked = new Map<number, Message>();
  /** Events that were acknowledged and are not known to have been handled, by number. */
  readonly #accepted = new Map<number, Message>();
  /** The protocol's own, before what the application waits for. */
  #controls: Control[] = [];
  #limits = limitsOf({ w: [0, 0], o: Infinity, m: Infinity });
  /** No message times out before. */
  #nextDeadline = Infinity;

  constructor(session: Around, maxMessages: number) {
    this.#session = session;
    this.#maxMessages = maxMessages;
    this.#link = new Link(session.codec);
    this.#endOfTask = new EndOfTask(session.ports.clock, { flush: () => this.#flush() });
  }

  /** For the HELLO: the highest number dispatched, the highest ack seen. */
  get position(): { readonly x: number; readonly y: number } {
    return { x: this.#link.accepted, y: this.#link.acknowledged };
  }

  /** When the oldest unacknowledged message was written. */
  get awaitingSince(): number {
    return this.#link.oldest?.writtenAt ?? Infinity;
  }

  /** When `tick` has something to do. */
  get deadlineAt(): number {
    // What is about to be written takes an ack along.
    const canWrite = this.#session.isUp && this.#endOfTask.asked === 0;
    return Math.min(this.#nextDeadline, canWrite ? this.#link.ackDueAt : Infinity);
  }

  /** Into the outbox. With an `outcome` it is the protocol's own; `first`: before all that waits. */
  say(what: Said, options: LiteMessageOptions = {}, outcome?: Outcome, first = false): Deferred<unknown> {
    const deferred = new Deferred<unknown>(
      options.id === undefined ? this.#session.ports.random.id() : checkName(options.id),
    );
    const message = this.#made(what, options, deferred, outcome);
    const { kind, deadlineAt, isOwn } = message;
    this.#open.add(message);
    const isFull = this.#outbox.length >= this.#maxMessages;
    if (!this.#encode(message)) return deferred;
    if (!isOwn && (isFull || (kind === 'request' && this.#asked.size >= this.#limits.requests))) {
      this.#fail(message, 'ERR_OUTBOX_FULL', 'unsent', 'too many wait already');
    } else if (message.bytes > this.#limits.message) this.#tooBig(message);
    else {
      if (first) this.#outbox.unshift(message);
      else this.#outbox.push(message);
      this.#nextDeadline = Math.min(this.#nextDeadline, deadlineAt);
      this.#endOfTask.ask();
    }
    return deferred;
  }

  /** Writes something of the protocol's own. */
  control(item: Item): void {
    const entry = control(this.#session.codec, item);
    if (entry.bytes > this.#limits.message) throw new TypeError('more than the server takes');
    this.#controls.push(entry);
    this.#endOfTask.ask();
  }

  /** An item in a frame of its own, which says nothing else. */
  sendAlone(item: Item): void {
    const { codec } = this.#session;
    this.#send([codec.frame(0, 0, [codec.encode(item)])]);
  }

  /** The last word. */
  farewell(): void {
    const bye: Item = [Type.BYE, 'closed', ''];
    if (this.#session.isUp) this.#send(this.#link.frames([control(this.#session.codec, bye)], this.#now));
    else this.sendAlone(bye);
  }

  /** A session stands: what waits may go out, within these limits. */
  begin(welcome: Welcome): void {
    this.#limits = limitsOf(welcome);
    for (const message of [...this.#outbox]) if (message.bytes > this.#limits.message) this.#tooBig(message);
    this.#endOfTask.ask();
  }

  /** What a server that goes on with the session lacks. Throws a `FrameError` if it has lost what it acknowledged. */
  missing({ x = 0 }: Welcome): readonly WireData[] {
    return this.#link.replay(x, this.#now, this.#limits.message);
  }

  /** The connection is gone: pings and the like interest nobody any more. */
  detach(): void {
    this.#controls = this.#controls.filter(({ numbers }) => numbers > 0);
  }

  /** Takes a frame in. Throws a `FrameError` if the server breaks the protocol. */
  receive(frame: Frame, bytes: number): void {
    const link = this.#link;
    for (const incoming of link.take(frame, bytes)) {
      this.#dispatch(incoming.item, incoming.seq);
      if (incoming.seq > 0) link.accept(incoming);
      // A listener may have ended it all.
      if (!this.#session.isUp) return;
    }
    for (const message of link.acknowledge(frame.ack)) {
      if (message.kind !== 'event' || !this.#open.has(message)) continue;
      this.#succeed(message, { id: message.id, outcome: 'acknowledged' });
      this.#accepted.set(message.seq, message);
      if (this.#accepted.size <= MAX_ACCEPTED) continue;
      const [oldest = 0] = this.#accepted.keys();
      this.#accepted.delete(oldest);
    }
    // Only now: what is handled is told in the very frame that acknowledges it, as a rule.
    for (const item of frame.items) if (item[0] === Type.DONE) this.#handled(item[1], item[2]);
    if (link.ackDueAt < Infinity || this.#outbox.length > 0) this.#endOfTask.ask();
  }

  /** Ends what has waited too long, and writes the ack that is due. */
  tick(now: number): void {
    if (now >= this.#link.ackDueAt) this.#endOfTask.ask();
    if (now < this.#nextDeadline) return;
    this.#nextDeadline = Infinity;
    for (const message of this.#open) {
      const { kind, seq, deadlineAt } = message;
      if (now < deadlineAt) {
        this.#nextDeadline = Math.min(this.#nextDeadline, deadlineAt);
        continue;
      }
      const fate = fateOf(message);
      // Never written again; and the server need not go on.
      if (fate === 'unknown') this.#link.abandon(message);
      if (fate === 'unknown' && kind === 'request') this.control([Type.CANCEL, seq]);
      this.#fail(message, 'ERR_TIMEOUT', fate, 'no answer in time');
    }
  }

  /**
   * A session has ended without us. Of what was on the wire, the server may know that it was handled or refused; the rest
   * is unknown, also what was acknowledged. What waits goes on waiting.
   */
  lose(sessionId: string, { p: [low, above] = [0, []], lost = [] }: Partial<Welcome>): LostSession {
    for (const item of lost) this.#refused(item);
    this.#handled(low, above);
    const unknown = [...this.#accepted.values()].map(publicPart);
    this.#accepted.clear();
    let handled = 0;
    for (const message of this.#open) {
      const { kind, id, event, seq, isOwn } = message;
      const isHandled = seq > 0 && (seq <= low || above.includes(seq));
      if (kind === 'event' && isHandled) {
        handled++;
        this.#succeed(message, { id, outcome: 'acknowledged' });
      } else if (seq > 0 || isOwn) {
        // Joins and the like belong to their session; the next one begins with its own.
        if (kind === 'event') unknown.push(publicPart(message));
        this.#fail(message, 'ERR_SESSION_LOST', 'unknown', `its session is lost, nobody knows of '${event}'`);
      }
    }
    this.#asked.clear();
    this.#controls = [];
    this.#link = new Link(this.#session.codec);
    return { sessionId, handled, unknown };
  }

  /** Nothing of this goes out any more. */
  end(why: string): void {
    // Else a timer for what has ended keeps a process for up to as long as a request may take.
    this.#nextDeadline = Infinity;
    // What a listener says instead is another matter.
    for (const message of [...this.#open]) this.#fail(message, 'ERR_CLOSED', fateOf(message), why);
  }

  get #now(): number {
    return this.#session.ports.clock.now();
  }

  #made(
    { kind, event, payload, room }: Said,
    options: LiteMessageOptions,
    deferred: Deferred<unknown>,
    outcome: Outcome | undefined,
  ): Message {
    const isOwn = outcome !== undefined;
    const isEvent = kind === 'event';
    const { timeoutMs = isEvent || isOwn ? Infinity : REQUEST_TIMEOUT_MS } = options;
    const now = this.#now;
    return {
      kind,
      event,
      payload,
      room,
      id: deferred.id,
      sentAt: Math.floor(now),
      deadlineAt: now + atLeast(0, timeoutMs, 'timeoutMs'),
      outcome: outcome ?? deferred,
      isOwn,
      receipt: isEvent ? deferred : undefined,
      encoded: '',
      bytes: 0,
      numbers: 1,
      seq: 0,
      writtenAt: undefined,
    };
  }

  /** Once: what the application changes in it later changes nothing. False if it cannot be. */
  #encode(message: Message): boolean {
    const { kind, event, payload, room: r, id: i, sentAt: s } = message;
    const u = payload === undefined ? 1 : undefined;
    try {
      message.encoded = this.#session.codec.encode(
        kind === 'event'
          ? [Type.EVT, event, payload, { i, s, r, u }]
          : [Type.REQ, event, payload, u && { u }],
      );
      message.bytes = sizeOf(message.encoded);
      return true;
    } catch (cause) {
      const why = messageOf(cause);
      this.#fail(message, 'ERR_INVALID_PAYLOAD', 'unsent', why, { cause, issues: [{ message: why }] });
      return false;
    }
  }

  #tooBig(message: Message): void {
    const { message: maxBytes } = this.#limits;
    const why = `it has ${message.bytes} bytes; at most ${maxBytes} are allowed`;
    this.#fail(message, 'ERR_TOO_BIG', 'unsent', why, { maxBytes });
  }

  /** All that may be written now. */
  #flush(): void {
    if (this.#session.isUp) {
      const taken = this.#take();
      this.#send(this.#link.frames([...this.#controls.splice(0), ...taken], this.#now, this.#limits.message));
      for (const message of taken) if (message.kind === 'request') this.#asked.set(message.seq, message);
    }
    this.#session.connection.arm();
  }

  #send(frames: readonly WireData[]): void {
    for (const frame of frames) this.#session.connection.send(frame);
  }

  /** Of what waits, as much as the window lets go; with nothing unacknowledged, one message of any size. */
  #take(): Message[] {
    const { inflightMessages, inflightBytes } = this.#link;
    let free = this.#limits.bytes - inflightBytes;
    let requests = this.#limits.requests - this.#asked.size;
    let count = 0;
    for (const { kind, bytes } of this.#outbox) {
      const inflight = inflightMessages + count;
      if (inflight > 0 && (inflight >= this.#limits.messages || bytes > free)) break;
      if (kind === 'request' && requests-- <= 0) break;
      free -= bytes;
      count++;
    }
    return this.#outbox.splice(0, count);
  }

  #dispatch(item: Item, seq: number): void {
    if (item[0] === Type.RES) {
      const message = this.#asked.get(item[1]);
      if (message) this.#succeed(message, item[2]);
    } else if (item[0] === Type.ERR) this.#refused(item);
    else if (item[0] === Type.CREDIT) {
      this.#limits = { ...this.#limits, messages: item[1], bytes: item[2] };
    } else this.#session.incoming(item, seq);
  }

  #refused(item: ErrorItem): void {
    const [, seq] = item;
    const message = this.#asked.get(seq) ?? [...this.#open].find((one) => one.seq === seq);
    if (message) return this.#end(message, refusal(item, message));
    // Acknowledged on an earlier connection, and then refused by a handler that had not been started yet.
    const accepted = this.#accepted.get(seq);
    this.#accepted.delete(seq);
    if (accepted) this.#session.tell('undelivered', publicPart(accepted), refusal(item, accepted));
  }

  #handled(low: number, above: readonly number[]): void {
    for (const seq of this.#accepted.keys()) {
      if (seq <= low || above.includes(seq)) this.#accepted.delete(seq);
    }
  }

  #succeed(message: Message, value: unknown): void {
    if (this.#forget(message)) message.outcome.resolve(value);
  }

  #fail(
    message: Message,
    code: DeliveryError['code'],
    delivery: DeliveryFate,
    why: string,
    details: object = {},
  ): void {
    const said = { delivery, messageId: message.id, ...details } as never;
    this.#end(message, holdfastError(code, `'${message.event}': ${why}`, said) as DeliveryError);
  }

  #end(message: Message, error: DeliveryError): void {
    if (!this.#forget(message)) return;
    message.outcome.reject(error);
    // The protocol's own requests are not the application's messages.
    if (!message.isOwn) this.#session.tell('undelivered', publicPart(message), error);
  }

  /** False if it was settled already. */
  #forget(message: Message): boolean {
    if (message.seq === 0) this.#outbox = this.#outbox.filter((one) => one !== message);
    else if (this.#asked.get(message.seq) === message) this.#asked.delete(message.seq);
    return this.#open.delete(message);
  }
}

const fateOf = ({ writtenAt }: Message): DeliveryFate => (writtenAt === undefined ? 'unsent' : 'unknown');
