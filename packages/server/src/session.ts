import {
  Alarm,
  type Clock,
  CloseCode,
  type Codec,
  type Control,
  control,
  type Deferred,
  type DeliveryError,
  defer,
  type EventItem,
  type Frame,
  FrameError,
  holdfastError,
  type Incoming,
  type Item,
  isPromiseLike,
  Link,
  type Outgoing,
  type Receipt,
  type Sending,
  sizeOf,
  type Transport,
  Type,
} from '@holdfast/protocol';
import type { Publication } from './hub/room.js';
import type { ServerSession, User } from './types.js';

interface Event extends Outgoing {
  readonly kind: 'event';
  readonly deferred: Deferred<Receipt>;
}

/** What a session needs of its server. */
export interface SessionSurroundings {
  readonly clock: Clock;
  /** Time between pings of this session. */
  readonly heartbeatMs: number;
  /** What may wait for a slow client. */
  readonly maxBufferedBytes: number;
  /** Takes an item in: checks it and, if it is accepted, starts its handler. Refuses by posting an ERR. */
  accept(session: Session, seq: number, item: Item): void | PromiseLike<void>;
  /** Makes what handlers are given. */
  door(session: Session): ServerSession;
  wrote(messages: number): void;
  ended(session: Session, reason: 'closed' | 'lost'): void;
  /** Something came that breaks the protocol, behind something that took its time. */
  broken(error: unknown): void;
}

/** How much may be unacknowledged in each direction; told in WELCOME. */
export const WINDOW_MESSAGES = 1_000;
export const WINDOW_BYTES = 1_048_576;
/** A connection that is silent for so many heartbeats is dead. */
const SILENT_HEARTBEATS = 2.2;

/**
 * The server's end of a session: the same link as the client's, a writer and a reader around it. What comes in is
 * accepted strictly in order, also where a rule takes its time; what goes out in one task shares a frame.
 */
export class Session {
  readonly id: string;
  readonly user: User;
  readonly address: string;
  readonly codec: Codec;
  readonly rooms = new Set<string>();
  /** What handlers are given. */
  readonly door: ServerSession;
  /** Aborted when the session ends. */
  readonly aborter = new AbortController();
  readonly #around: SessionSurroundings;
  readonly #link: Link<Event | Control>;
  readonly #alarm: Alarm;
  /** The socket; undefined once the session has ended. */
  #transport: Transport | undefined;
  /** Written at the end of this task, in this order. */
  #out: (Event | Control)[] = [];
  #outBytes = 0;
  #flushDue = false;
  /** Came in and waits for its turn to be accepted. */
  readonly #intake: (Incoming & { readonly bytes: number })[] = [];
  #intakeBytes = 0;
  #accepting = false;
  #heardAt: number;
  #pingAt: number;

  constructor(
    { id, user, address, codec }: Pick<Session, 'id' | 'user' | 'address' | 'codec'>,
    transport: Transport,
    around: SessionSurroundings,
  ) {
    this.id = id;
    this.user = user;
    this.address = address;
    this.codec = codec;
    this.#transport = transport;
    this.#around = around;
    this.#link = new Link(codec);
    this.#alarm = new Alarm(around.clock, () => this.#ring());
    this.#heardAt = around.clock.now();
    this.#pingAt = this.#heardAt + around.heartbeatMs;
    this.door = around.door(this);
    this.#arm();
  }

  get live(): boolean {
    return this.#transport !== undefined;
  }

  // ── Out ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** An event for this client; settles on its acknowledgement. Throws what the codec cannot encode. */
  send(item: EventItem, id: string): Sending {
    const deferred = defer<Receipt>(id);
    const encoded = this.codec.encode(item);
    const bytes = sizeOf(encoded);
    const full = this.#out.length >= WINDOW_MESSAGES || this.#outBytes + bytes > WINDOW_BYTES;
    if (!this.live) {
      deferred.reject(this.#lost(id, false));
    } else if (full) {
      const text = `${this.#out.length} messages with ${this.#outBytes} bytes wait for this session already`;
      deferred.reject(holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId: id }));
    } else {
      this.#put({ kind: 'event', encoded, bytes, sequenced: true, seq: 0, writtenAt: undefined, deferred });
    }
    return deferred.sending;
  }

  /** An item of the protocol: a reply, a refusal, SYNC and the like. Throws what the codec cannot encode. */
  post(item: Item): void {
    if (this.live) this.#put(control(this.codec, item));
  }

  /** A publication of a room; bytes that many sessions share. */
  publish(publication: Publication): void {
    // Whatever was said to this session before comes before.
    this.flush();
    this.#write(publication.frame(this.codec));
    this.#around.wrote(1);
  }

  flush(): void {
    if (!this.#transport) return;
    const entries = this.#takeOut();
    for (const frame of this.#link.frames(entries, this.#around.clock.now())) this.#write(frame);
    if (entries.length > 0) this.#around.wrote(entries.length);
    this.#arm();
  }

  #put(entry: Event | Control): void {
    this.#out.push(entry);
    this.#outBytes += entry.bytes;
    this.#wake();
  }

  #wake(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#around.clock.defer(() => {
      this.#flushDue = false;
      this.flush();
    });
  }

  /** What may go now: replies always, events as far as the client's window is open. */
  #takeOut(): (Event | Control)[] {
    let messages = WINDOW_MESSAGES - this.#link.inflight.length;
    let bytes = WINDOW_BYTES - this.#link.inflightBytes;
    const going: (Event | Control)[] = [];
    const waiting: (Event | Control)[] = [];
    for (const entry of this.#out) {
      if (entry.kind === 'event' && (messages <= 0 || bytes <= 0 || waiting.length > 0)) {
        waiting.push(entry);
        continue;
      }
      going.push(entry);
      messages--;
      bytes -= entry.bytes;
      this.#outBytes -= entry.bytes;
    }
    this.#out = waiting;
    return going;
  }

  #write(frame: string | Uint8Array): void {
    const transport = this.#transport;
    if (!transport) return;
    transport.send(frame);
    // Whoever publishes never waits for a slow reader: it is let go, comes back, and reads on from the rooms' logs.
    // Not at once: leaving its rooms is told to their members, who are just being told something else.
    if (transport.bufferedBytes > this.#around.maxBufferedBytes) {
      this.#around.clock.defer(() => this.drop(CloseCode.SLOW_CONSUMER, 'reads too slowly'));
    }
  }

  // ── In ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a frame. Throws a `FrameError` if the client breaks the protocol. */
  receive(frame: Frame, bytes: number): void {
    this.#heardAt = this.#around.clock.now();
    const fresh = this.#link.take(frame);
    for (const incoming of fresh) {
      if (incoming.item[0] === Type.PING) this.post([Type.PONG]);
      else if (incoming.item[0] !== Type.PONG) this.#hold(incoming, bytes / fresh.length);
    }
    this.#acceptNext();
    if (this.#link.unaccepted > 2 * WINDOW_MESSAGES || this.#intakeBytes > 4 * WINDOW_BYTES) {
      const window = `${WINDOW_MESSAGES} messages, ${WINDOW_BYTES} bytes`;
      throw new FrameError(`far more at once than the window of ${window}`);
    }
    for (const entry of this.#link.acknowledge(frame.ack)) {
      if (entry.kind === 'event') {
        entry.deferred.resolve({ id: entry.deferred.sending.id, outcome: 'acknowledged' });
      }
    }
    this.#wake();
  }

  #hold(incoming: Incoming, bytes: number): void {
    this.#intake.push({ ...incoming, bytes });
    this.#intakeBytes += bytes;
  }

  /** One after the other: a message is not accepted before its predecessor is. */
  #acceptNext(): void {
    while (!this.#accepting) {
      const next = this.live ? this.#intake.shift() : undefined;
      if (!next) return;
      this.#intakeBytes -= next.bytes;
      if (next.item[0] === Type.BYE) return this.#bye();
      const accepted = this.#around.accept(this, next.seq, next.item);
      if (!isPromiseLike(accepted)) {
        this.#link.accept(next.seq);
        continue;
      }
      this.#accepting = true;
      const done = (): void => {
        this.#accepting = false;
        this.#link.accept(next.seq);
        this.#wake();
        try {
          this.#acceptNext();
        } catch (error) {
          this.#around.broken(error);
        }
      };
      accepted.then(done, done);
    }
  }

  // ── Liveness and the end ───────────────────────────────────────────────────────────────────────────────────

  #arm(): void {
    const deadAt = this.#heardAt + SILENT_HEARTBEATS * this.#around.heartbeatMs;
    this.#alarm.set(this.live ? Math.min(this.#pingAt, deadAt, this.#link.ackDueAt) : Infinity);
  }

  #ring(): void {
    const now = this.#around.clock.now();
    const { heartbeatMs } = this.#around;
    if (now >= this.#heardAt + SILENT_HEARTBEATS * heartbeatMs) {
      return this.drop(CloseCode.TIMEOUT, 'nothing heard');
    }
    if (now >= this.#pingAt) {
      this.#pingAt = now + heartbeatMs;
      this.post([Type.PING]);
    }
    this.flush();
  }

  #bye(): void {
    const transport = this.#transport;
    this.end('closed');
    transport?.close(CloseCode.NORMAL, '');
  }

  /** Lets the connection go. */
  drop(code: number, reason: string): void {
    const transport = this.#transport;
    this.end('lost');
    transport?.close(code, reason);
  }

  /** The session is over: whoever waits for this client is told. */
  end(reason: 'closed' | 'lost'): void {
    if (!this.#transport) return;
    this.#transport = undefined;
    this.#alarm.set(Infinity);
    for (const entry of [...this.#link.inflight, ...this.#out]) {
      if (entry.kind === 'event') entry.deferred.reject(this.#lost(entry.deferred.sending.id, entry.seq > 0));
    }
    this.#out = [];
    this.#around.ended(this, reason);
    this.aborter.abort(this.#lost('', true));
  }

  #lost(messageId: string, written: boolean): DeliveryError {
    return written
      ? holdfastError('ERR_SESSION_LOST', 'the session ended before this was acknowledged', {
          delivery: 'unknown',
          messageId,
        })
      : holdfastError('ERR_CLOSED', 'the session ended before this was written', {
          delivery: 'unsent',
          messageId,
        });
  }
}
