import {
  ByNumber,
  type Deferred,
  type DeliveryError,
  type ErrorItem,
  holdfastError,
  JOIN,
  LEAVE,
  type Link,
  type Receipt,
  type ResponseItem,
  refusal,
  type StreamCreditItem,
  type StreamEndItem,
  Type,
  type Welcome,
} from '@holdfast/protocol';
import { Outbox } from '../core/outbox.js';
import type { Message, Rearrangement, StreamEar } from '../core/types.js';
import type { UndeliveredMessage } from '../types.js';
import { type Limits, limitsOf } from './limits.js';
import { type Defaults, type Draft, makeMessage } from './make-message.js';
import { readReply } from './reply.js';
import type { ClientSettings } from './settings.js';
import { abandoned, expired, outboxFull, publicPart, sessionLost, tooBig } from './untaken.js';

export interface OpenMessagesEvents {
  /** Something waits to be written. */
  wake(): void;
  undelivered(message: UndeliveredMessage, error: DeliveryError): void;
  /** Nobody waits any more for this, which is on the wire. */
  gaveUp(message: Message): void;
  /** True if what is written now goes out at once, as far as can be seen from here. */
  isFree(): boolean;
}

/** Where nothing is written between one and the next, as in a listener; what is said so often is worth nothing. */
const MAX_VOLATILE = 256;

/**
 * Every message of the application from `send` or `request` to its one outcome: in the outbox, then on the wire. Whatever
 * ends it (an answer, an ack, a refusal, a deadline, an abort, the end of the session) ends it here, once.
 */
export class OpenMessages {
  readonly #defaults: Defaults;
  readonly #events: OpenMessagesEvents;
  readonly #overflow: ClientSettings['outbox']['overflow'];
  readonly outbox: Outbox;
  /** Accepted from the application and not yet settled. */
  readonly #open = new ByNumber<Message>();
  /** How many there ever were, and how many of them are of the user whose session stands. */
  readonly said: { all: number; ofUser: number };
  /** To be written at the end of this task, or dropped. */
  #volatile: Message[] = [];
  /** Requests on the wire, by their number. */
  readonly #asked = new ByNumber<Message>();
  #limits: Limits;
  /** No message times out or expires before. */
  #nextDeadline = Infinity;

  constructor(defaults: Defaults, bounds: ClientSettings['outbox'], events: OpenMessagesEvents) {
    this.#defaults = defaults;
    this.#events = events;
    this.#overflow = bounds.overflow;
    this.outbox = new Outbox(bounds);
    this.said = { all: 0, ofUser: defaults.isNamed ? 0 : Infinity };
    this.#limits = { messages: 1, bytes: bounds.maxBytes, message: bounds.maxBytes, requests: Infinity };
  }

  /** How many wait to be written. */
  get waiting(): number {
    return this.outbox.messages + this.#volatile.length;
  }

  /** How many are not settled. */
  get size(): number {
    return this.#open.size;
  }

  has(message: Message): boolean {
    return this.#open.has(message.no);
  }

  /** No message times out or expires before. */
  get nextDeadline(): number {
    return this.#nextDeadline;
  }

  /** Largest WebSocket message that the server takes, roughly; bytes. */
  get maxMessageBytes(): number {
    return this.#limits.message;
  }

  /** From the application into the outbox; `first`: before all that waits. */
  submit(draft: Draft, first: boolean): Deferred<unknown> {
    const { message, deferred, error } = makeMessage(draft, this.#defaults);
    const { signal } = draft.options ?? {};
    this.#add(message);
    const refusal = error ?? this.#refusal(message, draft);
    if (signal?.aborted) {
      this.#forget(message);
      deferred.reject(signal.reason as Error);
    } else if (refusal) {
      this.fail(message, refusal);
    } else if (message.delivery === 'volatile') {
      this.#submitVolatile(message);
    } else {
      if (first) this.outbox.pushFirst([message]);
      else this.#push(message);
      this.#keep(message, deferred);
      const { durable } = this.#defaults;
      if (durable && message.event === JOIN) this.outbox.rearrange(durable.joining(message));
      this.#nextDeadline = Math.min(this.#nextDeadline, message.expiresAt, message.deadlineAt);
      if (signal) this.#abortWith(signal, message, deferred);
      this.#events.wake();
    }
    return deferred;
  }

  #add(message: Message): void {
    message.no = ++this.said.all;
    this.#open.set(message.no, message);
  }

  #push(message: Message): void {
    const going = this.#overflow === 'drop-oldest' ? this.outbox.tooMuchFor(message) : [];
    for (const oldest of going ?? []) this.fail(oldest, outboxFull(oldest, this.outbox, this.#asked.size));
    const superseded = this.outbox.push(message);
    if (superseded) this.#succeed(superseded, { id: superseded.id, outcome: 'superseded' } satisfies Receipt);
  }

  #keep(message: Message, deferred: Deferred<unknown>): void {
    const { durable } = this.#defaults;
    if (!durable || !message.outboxPlace) return;
    deferred.stored = durable.keep(message, message.outboxPlace);
    deferred.stored.catch(() => undefined);
  }

  /** What an earlier life has left; `order` puts it where it belongs among what waits. */
  restore(messages: readonly Message[], order: Rearrangement): void {
    this.outbox.rearrange(order);
    for (const message of messages) {
      this.#add(message);
      this.#nextDeadline = Math.min(this.#nextDeadline, message.expiresAt);
      // The server that takes less than its predecessor would hang up, again and again.
      if (message.bytes > this.#limits.message) this.fail(message, tooBig(message, this.#limits.message));
    }
    // Some have expired while nobody was there.
    this.tick(this.#defaults.clock.now());
  }

  #submitVolatile(message: Message): void {
    this.#volatile.push(message);
    const isTooMuch = this.#volatile.length > MAX_VOLATILE;
    if (isTooMuch || !this.#events.isFree()) this.dropVolatile();
    else this.#events.wake();
  }

  /** It could not go at once. */
  dropVolatile(): void {
    for (const message of this.#volatile.splice(0)) {
      this.#succeed(message, { id: message.id, outcome: 'dropped' } satisfies Receipt);
    }
  }

  /** A session stands: what waits may go out, within these limits. */
  begin(welcome: Welcome): void {
    this.said.ofUser = Infinity;
    this.#limits = limitsOf(welcome);
    for (const message of this.#open.values()) {
      if (message.writtenAt === undefined && message.bytes > this.#limits.message) {
        this.fail(message, tooBig(message, this.#limits.message));
      }
    }
  }

  /** The server has another window now. */
  credit(messages: number, bytes: number): void {
    this.#limits = { ...this.#limits, messages, bytes };
  }

  /** What may be written now, beside what is on the wire. */
  take({
    inflightMessages,
    inflightBytes,
  }: Pick<Link<Message>, 'inflightMessages' | 'inflightBytes'>): Message[] {
    // Another token was given: on this connection, what is said now would be said by the user before.
    if (this.said.ofUser < Infinity) return [];
    const { messages, bytes, requests } = this.#limits;
    const alone = inflightMessages === 0;
    const free = messages - inflightMessages;
    const taken = this.outbox.take(free, bytes - inflightBytes, requests - this.#asked.size, alone);
    if (this.#volatile.length === 0) return taken;
    // What overtakes others is old when they come.
    if (this.outbox.hasTurn) this.dropVolatile();
    return [...taken, ...this.#volatile.splice(0).filter((message) => this.has(message))];
  }

  /** It is on the wire. */
  written(message: Message): void {
    if (message.kind === 'request') this.#asked.set(message.seq, message);
    if (message.delivery !== 'volatile') return;
    this.#succeed(message, { id: message.id, outcome: 'sent' } satisfies Receipt);
  }

  /** An answer to a request of ours. */
  answered([, seq, result]: ResponseItem): void {
    const message = this.#asked.get(seq);
    if (!message) return;
    const { value, error } = readReply(message, result, this.#defaults.codec);
    if (error) this.fail(message, error);
    else this.#succeed(message, value);
  }

  /** The next item of a stream. */
  streamed(seq: number, data: unknown): void {
    this.#asked.get(seq)?.ear?.take(data);
  }

  /** A stream is over, or broke off. */
  streamEnded([, seq, code, text = '', data]: StreamEndItem): void {
    // What asked for no stream waits for its answer.
    if (!this.#asked.get(seq)?.ear) return;
    if (code === undefined) this.answered([Type.RES, seq, undefined]);
    else this.refused([Type.ERR, seq, code, text, data]);
  }

  /** What this stream takes, or all that are on the wire. */
  credits(only?: StreamEar): StreamCreditItem[] {
    const items: StreamCreditItem[] = [];
    for (const [seq, { ear }] of this.#asked) {
      if (ear && (!only || ear === only)) items.push([Type.STREAM_CREDIT, seq, ear.credit]);
    }
    return items;
  }

  /** A refusal of what is on the wire. */
  refused(item: ErrorItem, message = this.#asked.get(item[1])): void {
    if (message) this.fail(message, refusal(item, message));
  }

  /** The server has accepted it. False if it was settled already. */
  acknowledged(message: Message): boolean {
    if (message.kind !== 'event' || !this.has(message)) return false;
    this.#succeed(message, { id: message.id, outcome: 'acknowledged' } satisfies Receipt);
    return true;
  }

  /**
   * A session has ended without us. What the server knows to have handled is acknowledged; what else was on the wire is
   * unknown. Tells which events those are, and how many of the others were handled.
   */
  lose([low, above]: readonly [low: number, above: readonly number[]]): {
    readonly handled: number;
    readonly unknown: readonly Message[];
  } {
    const unknown: Message[] = [];
    const again: Message[] = [];
    let handled = 0;
    for (const message of this.#open.values()) {
      const written = message.writtenAt !== undefined;
      // Joins and the like belong to their session; the next one begins with its own.
      if (!written && !message.event.startsWith('$')) continue;
      const isHandled = written && (message.seq <= low || above.includes(message.seq));
      if (isHandled && this.acknowledged(message)) {
        handled++;
        continue;
      }
      if (this.#defaults.durable?.has(message)) {
        again.push(message);
        continue;
      }
      if (message.kind === 'event') unknown.push(message);
      this.fail(message, sessionLost(message));
    }
    this.#asked.clear();
    // What an earlier life has left was written first, though it may have come here last.
    again.sort((one, other) => one.seq - other.seq);
    for (const message of again) {
      Object.assign(message, { seq: 0, writtenAt: undefined });
      this.#defaults.durable?.returned(message);
    }
    this.outbox.pushFirst(again);
    return { handled, unknown };
  }

  /**
   * What is said from now on is said by whoever comes with the next session, who may be somebody else. Nobody has come
   * since the last time: who that would have been, and what was said by him, nobody knows any more.
   */
  replaced(): void {
    const { durable } = this.#defaults;
    const why = 'waited for a user, who has been replaced by another';
    for (const message of this.#open.values()) {
      const { no, event } = message;
      // Wishes of the client, whoever uses it, and what an earlier life of the user before has left, stay.
      if (no <= this.said.ofUser || event === JOIN || event === LEAVE || durable?.has(message)) continue;
      this.fail(message, abandoned(message, 'unsent', why));
    }
    this.said.ofUser = this.said.all;
    durable?.replaced();
  }

  /** Somebody else uses this client now: what waits was said by `userId` and is not sent in another's name. */
  disown(userId: string): void {
    this.#endAll(`waited for the user '${userId}', who has been replaced by another`, this.said.ofUser);
  }

  /** Nothing more will come or go. */
  end(): void {
    this.#endAll('was not acknowledged before the client was closed');
    this.#nextDeadline = Infinity;
  }

  /** What is in storage stays there: its next life will send it. */
  #endAll(why: string, upTo = Infinity): void {
    const { durable } = this.#defaults;
    const ending = [...this.#open.values()].filter(({ no }) => no <= upTo);
    const ends = ending.map((message) => {
      const isUnsent = message.writtenAt === undefined && !durable?.has(message);
      return [message, isUnsent ? 'unsent' : 'unknown'] as const;
    });
    durable?.release();
    for (const [message, delivery] of ends) this.fail(message, abandoned(message, delivery, why));
  }

  /** Ends what has waited too long. */
  tick(now: number): void {
    if (now < this.#nextDeadline) return;
    this.#nextDeadline = Infinity;
    for (const message of this.#open.values()) {
      const { id: messageId, event, writtenAt, expiresAt, deadlineAt } = message;
      if (now >= deadlineAt) {
        const delivery = writtenAt === undefined ? 'unsent' : 'unknown';
        if (writtenAt !== undefined) this.#events.gaveUp(message);
        this.fail(message, holdfastError('ERR_TIMEOUT', `no answer to '${event}'`, { delivery, messageId }));
      } else if (writtenAt === undefined && now >= expiresAt) {
        this.fail(message, expired(message));
      } else {
        const next = writtenAt === undefined ? expiresAt : Infinity;
        this.#nextDeadline = Math.min(this.#nextDeadline, deadlineAt, next);
      }
    }
  }

  /** It ends badly. Of what was on the wire before its session was lost, nobody knows that it has not arrived. */
  fail(message: Message, why: DeliveryError): void {
    const isDoubtful = why.delivery === 'unsent' && this.#defaults.durable?.wasWritten(message);
    const error = isDoubtful ? sessionLost(message) : why;
    if (!this.#forget(message)) return;
    message.outcome.reject(error);
    // The protocol's own requests are not the application's messages.
    if (!message.event.startsWith('$')) this.#events.undelivered(publicPart(message), error);
  }

  /** Why this is not taken, if it is not. */
  #refusal(message: Message, { notJoined }: Draft): DeliveryError | undefined {
    const { id: messageId, bytes } = message;
    const details = { delivery: 'unsent', messageId } as const;
    if (notJoined !== undefined) return holdfastError('ERR_NOT_JOINED', notJoined, details);
    if (bytes > this.#limits.message) return tooBig(message, this.#limits.message);
    return this.#isFull(message) ? outboxFull(message, this.outbox, this.#asked.size) : undefined;
  }

  /** The protocol's own requests are few and never refused: who has left a room must be out of it. */
  #isFull(message: Message): boolean {
    const { kind, event, delivery } = message;
    // Nor is what does not wait in the outbox.
    if (event.startsWith('$') || delivery === 'volatile') return false;
    if (kind === 'request' && this.#asked.size >= this.#limits.requests) return true;
    if (this.#overflow === 'wait') return false;
    const going = this.outbox.tooMuchFor(message);
    return !going || (going.length > 0 && this.#overflow === 'reject');
  }

  #succeed(message: Message, value: unknown): void {
    if (this.#forget(message)) message.outcome.resolve(value);
  }

  /** False if it was settled before. */
  #forget(message: Message): boolean {
    if (message.writtenAt === undefined) this.outbox.remove(message);
    else this.#asked.delete(message.seq);
    if (message.outboxPlace) this.#defaults.durable?.settled(message);
    return this.#open.delete(message.no);
  }

  #abortWith(signal: AbortSignal, message: Message, { promise }: Deferred<unknown>): void {
    const abort = (): void => {
      // Its number may be another one's by now.
      if (!this.has(message)) return;
      if (message.writtenAt !== undefined) this.#events.gaveUp(message);
      if (this.#forget(message)) message.outcome.reject(signal.reason as Error);
      this.#events.wake();
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = (): void => signal.removeEventListener('abort', abort);
    promise.then(done, done);
  }
}
