import {
  CloseCode,
  type Frame,
  FrameError,
  type Incoming,
  type Item,
  Link,
  MAX_HELLO_BYTES,
  type RoomSync,
  type Transport,
  type TransportEnd,
  Type,
  type VolatileItem,
  type WireData,
} from '@holdfast/protocol';
import { after, unawaited } from './answer.js';
import type { Binding, Gate } from './arrival.js';
import type { Deadlines, Due } from './deadlines.js';
import { LiveToken, type TokenHolder } from './gateway/live-token.js';
import { EXPIRED, endedByServer, GRACE_MS, type Refusal } from './gateway/token.js';
import { type Arrived, Inflow, type InflowConnection, type InflowSurroundings } from './inflow.js';
import { Lanes } from './lanes.js';
import { Pace, type PacedConnection, type PaceSurroundings } from './limits/pace.js';
import type { Observed } from './observe/observer.js';
import { Outflow, type OutflowConnection, type OutflowSurroundings, type ServerLink } from './outflow.js';
import type { Answer, Ownership, RoomPosition } from './ports/store.js';
import { isBefore, laterPosition } from './room-position.js';
import type { Session } from './session.js';
import type { SessionConnection } from './session-connection.js';
import { sizeOf } from './size-of.js';
import type { Handshake } from './types.js';

/** What connections need of their server: the same for all of them, since there are many. */
export interface AttachmentSurroundings extends InflowSurroundings, OutflowSurroundings, PaceSurroundings {
  readonly observe: Observed;
  readonly deadlines: Deadlines;
  /** Lets a room of the session flow on its connection. */
  openRoom(attachment: Attachment, room: string, position: RoomPosition): Answer<void>;
  /** A socket that stays full for so long belongs to a reader that is too slow, ms. */
  readonly slowConsumerMs: number;
  /** Time between pings of the next connection, ms. */
  heartbeatMs(): number;
  /** A volatile event has come. */
  hear(session: Session, item: VolatileItem): void;
  /** The session has to be touched so often, ms. */
  readonly touchMs: number;
  /** The store does not know the session any more. */
  lost(attachment: Attachment): void;
  /** The connection is gone; its session waits. */
  detached(attachment: Attachment, end: Pick<TransportEnd, 'code' | 'reason'>): void;
  failed(error: unknown, name: string, session: Session): void;
}

/** A connection that is silent for so many heartbeats is dead. */
const SILENT_HEARTBEATS = 2.2;
// A connection whose session is on another server now stays open for so long: its client may be here until the WELCOME from
// there has come, and would be without any if this one closed before.
const RETIRED_MS = 1_000;

/**
 * A connection that is bound to a session: frames come in through the inflow, go out through the outflow, rooms flow
 * in their lanes. All three end with the connection; what they knew stands in the store.
 */
export class Attachment
  implements SessionConnection, InflowConnection, OutflowConnection, PacedConnection, TokenHolder, Due
{
  readonly session: Session;
  readonly gen: number;
  readonly handshake: Handshake;
  readonly #owner: Ownership;
  readonly #transport: Transport;
  readonly #gate: Gate;
  readonly #around: AttachmentSurroundings;
  readonly #link: ServerLink;
  readonly #inflow: Inflow;
  readonly #outflow: Outflow;
  // Made when they are needed, which most connections never do.
  #lanes: Lanes | undefined;
  #token: LiveToken | undefined;
  #pace: Pace | undefined;
  /** When its first token expires. */
  readonly #expiresAt: number;
  dueAt = Infinity;
  heapIndex = -1;
  readonly #heartbeatMs: number;
  /** `flowing`: its client has said where it stands. */
  #stage: 'open' | 'flowing' | 'retired' | 'closed' = 'open';
  #heardAt: number;
  #pingAt: number;
  #touchAt: number;

  constructor(
    session: Session,
    { transport, owner, handshake, position, window, expiresAt, gate }: Binding,
    around: AttachmentSurroundings,
  ) {
    this.session = session;
    this.gen = owner.gen;
    this.handshake = handshake;
    this.#owner = owner;
    this.#transport = transport;
    this.#gate = gate;
    this.#around = around;
    this.#expiresAt = expiresAt;
    this.#link = new Link(session.codec, position);
    this.#outflow = new Outflow(session, { owner, transport, link: this.#link, window }, around, this);
    this.#inflow = new Inflow(session, { owner, link: this.#link }, around, this);
    this.#heartbeatMs = around.heartbeatMs();
    this.#heardAt = around.clock.now();
    this.#pingAt = this.#heardAt + this.#heartbeatMs;
    this.#touchAt = this.#heardAt + around.touchMs;
  }

  get live(): boolean {
    return this.#stage === 'open' || this.#stage === 'flowing';
  }

  get flowing(): boolean {
    return this.#stage === 'flowing';
  }

  get lanes(): Lanes {
    this.#lanes ??= new Lanes(this.session, this.#outflow, this.#around, this);
    return this.#lanes;
  }

  /** After the WELCOME: what the client lacks, then whatever else there is. */
  start(): void {
    this.#outflow.start();
    this.#lookAtPace();
    this.#arm();
  }

  /** Takes a frame. Throws a `FrameError` if the client breaks the protocol. */
  receive(frame: Frame, bytes: number): void {
    if (!this.live) return;
    this.#heardAt = this.#around.clock.now();
    const fresh = this.#link.take(frame, bytes);
    for (const { seq, item } of fresh) if (seq === 0) this.#unsequenced(item);
    if (!this.live) return;
    const inOrder = fresh
      .filter(({ seq, item }) => seq > 0 || item[0] === Type.BYE)
      .map((incoming) => this.#arrived(incoming));
    // It was more than the rate allows, by far, and the connection is closed: the client will write all of this again.
    if (!this.live) return;
    this.#lookAtPace();
    this.#inflow.receive(inOrder, frame.ack, bytes);
    // Only the link and the metrics: what the ack settles is settled when the store has it (`acknowledged`).
    const now = this.#heardAt;
    for (const { writtenAt = now } of this.#link.acknowledge(frame.ack))
      this.#around.observe.acknowledged(now - writtenAt);
    this.#arm();
  }

  /** The handlers of this message have been started, or have refused it. */
  started(seq: number): void {
    this.#inflow.started(seq);
  }

  refused(seq: number): void {
    this.#outflow.refused(seq);
  }

  /** One of its messages has been handled. */
  finished(): void {
    this.#inflow.finished();
  }

  /** The store has something for this client. */
  wake(): void {
    this.#outflow.wake();
  }

  written(): Answer<void> {
    return this.#outflow.written();
  }

  /** Writes this frame now, or not at all: says which. */
  cast(frame: WireData): boolean {
    if (!this.live) return false;
    this.#outflow.flush();
    if (!this.#outflow.open) return false;
    this.#outflow.publication(frame, 1);
    return true;
  }

  drained(): void {
    this.#outflow.drained();
    this.#arm();
  }

  /** An item without a number: goes out after what the store has. */
  control(item: Item): void {
    this.#outflow.control(item);
  }

  /** Asks the client to connect elsewhere after so many ms. */
  goAway(reason: string, afterMs: number): void {
    if (this.live) this.#outflow.control([Type.GOAWAY, reason, afterMs]);
  }

  /** The session is over: says why, behind what has been written. */
  end(reason: string): void {
    if (this.live) this.refuse(endedByServer(reason));
  }

  /** Says why the client is not let in any more, and lets the connection go. */
  refuse(refusal: Refusal): void {
    this.#gate.refused(refusal);
  }

  /** Another connection has the session: nothing counts here any more, and in a moment this one is closed. */
  retire(): void {
    if (!this.live) return;
    this.#stage = 'retired';
    this.#stop();
    this.#around.deadlines.set(this, this.#around.clock.now() + RETIRED_MS);
  }

  /** Lets the connection go; its session waits for its client. */
  drop(code: number, reason: string): void {
    if (this.#stage === 'closed') return;
    this.closed({ code, reason });
    this.#transport.close(code, reason);
  }

  /** The connection is gone. */
  closed(end: Pick<TransportEnd, 'code' | 'reason'>): void {
    if (this.#stage === 'closed') return;
    if (this.live) this.#stop();
    this.#stage = 'closed';
    this.#around.deadlines.set(this, Infinity);
    unawaited(this.#around.store.detach(this.#owner), this);
    this.#around.detached(this, end);
  }

  #stop(): void {
    this.#token?.stop();
    this.#inflow.close();
    this.#outflow.close();
  }

  /**
   * What waits for nothing that the client has said before: answers, and the end of waiting for ours. A handler or a rule
   * that asks its own client would wait for ever if its answer lay behind what waits for that handler or rule.
   */
  #arrived(incoming: Incoming): Arrived {
    const { item } = incoming;
    if (item[0] === Type.CANCEL) this.session.cancel(item[1]);
    const isAnswer = item[0] === Type.RES || item[0] === Type.ERR;
    if (isAnswer && this.session.asking.answered(item)) return { ...incoming, wanted: true };
    const retryAfterMs = this.#paced.charge(incoming.seq, item, this.#heardAt);
    return retryAfterMs === undefined ? incoming : { ...incoming, retryAfterMs };
  }

  #unsequenced(item: Frame['items'][number]): void {
    switch (item[0]) {
      case Type.AUTH:
        return this.#renew(item[1]);
      case Type.PING:
        return this.#outflow.control([Type.PONG]);
      case Type.PONG:
      case Type.BYE:
        return;
      case Type.CREDIT:
        this.#outflow.window = [item[1], item[2]];
        return this.#outflow.wake();
      case Type.SYNC:
        return this.#sync(item[1]);
      case Type.STREAM_CREDIT:
        return this.session.streams.credit(item[1], item[2]);
      case Type.VOL:
        return this.#hear(item);
      default:
        throw new FrameError(`a client may not send items of type ${item[0]} here`);
    }
  }

  #hear(item: VolatileItem): void {
    if (this.#paced.charge(0, item, this.#heardAt) === undefined)
      return this.#around.hear(this.session, item);
    this.#around.observe.dropped({ sessionId: this.session.id, reason: 'volatile', messages: 1 });
  }

  #renew(token: string | number | undefined): void {
    if (typeof token !== 'string') throw new FrameError('a client that says AUTH gives a token');
    // In a HELLO it would have no more room either.
    if (sizeOf(token) > MAX_HELLO_BYTES) throw new FrameError(`a token may have ${MAX_HELLO_BYTES} bytes`);
    this.#token ??= new LiveToken(this.#expiresAt, this.#around, this);
    this.#token.renew(token);
  }

  /** When the connection has to end, unless a fresh token comes before. */
  get #endsAt(): number {
    return this.#token?.endsAt ?? this.#expiresAt + GRACE_MS;
  }

  get #paced(): Pace {
    this.#pace ??= new Pace(this.session.rate, this.#around, this);
    return this.#pace;
  }

  /** Who has said nothing, nor has anybody else of its user, has its whole window. */
  #lookAtPace(): void {
    if (this.#pace || !this.session.isRested(this.#around.clock.now())) this.#paced.look();
  }

  /** A client with a new session sends no SYNC, having no rooms; but the application may have put it into some already. */
  openRooms(): void {
    this.#sync([]);
  }

  /** The client says where it stands in its rooms; each flows from there, or from where the session joined it. */
  #sync(syncs: readonly RoomSync[]): void {
    if (this.#stage === 'open') this.#stage = 'flowing';
    const { positions } = this.session.joined;
    if (syncs.length === 0 && positions.size === 0) return;
    const told = new Map(syncs.map(([room, epoch, offset]) => [room, { epoch, offset }]));
    // Rooms that a server has taken it out of while it was away, perhaps to put it in again, further on.
    for (const [room, at] of told) {
      const joined = positions.get(room);
      if (!joined || isBefore(at, joined)) this.lanes.shut(room);
    }
    for (const [name, joined] of positions) {
      if (this.lanes.has(name)) continue;
      const position = laterPosition(told.get(name), joined);
      const opened = after(this.#around.openRoom(this, name, position), () => this.#outflow.wake());
      unawaited(opened, this);
    }
  }

  noLongerOurs(status: 'fenced' | 'lost'): void {
    if (status === 'fenced') return this.retire();
    this.#around.lost(this);
  }

  acknowledged(ack: number): void {
    this.session.acknowledged(ack);
    // The window is open wider.
    this.#outflow.wake();
  }

  caughtUp(): void {
    this.#lanes?.flow();
    this.#arm();
  }

  broken(error: unknown): void {
    this.#gate.broken(error);
  }

  get identify(): Gate['identify'] {
    return this.#gate.identify;
  }

  authFailed(error: unknown): void {
    this.#around.failed(error, 'auth', this.session);
  }

  #arm(): void {
    if (!this.live) return;
    const { congestedSince = Infinity, ackDueAt } = this.#outflow;
    const deadAt = this.#heardAt + SILENT_HEARTBEATS * this.#heartbeatMs;
    const slowAt = congestedSince + this.#around.slowConsumerMs;
    const lookAt = this.#pace?.lookAt ?? Infinity;
    const own = Math.min(this.#pingAt, this.#touchAt, this.#endsAt, lookAt);
    this.#around.deadlines.set(this, Math.min(own, deadAt, slowAt, ackDueAt));
  }

  ring(): void {
    if (this.#stage === 'retired') return this.drop(CloseCode.SUPERSEDED, 'superseded');
    const now = this.#around.clock.now();
    const { touchMs, slowConsumerMs } = this.#around;
    const { congestedSince } = this.#outflow;
    if (now >= this.#heardAt + SILENT_HEARTBEATS * this.#heartbeatMs) {
      return this.drop(CloseCode.TIMEOUT, 'nothing heard');
    }
    if (congestedSince !== undefined && now >= congestedSince + slowConsumerMs) {
      return this.drop(CloseCode.SLOW_CONSUMER, 'reads too slowly');
    }
    if (now >= this.#endsAt) return this.refuse(EXPIRED);
    if (now >= this.#pingAt) {
      this.#pingAt = now + this.#heartbeatMs;
      this.#outflow.control([Type.PING]);
    }
    if (now >= this.#touchAt) {
      this.#touchAt = now + touchMs;
      this.#outflow.wake();
    }
    this.#lookAtPace();
    this.#outflow.flush();
    this.#arm();
  }

  failed(error: unknown): void {
    this.#around.failed(error, 'store', this.session);
    this.drop(CloseCode.INTERNAL_ERROR, 'see the log of the server');
  }
}
