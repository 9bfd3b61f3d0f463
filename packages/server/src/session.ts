import {
  CloseCode,
  type Codec,
  Deferred,
  type EventItem,
  type Receipt,
  RejectError,
  type Sending,
  type WireData,
} from '@holdfast/protocol';
import { Aborter } from './aborter.js';
import { Turns } from './answer.js';
import { Asking, type Question } from './asking.js';
import { outboxFull, sessionOver } from './delivery-errors.js';
import { JoinedRooms } from './hub/joined-rooms.js';
import { KeptData } from './hub/session-data.js';
import { SessionFacades } from './hub/session-facades.js';
import type { MessageRate, MessageRates } from './limits/message-rate.js';
import { NONE_HANDLED } from './none-handled.js';
import type { Observed } from './observe/observer.js';
import type { Identity } from './ports/ports.js';
import type {
  Answer,
  AppendCall,
  Appended,
  AttachedSession,
  Handled,
  Life,
  Membership,
  Writing,
} from './ports/store.js';
import { Runner, type RunnerSurroundings } from './runner.js';
import { callsOf, Sends } from './sends.js';
import type { SessionConnection } from './session-connection.js';
import type { RetryingStore } from './store/retrying-store.js';
import { Streams } from './streams.js';
import type { ServerSession, User } from './types.js';

/** What sessions need of their server: the same for all of them, since there are many. */
export interface SessionSurroundings extends RunnerSurroundings<Session> {
  readonly store: RetryingStore;
  /** Id of this server. */
  readonly node: string;
  /** How much clients may send. */
  readonly rates: MessageRates;
  readonly observe: Observed;
  /** Makes what handlers are given, here or in a namespace. */
  facade(session: Session, prefix: string): ServerSession;
  /** The store says in which rooms it is. */
  setRooms(session: Session, rooms: ReadonlyMap<string, Membership>): void;
  /** A move that was accepted before its connection came, with which it was in these rooms, is over. */
  movedLate(session: Session, before: ReadonlyMap<string, Membership>): void;
}

/**
 * A session, as this server knows it: who it is, what waits for its client's acknowledgement, and what runs for it.
 * Its numbers and messages stand in the store; a connection, while there is one, is its attachment. What it may never
 * need is made when it does.
 */
export class Session {
  readonly id: string;
  /** As the newest token has it; the id is the same for ever. */
  user: User;
  /** Of the newest token; undefined: it has none. */
  tokenId: string | undefined;
  readonly codec: Codec;
  readonly joined = new JoinedRooms();
  #facades: SessionFacades<Session> | undefined;
  /** Aborted when the session ends. */
  readonly aborter = new Aborter();
  #runner: Runner<Session> | undefined;
  #rate: MessageRate | undefined;
  attachment: SessionConnection | undefined;
  /** Of the newest connection. */
  address = '';
  /** Of the newest connection here; other servers may have had newer ones. */
  gen = 0;
  /** Of the newest connection that is known of, wherever. */
  newestGen = 0;
  /** As the store told it with the newest connection here; undefined: it has had none. */
  life: Life | undefined;
  /** Number of the last move into or out of a room that was accepted and is not over; 0: all are. */
  #moving = 0;
  /** The last move that was accepted before the newest connection, and the rooms that the store had at that moment. */
  #late: Pick<AttachedSession, 'lastMove' | 'rooms'> | undefined;
  /** `unsure`: servers may have moved it since the store last said in which rooms it is. */
  #whereabouts: 'known' | 'unsure' | 'asked' = 'known';
  readonly #around: SessionSurroundings;
  /** Its calls to the store that have to be made one after the other. */
  readonly turns = new Turns();
  #data: KeptData | undefined;
  #asking: Asking | undefined;
  #streams: Streams | undefined;
  #handled: Handled = NONE_HANDLED;
  #detachedAt = 0;
  /** `over`: another session may have its id by now, for which what is still to be appended was not meant. */
  #stage: 'here' | 'elsewhere' | 'over' = 'here';
  sends: Sends | undefined;

  constructor({ id, user, codec }: Pick<Session, 'id' | 'user' | 'codec'>, around: SessionSurroundings) {
    this.id = id;
    this.user = user;
    this.codec = codec;
    this.#around = around;
  }

  /** Where that runs which its client has sent. */
  get runner(): Runner<Session> {
    this.#runner ??= new Runner(this, this.#around);
    return this.#runner;
  }

  /** True while handlers run, or may be about to. */
  get busy(): boolean {
    return this.#runner?.busy ?? false;
  }

  /** This server goes away. */
  stop(): void {
    this.#runner?.stop();
  }

  /** How much the client may send. */
  get rate(): MessageRate {
    this.#rate ??= this.#around.rates.of(this.user.id);
    return this.#rate;
  }

  /** Its whole rate is left to it, and to its user: its window need not be looked at. */
  isRested(now: number): boolean {
    return (this.#rate?.isFull(now) ?? true) && this.#around.rates.isFull(this.user.id, now);
  }

  /** What the application keeps with it. */
  get data(): KeptData {
    this.#data ??= new KeptData(this.id, this.#around.store);
    return this.#data;
  }

  /** Whole names of the rooms it has joined. */
  get rooms(): ReadonlySet<string> {
    return this.joined.all;
  }

  /** What this server asks its client. */
  get asking(): Asking {
    if (this.#asking) return this.#asking;
    const { clock, store, node, nextCall, report } = this.#around;
    this.#asking = new Asking({
      clock,
      nextCall,
      encode: (item) => this.codec.encode(item),
      append: (call, next) => store.backlog.holds(this.#append(call, next)),
      life: () => this.life,
      withdraw: (call, next) =>
        this.turns.take(() => store.withdraw({ sid: this.id, writer: node, ...call }), next),
      lend: () => this.runner.lend(),
      failed: (error) => report(error, 'store', this),
    });
    return this.#asking;
  }

  /** What this server answers its client with, item by item. */
  get streams(): Streams {
    if (this.#streams) return this.#streams;
    const { nextCall, report } = this.#around;
    this.#streams = new Streams({
      encode: (item) => this.codec.encode(item),
      append: (data, life) => this.#append({ w: nextCall(), data, life, part: true }, (said) => said),
      life: () => this.life,
      isHandled: (seq) => seq <= this.#handled.low || this.#handled.above.includes(seq),
      failed: (error) => report(error, 'store', this),
    });
    return this.#streams;
  }

  /** Its client has shown a token, with a connection or on one. */
  identified({ user, tokenId }: Pick<Identity, 'user' | 'tokenId'>): void {
    this.user = user;
    this.tokenId = tokenId;
  }

  /** What handlers of this namespace are given; an empty prefix: of none. */
  facadeIn(prefix: string): ServerSession {
    this.#facades ??= new SessionFacades(this, this.#around);
    return this.#facades.in(prefix);
  }

  get ended(): boolean {
    return this.aborter.aborted;
  }

  /** Its connection is gone. */
  detached(): void {
    this.attachment = undefined;
    this.#detachedAt = this.#around.clock.now();
  }

  /** It has had no connection here for so long that its client reads its streams elsewhere, or not at all. */
  sweep(idleMs: number): void {
    if (!this.attachment && this.#around.clock.now() >= this.#detachedAt + idleMs) this.#streams?.abandon();
  }

  /** A connection comes: the store may have accepted what nobody here has heard of. */
  attached({ epoch, gen, previous, lastMove, handled, rooms, data }: AttachedSession): void {
    // Another server has had it: what is known here of its rooms and data is old, and its streams were called lost.
    if (previous !== this.gen) {
      this.data.told(data);
      this.#around.setRooms(this, rooms);
      this.#streams?.abandon();
    }
    this.life = { epoch, gen };
    this.gen = gen;
    this.#moving = lastMove;
    this.#late = lastMove > 0 ? { lastMove, rooms } : undefined;
    // Not its rooms: whoever has moved it since then may have said so before this answer came, or while middleware was asked.
    this.handled(handled, undefined);
    this.moved();
    this.#streams?.retry();
  }

  /** True if all moves are over: it is known in which rooms it is. */
  get isSettled(): boolean {
    return this.#moving === 0;
  }

  /** A move into or out of a room was accepted; none is before the one before it is over. */
  moveAccepted(seq: number): void {
    this.#moving = seq;
  }

  /** A server has moved it. Notes and answers of the store overtake each other: it has to be asked what holds. */
  moved(): void {
    this.#whereabouts = 'unsure';
  }

  /** The store is being asked what has been handled: whether it is also to say in which rooms the session is. */
  asksForRooms(): boolean {
    if (this.#whereabouts === 'unsure') this.#whereabouts = 'asked';
    return this.#whereabouts === 'asked' || !this.isSettled;
  }

  /** This message has been handled here: what came in behind may wait for its move, or for its room in the store. */
  finished(seq: number): void {
    this.#streams?.ran(seq);
    const hasMoved = seq === this.#moving;
    if (hasMoved) this.#moving = 0;
    if (hasMoved && seq === this.#late?.lastMove) this.#around.movedLate(this, this.#late.rooms);
    this.attachment?.finished();
  }

  /** The store says what has been handled, here or elsewhere, and, if it was asked, in which rooms the session is. */
  handled(handled: Handled, rooms: ReadonlyMap<string, Membership> | undefined): void {
    this.#handled = handled;
    this.#streams?.handled();
    const { low, above } = handled;
    if (!rooms || this.#whereabouts === 'unsure') return;
    if (this.#moving > low && !above.includes(this.#moving)) return;
    this.#whereabouts = 'known';
    this.#around.setRooms(this, rooms);
    if (!this.isSettled) this.finished(this.#moving);
  }

  /** From now on the session is a member of this room, or is not. */
  setRoom(name: string, membership: Membership | undefined): void {
    if (membership) this.joined.add(name, membership);
    else this.joined.delete(name);
  }

  /** A frame with an event that goes out now or not at all; undefined: this codec has no word for it. */
  castFrame(frame: WireData | undefined): 'sent' | 'dropped' {
    if (frame !== undefined && this.attachment?.cast(frame)) return 'sent';
    this.#dropped('volatile');
    return 'dropped';
  }

  /**
   * An event for this client; settles on its acknowledgement. `place`: what waits under the same word gives way to it.
   * Throws what the codec cannot encode.
   */
  send(item: EventItem, id: string, place?: string): Sending {
    const deferred = new Deferred<Receipt>(id);
    const data = this.codec.encode(item);
    if (this.ended) {
      deferred.reject(sessionOver(id, false));
      return deferred.sending;
    }
    const w = this.#around.nextCall();
    this.sends ??= new Sends();
    this.sends.add(w, deferred);
    const appending = this.#append({ w, data, place, receipt: true, life: this.life }, (appended) => {
      if (appended.status === 'ok') return this.#superseded(appended.superseded);
      this.sends?.take(w);
      if (appended.status !== 'full') return deferred.reject(sessionOver(id, false));
      this.#dropped('outbox-full');
      deferred.reject(outboxFull(id, `'${item[1]}' was refused`));
    });
    const held = this.#around.store.backlog.holds(appending);
    if (held instanceof Promise) held.catch((error: unknown) => this.#around.report(error, 'store', this));
    return deferred.sending;
  }

  /** An event that is kept for this client, and for whose acknowledgement nobody waits. False: there is no place for it. */
  keep(data: WireData, place: string | undefined): Answer<boolean> {
    const w = this.#around.nextCall();
    this.sends ??= new Sends();
    this.sends.keep(w);
    return this.#append({ w, data, place }, (appended) => {
      if (appended.status === 'full') this.#dropped('outbox-full');
      if (appended.status === 'ok') this.#superseded(appended.superseded);
      else this.sends?.take(w);
      return appended.status === 'ok';
    });
  }

  /** A request to this client; settles with its answer. */
  ask(question: Question): Promise<unknown> {
    return this.ended ? Promise.reject(sessionOver(question.id, false)) : this.asking.ask(question);
  }

  /** Nobody waits any more for the answer to this request. */
  cancel(seq: number): void {
    const reason = new RejectError('cancelled');
    if (!this.#streams?.cancel(seq, reason)) this.runner.cancel(seq, reason);
  }

  #append<R>(
    call: Pick<AppendCall, 'w' | 'data' | 'place' | 'receipt' | 'asks' | 'cancels' | 'part' | 'life'>,
    next: (appended: Appended) => R,
  ): Answer<R> {
    const { store, node: writer } = this.#around;
    // By name: a copy of whatever a call has takes ten times as long, for each message.
    const { w, data, place, receipt, asks, cancels, part, life } = call;
    const append = { sid: this.id, writer, w, data, place, receipt, asks, cancels, part, life };
    return this.turns.take(
      () => (this.#stage === 'over' ? { status: 'lost' as const } : store.append(append)),
      (appended) => {
        if (appended.status === 'ok' && appended.dropped) this.#gaveWay(appended.dropped);
        return next(appended);
      },
    );
  }

  /** More waits for its client than may, whoever has sent that. */
  overflowed(gone: readonly Writing[] | 'connection'): void {
    if (gone !== 'connection') return this.#gaveWay(gone);
    this.attachment?.drop(CloseCode.SLOW_CONSUMER, 'too much waits');
  }

  /** What calls of ours have appended has been dropped for what came later. */
  #gaveWay(dropped: readonly Writing[]): void {
    for (const w of callsOf(this.#around.node, dropped)) {
      this.#dropped('outbox-full');
      this.sends?.gaveWay(w);
    }
  }

  /** What a call of ours has appended has lost its place to a newer one. */
  #superseded(written: Writing | undefined): void {
    if (written?.writer !== this.#around.node) return;
    this.#dropped('superseded');
    this.sends?.superseded(written.w);
  }

  #dropped(reason: 'volatile' | 'outbox-full' | 'superseded'): void {
    this.#around.observe.dropped({ sessionId: this.id, reason, messages: 1 });
  }

  /** What a call of ours has appended has got a number. Gives its receipt, if it is an event. */
  numbered(seq: number, written: Writing | undefined): Deferred<Receipt> | undefined {
    if (written?.writer !== this.#around.node) return undefined;
    this.#asking?.numbered(seq, written.w);
    return this.sends?.numbered(seq, written.w);
  }

  /** The client has everything up to `ack`. */
  acknowledged(ack: number): void {
    this.sends?.acknowledged(ack);
    this.#streams?.retry();
  }

  /** The client has acknowledged these on the connection of another server. */
  taken(written: readonly Writing[]): void {
    this.sends?.taken(callsOf(this.#around.node, written));
  }

  /** The session is over: whoever waits for this client is told. `unwritten`: what never got a number, if the store says so. */
  end(unwritten?: readonly Writing[], life: 'elsewhere' | 'over' = 'over'): void {
    this.#stage = life;
    if (this.ended) return;
    const ours = callsOf(this.#around.node, unwritten ?? []);
    this.#asking?.end(ours);
    // What this server has not written, nobody has, as long as no other one had the connection.
    this.sends?.end(unwritten ? (w) => ours.has(w) : () => this.newestGen <= this.gen);
    const over = sessionOver('', true);
    this.aborter.abort(over);
    this.#runner?.cancelAll(over);
    this.#streams?.abortAll(over);
  }
}
