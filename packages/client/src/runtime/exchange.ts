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
import { type Defaults, type Draft, makeMessage } from './make-message.js';
import { refusal } from './refusal.js';

export interface ExchangeEvents {
  /** Something waits to be written. */
  wake(): void;
  /** An item came that is not about a message of ours; the next is dispatched when this returns. */
  incoming(item: Item, seq: number): void;
  undelivered(message: UndeliveredMessage, error: DeliveryError): void;
}

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
  #link: Link<Message | Control>;
  #controls: Control[] = [];
  /** Accepted from the application and not yet settled. */
  readonly #open = new Set<Message>();
  /** Requests on the wire, by their number. */
  readonly #asked = new Map<number, Message>();
  #limits: { readonly messages: number; readonly bytes: number; readonly message: number };
  /** No message times out or expires before. */
  #nextDeadline = Infinity;
  #outboxState: OutboxState = { messages: 0, bytes: 0, inflight: 0 };

  constructor(defaults: Defaults, bounds: { maxMessages: number; maxBytes: number }, events: ExchangeEvents) {
    this.#defaults = defaults;
    this.#events = events;
    this.#outbox = new Outbox(bounds);
    this.#link = new Link(defaults.codec);
    this.#limits = { messages: 1, bytes: bounds.maxBytes, message: bounds.maxBytes };
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
    } else if (!event.startsWith('$') && !this.#outbox.hasRoomFor(bytes)) {
      const { messages, bytes } = this.#outbox;
      const text = `'${event}' not taken: ${messages} messages with ${bytes} bytes wait in the outbox already`;
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

  /** Takes a request of the protocol back, if it is not on the wire yet. */
  withdraw(id: string): void {
    for (const message of this.#open) {
      if (message.id === id && this.#outbox.remove(message)) this.#open.delete(message);
    }
  }

  /** Writes something of the protocol's own, before what the application waits for. */
  control(item: Item): void {
    this.#controls.push(control(this.#defaults.codec, item));
    this.#events.wake();
  }

  /** A session begins: what waits may go out, within these limits. */
  begin({ w: [messages, bytes], m }: Welcome): void {
    this.#limits = { messages, bytes, message: m - FRAME_OVERHEAD };
    for (const message of this.#open) if (message.bytes > this.#limits.message) this.#tooBig(message);
  }

  /** A session has ended without us. What was on the wire is unknown; what waits goes on waiting. */
  lose(sessionId: string): LostSession {
    const unknown: UndeliveredMessage[] = [];
    const text = 'the session ended before this was acknowledged: it may have been handled or not';
    for (const message of this.#open) {
      if (message.writtenAt === undefined) continue;
      if (message.kind === 'event') unknown.push(publicPart(message));
      const details = { delivery: 'unknown', messageId: message.id } as const;
      this.#fail(message, holdfastError('ERR_SESSION_LOST', text, details));
    }
    this.#link = new Link(this.#defaults.codec);
    this.#controls = [];
    this.#asked.clear();
    return { sessionId, unknown };
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

  /**
   * The connection is gone: pings and the like interest nobody any more, and what rooms had asked for they will ask
   * anew, from where they stand then.
   */
  detach(): void {
    for (const message of this.#open) {
      if (!message.event.startsWith('$') || message.writtenAt !== undefined) continue;
      const details = { delivery: 'unknown', messageId: message.id } as const;
      this.#fail(message, holdfastError('ERR_SESSION_LOST', 'asked again in the next session', details));
    }
    this.#controls = this.#controls.filter(({ sequenced }) => sequenced);
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
    const entries = [...this.#controls, ...this.#takeFromOutbox()];
    this.#controls = [];
    const frames = this.#link.frames(entries, now, this.#limits.message);
    for (const entry of entries) if (entry.kind === 'request') this.#asked.set(entry.seq, entry);
    return frames;
  }

  /** Takes a frame in. Throws a `FrameError` if the other end breaks the protocol. */
  receive(frame: Frame): void {
    for (const { seq, item } of this.#link.take(frame)) {
      this.#dispatch(item, seq);
      this.#link.accept(seq);
    }
    for (const entry of this.#link.acknowledge(frame.ack)) {
      if (entry.kind === 'event')
        this.#succeed(entry, { id: entry.id, outcome: 'acknowledged' } satisfies Receipt);
    }
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
        this.#cancel(message);
        this.#fail(
          message,
          holdfastError('ERR_TIMEOUT', `no answer to '${event}' in time`, { delivery, messageId }),
        );
      } else if (writtenAt === undefined && now >= expiresAt) {
        const text = `'${event}' could not be written within its time to live`;
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

  #takeFromOutbox(): Message[] {
    const { messages, bytes } = this.#limits;
    const inflight = this.#link.inflight.length;
    // With nothing unacknowledged one message of any legal size may go.
    const room = inflight === 0 ? Math.max(bytes, this.#limits.message) : bytes - this.#link.inflightBytes;
    return this.#outbox.take(messages - inflight, room);
  }

  #dispatch(item: Item, seq: number): void {
    switch (item[0]) {
      case Type.RES:
        return this.#answered(item);
      case Type.ERR:
        return this.#refused(item);
      case Type.REQ:
        return this.control([
          Type.ERR,
          seq,
          'ERR_NO_HANDLER',
          `this client does not answer '${item[1]}'`,
          undefined,
        ]);
      case Type.HELLO:
      case Type.WELCOME:
        throw new FrameError('a handshake in the middle of a session');
      default:
        return this.#events.incoming(item, seq);
    }
  }

  #answered([, seq, result]: ResponseItem): void {
    const message = this.#asked.get(seq);
    if (message) this.#succeed(message, result);
  }

  #refused(item: ErrorItem): void {
    const message = this.#asked.get(item[1]) ?? this.#link.inflight.find(({ seq }) => seq === item[1]);
    if (message && message.kind !== 'control') this.#fail(message, refusal(item, message));
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
      this.#cancel(message);
      if (this.#forget(message)) message.reject(signal.reason as Error);
      this.#events.wake();
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = (): void => signal.removeEventListener('abort', abort);
    sending.then(done, done);
  }

  /** Tells the server that nobody waits for this request any more. */
  #cancel(message: Message): void {
    if (this.#asked.has(message.seq)) this.control([Type.CANCEL, message.seq]);
  }
}

function publicPart({ kind, id, event, payload, room, sentAt }: Message): UndeliveredMessage {
  return { kind, id, event, payload, room, sentAt };
}
