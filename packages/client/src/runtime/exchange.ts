import {
  type Control,
  control,
  type DeliveryError,
  type ErrorItem,
  type Frame,
  FrameError,
  holdfastError,
  type Item,
  Link,
  type Receipt,
  type ResponseItem,
  type Sending,
  Type,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import { Outbox } from '../core/outbox.js';
import type { Message } from '../core/types.js';
import type { LostSession, OutboxState, UndeliveredMessage } from '../types.js';
import { Accepted } from './accepted.js';
import { type Defaults, type Draft, makeMessage } from './make-message.js';
import { refusal } from './refusal.js';
import type { ClientSettings } from './settings.js';

export interface ExchangeEvents {
  /** Something waits to be written. */
  wake(): void;
  /** An item came that is not about a message of ours; the next is dispatched when this returns. */
  incoming(item: Item, seq: number): void;
  undelivered(message: UndeliveredMessage, error: DeliveryError): void;
}

/** What the server knows of a session that is gone. */
export type Remains = Pick<Welcome, 'p' | 'lost'>;

interface Limits {
  readonly messages: number;
  readonly bytes: number;
  /** Largest message, bytes. */
  readonly message: number;
  /** Most requests without an answer. */
  readonly requests: number;
}

const SESSION_LOST = 'the session ended before this was acknowledged: it may have been handled or not';

/** What a frame adds to its items: two numbers, brackets and commas. */
const FRAME_OVERHEAD = 64;

/**
 * The messages of a session, both ways: what the application sends goes through the outbox and the link into
 * frames; what comes in frames goes through the link to the dispatcher. Every message ends here, in one way.
 */
export class Exchange {
  readonly #defaults: Defaults;
  readonly #events: ExchangeEvents;
  readonly #outbox: Outbox;
  readonly #overflow: ClientSettings['outbox']['overflow'];
  #link: Link<Message | Control>;
  #controls: Control[] = [];
  /** Accepted from the application and not yet settled. */
  readonly #open = new Set<Message>();
  /** Requests on the wire, by their number. */
  readonly #asked = new Map<number, Message>();
  readonly #accepted = new Accepted();
  #limits: Limits;
  /** No message times out or expires before. */
  #nextDeadline = Infinity;
  #outboxState: OutboxState = { messages: 0, bytes: 0, inflight: 0 };

  constructor(defaults: Defaults, bounds: ClientSettings['outbox'], events: ExchangeEvents) {
    this.#defaults = defaults;
    this.#events = events;
    this.#outbox = new Outbox(bounds);
    this.#link = new Link(defaults.codec);
    this.#overflow = bounds.overflow;
    this.#limits = { messages: 1, bytes: bounds.maxBytes, message: bounds.maxBytes, requests: Infinity };
  }

  /** A snapshot; the same object as long as nothing has changed. */
  get outbox(): OutboxState {
    const { messages, bytes } = this.#outbox;
    const inflight = this.#link.inflight.length;
    const old = this.#outboxState;
    if (messages !== old.messages || bytes !== old.bytes || inflight !== old.inflight) {
      this.#outboxState = Object.freeze({ messages, bytes, inflight });
    }
    return this.#outboxState;
  }

  /** True while a message is not settled. */
  get busy(): boolean {
    return this.#open.size > 0;
  }

  /** When the oldest unacknowledged message was written. */
  get awaitingSince(): number | undefined {
    return this.#link.inflight[0]?.writtenAt;
  }

  /** When `tick` has something to do: a message times out or, while one can write, an ack is due. */
  deadlineAt(canWrite: boolean): number {
    return Math.min(this.#nextDeadline, canWrite ? this.#link.ackDueAt : Infinity);
  }

  /**
   * From the application into the outbox; `first`: before all that waits. The protocol's own requests are few and
   * not bound by the outbox.
   */
  submit(draft: Draft, first = false): Sending<unknown> {
    const { message, deferred, error } = makeMessage(draft, this.#defaults);
    const { id, event, bytes } = message;
    const { signal } = draft.options ?? {};
    this.#open.add(message);
    if (signal?.aborted) {
      this.#forget(message);
      deferred.reject(signal.reason as Error);
    } else if (error) {
      this.#fail(message, error);
    } else if (draft.notJoined !== undefined) {
      const details = { delivery: 'unsent', messageId: id } as const;
      this.#fail(message, holdfastError('ERR_NOT_JOINED', draft.notJoined, details));
    } else if (bytes > this.#limits.message) {
      this.#tooBig(message);
    } else if (this.#isFull(message)) {
      const { messages, bytes } = this.#outbox;
      const text = `'${event}' not taken: ${messages} messages (${bytes} bytes) and ${this.#asked.size} requests wait`;
      this.#fail(message, holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId: id }));
    } else {
      if (first) this.#outbox.pushFirst([message]);
      else this.#outbox.push(message);
      this.#nextDeadline = Math.min(this.#nextDeadline, message.expiresAt, message.deadlineAt);
      if (signal) this.#abortWith(signal, message, deferred.sending);
      this.#events.wake();
    }
    return deferred.sending;
  }

  /** Writes something of the protocol's own, before what the application waits for. */
  control(item: Item): void {
    this.#controls.push(control(this.#defaults.codec, item));
    this.#events.wake();
  }

  /** What a HELLO says of this end: the highest number dispatched, the highest ack seen. */
  get position(): { readonly received: number; readonly acked: number } {
    return { received: this.#link.accepted, acked: this.#link.acknowledged };
  }

  /** A session stands: what waits may go out, within these limits. */
  begin({ w: [messages, bytes], m, o: requests }: Welcome): void {
    this.#limits = { messages, bytes, message: m - FRAME_OVERHEAD, requests };
    for (const message of this.#open) {
      if (message.writtenAt === undefined && message.bytes > this.#limits.message) this.#tooBig(message);
    }
  }

  /**
   * The session goes on, on a new connection, and the server has everything up to `accepted`: what it lacks, to be
   * written before anything else. Nothing is settled by that: a refusal may be among what the server writes again.
   * `told`: what our HELLO has said to be received.
   * Throws a `FrameError` if that cannot be.
   */
  resume(accepted: number, now: number, told: number): WireData[] {
    return this.#link.replay(accepted, now, this.#limits.message, told);
  }

  /**
   * A session has ended without us. Of what was on the wire, the server may know that it was handled or refused; the
   * rest is unknown, also what was acknowledged and is not known to have been handled. What waits goes on waiting.
   */
  lose(sessionId: string, { p: [low, above] = [0, []], lost = [] }: Remains = {}): LostSession {
    for (const item of lost) this.#refused(item);
    this.#accepted.handled(low, above);
    const unknown = this.#accepted.drain();
    let handled = 0;
    for (const message of this.#open) {
      const written = message.writtenAt !== undefined;
      // Joins and the like belong to their session; the next one begins with its own.
      if (!written && !message.event.startsWith('$')) continue;
      if (written && message.kind === 'event' && (message.seq <= low || above.includes(message.seq))) {
        handled++;
        this.#succeed(message, { id: message.id, outcome: 'acknowledged' } satisfies Receipt);
        continue;
      }
      if (message.kind === 'event') unknown.push(message);
      const details = { delivery: 'unknown', messageId: message.id } as const;
      this.#fail(message, holdfastError('ERR_SESSION_LOST', SESSION_LOST, details));
    }
    this.#link = new Link(this.#defaults.codec);
    this.#controls = [];
    this.#asked.clear();
    return { sessionId, handled, unknown: unknown.map(publicPart) };
  }

  /** Somebody else uses this client now: what waits was said by `userId` and is not sent in another's name. */
  disown(userId: string): void {
    for (const message of this.#open) {
      const text = `'${message.event}' waited for the user '${userId}', who has been replaced by another`;
      this.#fail(message, holdfastError('ERR_CLOSED', text, { delivery: 'unsent', messageId: message.id }));
    }
  }

  /** The last word: what waits is not sent any more. */
  farewell(item: Item, now: number): WireData[] {
    return this.#link.frames([control(this.#defaults.codec, item)], now);
  }

  /** The connection is gone: pings and the like interest nobody any more. */
  detach(): void {
    this.#controls = this.#controls.filter(({ numbers }) => numbers > 0);
  }

  /** Nothing more will come or go. */
  end(): void {
    for (const message of this.#open) {
      const delivery = message.writtenAt === undefined ? 'unsent' : 'unknown';
      const text = `'${message.event}' was not acknowledged before the client was closed`;
      this.#fail(message, holdfastError('ERR_CLOSED', text, { delivery, messageId: message.id }));
    }
    this.#controls = [];
    this.#nextDeadline = Infinity;
  }

  /** All that may be written now, as frames. */
  frames(now: number): WireData[] {
    const { messages, bytes, requests, message } = this.#limits;
    const { inflight, inflightBytes } = this.#link;
    const free = messages - inflight.length;
    const alone = inflight.length === 0;
    const taken = this.#outbox.take(free, bytes - inflightBytes, requests - this.#asked.size, alone);
    const entries = [...this.#controls, ...taken];
    this.#controls = [];
    const frames = this.#link.frames(entries, now, message);
    for (const entry of entries) if (entry.kind === 'request') this.#asked.set(entry.seq, entry);
    return frames;
  }

  /** Takes a frame in. Throws a `FrameError` if the other end breaks the protocol. */
  receive(frame: Frame, bytes: number): void {
    for (const incoming of this.#link.take(frame, bytes)) {
      this.#dispatch(incoming.item, incoming.seq);
      if (incoming.seq > 0) this.#link.accept(incoming);
    }
    for (const entry of this.#link.acknowledge(frame.ack)) {
      if (entry.kind !== 'event' || !this.#open.has(entry)) continue;
      this.#accepted.add(entry);
      this.#succeed(entry, { id: entry.id, outcome: 'acknowledged' } satisfies Receipt);
    }
    // Only now: what is handled is told in the very frame that acknowledges it, as a rule.
    for (const item of frame.items) if (item[0] === Type.DONE) this.#accepted.handled(item[1], item[2]);
    if (this.#link.ackDueAt < Infinity || this.#outbox.messages > 0) this.#events.wake();
  }

  /** Ends what has waited too long. */
  tick(now: number): void {
    if (now >= this.#link.ackDueAt) this.#events.wake();
    if (now < this.#nextDeadline) return;
    this.#nextDeadline = Infinity;
    for (const message of this.#open) {
      const { id: messageId, event, writtenAt, expiresAt, deadlineAt } = message;
      if (now >= deadlineAt) {
        const delivery = writtenAt === undefined ? 'unsent' : 'unknown';
        this.#giveUp(message);
        this.#fail(message, holdfastError('ERR_TIMEOUT', `no answer to '${event}'`, { delivery, messageId }));
      } else if (writtenAt === undefined && now >= expiresAt) {
        const text = `'${event}' was not written within its time to live`;
        this.#fail(message, holdfastError('ERR_EXPIRED', text, { delivery: 'unsent', messageId }));
      } else {
        this.#nextDeadline = Math.min(
          this.#nextDeadline,
          deadlineAt,
          writtenAt === undefined ? expiresAt : Infinity,
        );
      }
    }
  }

  #dispatch(item: Item, seq: number): void {
    switch (item[0]) {
      case Type.RES:
        return this.#answered(item);
      case Type.ERR:
        return this.#refused(item);
      case Type.REQ:
        return this.control([Type.ERR, seq, 'ERR_NO_HANDLER', `nobody here answers '${item[1]}'`, undefined]);
      case Type.EVT:
      case Type.PUB:
      case Type.GAP:
      case Type.SYNC:
        return this.#events.incoming(item, seq);
      case Type.PING:
      case Type.PONG:
      case Type.BYE:
      case Type.CREDIT:
      case Type.CANCEL:
      case Type.DONE:
      case Type.AUTH:
      case Type.GOAWAY:
        return this.#told(item);
      default:
        throw new FrameError(`an item of type ${item[0]} has no place here, or was not negotiated`);
    }
  }

  #told(item: Item): void {
    if (item[0] === Type.CREDIT) this.#limits = { ...this.#limits, messages: item[1], bytes: item[2] };
  }

  #answered([, seq, result]: ResponseItem): void {
    const message = this.#asked.get(seq);
    if (message) this.#succeed(message, result);
  }

  #refused(item: ErrorItem): void {
    const message = this.#asked.get(item[1]) ?? this.#link.inflight.find(({ seq }) => seq === item[1]);
    if (message && message.kind !== 'control') return this.#fail(message, refusal(item, message));
    // Acknowledged on an earlier connection, and then refused by a handler that had not been started yet.
    const accepted = this.#accepted.take(item[1]);
    if (accepted) this.#events.undelivered(publicPart(accepted), refusal(item, accepted));
  }

  #tooBig(message: Message): void {
    const maxBytes = this.#limits.message;
    const text = `'${message.event}' has ${message.bytes} bytes; at most ${maxBytes} are allowed`;
    this.#fail(
      message,
      holdfastError('ERR_TOO_BIG', text, { delivery: 'unsent', messageId: message.id, maxBytes }),
    );
  }

  #succeed(message: Message, value: unknown): void {
    if (this.#forget(message)) message.resolve(value);
  }

  #fail(message: Message, error: DeliveryError): void {
    if (!this.#forget(message)) return;
    message.reject(error);
    // The protocol's own requests are not the application's messages.
    if (!message.event.startsWith('$')) this.#events.undelivered(publicPart(message), error);
  }

  /** False if it was settled before. */
  #forget(message: Message): boolean {
    if (message.writtenAt === undefined) this.#outbox.remove(message);
    else this.#asked.delete(message.seq);
    return this.#open.delete(message);
  }

  #abortWith(signal: AbortSignal, message: Message, sending: Sending<unknown>): void {
    const abort = (): void => {
      this.#giveUp(message);
      if (this.#forget(message)) message.reject(signal.reason as Error);
      this.#events.wake();
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = (): void => signal.removeEventListener('abort', abort);
    sending.then(done, done);
  }

  /** Nobody waits for this any more: it is not written again, and the server need not answer it. */
  #giveUp(message: Message): void {
    if (message.writtenAt !== undefined) this.#link.abandon(message);
    if (this.#asked.has(message.seq)) this.control([Type.CANCEL, message.seq]);
  }

  /** The protocol's own requests are few and never refused: who has left a room must be out of it. */
  #isFull({ kind, event, bytes }: Message): boolean {
    if (event.startsWith('$')) return false;
    if (kind === 'request' && this.#asked.size >= this.#limits.requests) return true;
    return this.#overflow === 'reject' && !this.#outbox.hasRoomFor(bytes);
  }
}

function publicPart({ kind, id, event, payload, room, sentAt }: Message): UndeliveredMessage {
  return { kind, id, event, payload, room, sentAt };
}
