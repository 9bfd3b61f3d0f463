import {
  type Control,
  control,
  type Deferred,
  type DeliveryError,
  type ErrorItem,
  type Frame,
  FrameError,
  type Item,
  Link,
  refusal,
  type Scopes,
  Type,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import type { Message, Rearrangement, StreamEar } from '../core/types.js';
import type { LostSession, OutboxState } from '../types.js';
import { Accepted } from './accepted.js';
import { Answering } from './answering.js';
import type { Defaults, Draft } from './make-message.js';
import { OpenMessages, type OpenMessagesEvents } from './open-messages.js';
import type { ClientSettings } from './settings.js';
import { publicPart } from './untaken.js';

/** With so many messages in it, what a frame itself costs does not count. */
const FRAME_MESSAGES = 32;

export interface ExchangeEvents extends Omit<OpenMessagesEvents, 'gaveUp'> {
  /** An item came that is not about a message of ours; the next is dispatched when this returns. */
  incoming(item: Item, seq: number): void;
  /** A handler of the application threw. */
  failed(error: unknown, name: string): void;
}

/** What the server knows of a session that is gone. */
export type Remains = Pick<Welcome, 'p' | 'lost'>;

/**
 * The messages of a session, both ways: what the application sends goes through the outbox and the link into
 * frames; what comes in frames goes through the link to the dispatcher.
 */
export class Exchange {
  readonly #defaults: Defaults;
  readonly #events: ExchangeEvents;
  readonly #messages: OpenMessages;
  readonly answering: Answering;
  #link: Link<Message | Control>;
  #controls: Control[] = [];
  readonly #accepted = new Accepted();
  #outboxState: OutboxState = { messages: 0, bytes: 0, inflight: 0 };

  constructor(
    defaults: Defaults & { readonly scopes: Scopes },
    bounds: ClientSettings['outbox'],
    events: ExchangeEvents,
  ) {
    this.#defaults = defaults;
    this.#events = events;
    this.#link = new Link(defaults.codec);
    this.#messages = new OpenMessages(defaults, bounds, {
      ...events,
      gaveUp: (message) => {
        this.#link.abandon(message);
        if (message.kind === 'request') this.control([Type.CANCEL, message.seq]);
      },
    });
    this.answering = new Answering({
      codec: defaults.codec,
      scopes: defaults.scopes,
      answer: (item) => this.#answer(item),
      failed: events.failed,
    });
  }

  /** A snapshot; the same object as long as nothing has changed. */
  get outbox(): OutboxState {
    const { messages, bytes } = this.#messages.outbox;
    const inflight = this.#link.inflightMessages;
    const old = this.#outboxState;
    if (messages !== old.messages || bytes !== old.bytes || inflight !== old.inflight) {
      this.#outboxState = Object.freeze({ messages, bytes, inflight });
    }
    return this.#outboxState;
  }

  /** True if just as many messages wait as are worth a frame; not for each that comes while they must go on waiting. */
  get fillsFrame(): boolean {
    const { waiting } = this.#messages;
    return waiting > 0 && waiting % FRAME_MESSAGES === 0;
  }

  /** True while a message is not settled. */
  get busy(): boolean {
    return this.#messages.size > 0;
  }

  /** When the oldest unacknowledged message was written. */
  get awaitingSince(): number | undefined {
    return this.#link.oldest?.writtenAt;
  }

  /** When `tick` has something to do: a message times out or, while one can write, an ack is due. */
  deadlineAt(canWrite: boolean): number {
    return Math.min(this.#messages.nextDeadline, canWrite ? this.#link.ackDueAt : Infinity);
  }

  /**
   * From the application into the outbox; `first`: before all that waits. The protocol's own requests are few and
   * not bound by the outbox.
   */
  submit(draft: Draft, first = false): Deferred<unknown> {
    return this.#messages.submit(draft, first);
  }

  /** Writes something of the protocol's own, before what the application waits for. */
  control(item: Item): void {
    this.#write(control(this.#defaults.codec, item));
  }

  /** Tells the server how much of this stream, or of all, may come. */
  giveCredit(ear?: StreamEar): void {
    for (const credit of this.#messages.credits(ear)) this.control(credit);
  }

  /** What a HELLO says of this end: the highest number dispatched, the highest ack seen. */
  get position(): { readonly received: number; readonly acked: number } {
    return { received: this.#link.accepted, acked: this.#link.acknowledged };
  }

  /** A session stands: what waits may go out, within these limits. */
  begin(welcome: Welcome, now: number): void {
    this.#messages.begin(welcome);
    const { s, u, e: epoch = '', t = now, dw: windowMs = 0 } = welcome;
    // Guests have the id of their session.
    const userId = s === u ? undefined : u;
    this.#defaults.durable?.attached({ userId, epoch, aheadMs: t - now, windowMs });
  }

  /** What an earlier life has left; `order` puts it where it belongs among what waits. */
  restore(messages: readonly Message[], order: Rearrangement): void {
    this.#messages.restore(messages, order);
  }

  /** A durable message ends by what is known of it in storage. */
  fail(message: Message, error: DeliveryError): void {
    this.#messages.fail(message, error);
  }

  /**
   * The session goes on, on a new connection, and the server has everything up to `accepted`: what it lacks, to be
   * written before anything else. Nothing is settled by that: a refusal may be among what the server writes again.
   * `told`: what our HELLO has said to be received.
   * Throws a `FrameError` if that cannot be.
   */
  resume(accepted: number, now: number, told: number): WireData[] {
    // Goes out behind what is written again.
    this.giveCredit();
    return this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told);
  }

  /**
   * A session has ended without us. Of what was on the wire, the server may know that it was handled or refused; the
   * rest is unknown, also what was acknowledged and is not known to have been handled. What waits goes on waiting.
   */
  lose(sessionId: string, { p = [0, []], lost = [] }: Remains = {}): LostSession {
    for (const item of lost) this.#refused(item);
    this.#accepted.handled(...p);
    const accepted = this.#accepted.drain();
    const { handled, unknown } = this.#messages.lose(p);
    this.#link = new Link(this.#defaults.codec);
    this.#controls = [];
    this.answering.abandon('ERR_SESSION_LOST');
    return { sessionId, handled, unknown: [...accepted, ...unknown].map(publicPart) };
  }

  /** How many messages there ever were, and how many of them are of the user whose session stands. */
  get said(): Readonly<OpenMessages['said']> {
    return this.#messages.said;
  }

  /** What is said from now on is said by whoever comes with the next session, who may be somebody else. */
  replaced(): void {
    this.#messages.replaced();
  }

  /** Somebody else uses this client now: what waits was said by `userId` and is not sent in another's name. */
  disown(userId: string): void {
    this.#messages.disown(userId);
  }

  /** The last word: what waits is not sent any more. */
  farewell(item: Item, now: number): WireData[] {
    return this.#link.frames([control(this.#defaults.codec, item)], now);
  }

  /** The connection is gone: pings and the like interest nobody any more. */
  detach(): void {
    this.#controls = this.#controls.filter(({ numbers }) => numbers > 0);
    this.#messages.dropVolatile();
    this.#defaults.durable?.detached();
  }

  /** Nothing more will come or go. */
  end(): void {
    this.#messages.end();
    this.#controls = [];
    this.answering.abandon('ERR_CLOSED');
  }

  /** Resolves when what is to outlive this client is stored. */
  async closed(): Promise<void> {
    await this.#defaults.durable?.close();
  }

  /** All that may be written now, as frames. */
  frames(now: number): WireData[] {
    const taken = this.#messages.take(this.#link);
    const frames = this.#link.frames([...this.#controls, ...taken], now, this.#messages.maxMessageBytes);
    this.#controls = [];
    for (const message of taken) this.#messages.written(message);
    return frames;
  }

  /** Takes a frame in. Throws a `FrameError` if the other end breaks the protocol. */
  receive(frame: Frame, bytes: number): void {
    for (const incoming of this.#link.take(frame, bytes)) {
      this.#dispatch(incoming.item, incoming.seq);
      if (incoming.seq > 0) this.#link.accept(incoming);
    }
    for (const entry of this.#link.acknowledge(frame.ack)) {
      if (entry.kind !== 'control' && this.#messages.acknowledged(entry)) this.#accepted.add(entry);
    }
    // After the acks: as a rule, DONE comes in the frame that acknowledges what it is about.
    for (const item of frame.items) if (item[0] === Type.DONE) this.#accepted.handled(item[1], item[2]);
    if (this.#link.ackDueAt < Infinity || this.#messages.outbox.messages > 0) this.#events.wake();
  }

  /** Ends what has waited too long. */
  tick(now: number): void {
    if (now >= this.#link.ackDueAt) this.#events.wake();
    this.#messages.tick(now);
  }

  #write(entry: Control): void {
    this.#controls.push(entry);
    this.#events.wake();
  }

  /** It needs no credit, and passes what waits for it. */
  #answer(item: Item): void {
    const entry = control(this.#defaults.codec, item);
    const { maxMessageBytes } = this.#messages;
    // The server would hang up on it, again on each connection.
    if (entry.bytes > maxMessageBytes) {
      throw new TypeError(`the reply has ${entry.bytes} bytes; at most ${maxMessageBytes} are allowed`);
    }
    this.#write(entry);
  }

  #dispatch(item: Item, seq: number): void {
    switch (item[0]) {
      case Type.RES:
        return this.#messages.answered(item);
      case Type.ERR:
        return this.#refused(item);
      case Type.STREAM_ITEM:
        return this.#messages.streamed(item[1], item[2]);
      case Type.STREAM_END:
        return this.#messages.streamEnded(item);
      case Type.REQ:
        return this.answering.asked(item, seq);
      case Type.CANCEL:
        return this.answering.cancelled(item[1]);
      case Type.EVT:
      case Type.VOL:
      case Type.PUB:
      case Type.GAP:
      case Type.SYNC:
        return this.#events.incoming(item, seq);
      case Type.CREDIT:
        return this.#messages.credit(item[1], item[2]);
      case Type.PING:
      case Type.PONG:
      case Type.BYE:
      case Type.DONE:
      case Type.AUTH:
      case Type.GOAWAY:
        return;
      default:
        throw new FrameError(`an item of type ${item[0]} has no place here, or was not negotiated`);
    }
  }

  #refused(item: ErrorItem): void {
    const [, seq] = item;
    const message = this.#link.inflight.find((entry) => entry.seq === seq);
    if (message?.kind === 'event') return this.#messages.refused(item, message);
    // Acknowledged on an earlier connection, and then refused by a handler that had not been started yet.
    const accepted = this.#accepted.take(seq);
    if (accepted) this.#events.undelivered(publicPart(accepted), refusal(item, accepted));
    else this.#messages.refused(item);
  }
}
