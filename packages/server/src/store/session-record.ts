import { NONE_HANDLED } from '../none-handled.js';
import type {
  AcceptCall,
  Accepted,
  AcceptedItem,
  AppendCall,
  Appended,
  AttachCall,
  Attached,
  Bounds,
  Handled,
  Life,
  Membership,
  Note,
  OutboxRules,
} from '../ports/store.js';
import type { User } from '../types.js';
import { HandledMarks } from './handled-marks.js';
import { Inbox } from './inbox.js';
import { Keys } from './keys.js';
import { LastCalls } from './last-calls.js';
import { type LaneRules, OutLane } from './out-lane.js';
import type { OutboxMarks } from './outbox-marks.js';

const NOWHERE: ReadonlyMap<string, Membership> = new Map();

/** What a session is made with. */
export interface SessionSettings {
  /** The store's incarnation. */
  readonly epoch: string;
  readonly bounds: Bounds;
  readonly inbox: Bounds;
  readonly leaseMs: number;
  readonly outboxes: OutboxMarks;
}

/** A living session: its numbers, what came in, what is to go out. */
export class SessionRecord {
  readonly sid: string;
  readonly user: User;
  readonly codec: string;
  readonly keys: Keys;
  // Made when there is something for them: most sessions are only there.
  #handled: HandledMarks | undefined;
  #inbox: Inbox | undefined;
  #out: OutLane | undefined;
  #rooms: Map<string, Membership> | undefined;
  #appended: LastCalls<Appended> | undefined;
  /** What the application says of it. */
  data: string | undefined;
  /** When its owner last asked for it: its time to live counts from there. */
  touchedAt: number;
  /** When its owner last had to do with it in any way. */
  #seenAt: number;
  /** The client has been there since the session was made: it has had a WELCOME. */
  heard = false;
  /** Of its newest connection, and of its first. */
  gen = 0;
  #firstGen = Infinity;
  readonly #settings: SessionSettings;
  /** As its newest connection has said; undefined: those of the store. */
  #outbox: OutboxRules | undefined;
  /** Attach number of the newest connection. */
  #n = 0;
  /** The server that has its newest connection, or had it. */
  #owner = '';
  #attached = false;
  #accepted = 0;
  #lastMove = 0;
  /** Most requests that its client has open at once. */
  #maxRequests = 0;

  constructor({ sid, user, codec, newKey }: AttachCall, settings: SessionSettings, now: number) {
    this.sid = sid;
    this.user = user;
    this.codec = codec;
    this.keys = new Keys(newKey);
    this.touchedAt = now;
    this.#seenAt = now;
    this.#settings = settings;
  }

  /** Which of its client's numbers have been handled. */
  get handled(): HandledMarks {
    this.#handled ??= new HandledMarks();
    return this.#handled;
  }

  handledNow(): Handled {
    return this.#handled?.told() ?? NONE_HANDLED;
  }

  /** What came in and has not been handled. */
  get inbox(): Inbox {
    this.#inbox ??= new Inbox(this.#settings.inbox, this.#settings.leaseMs);
    return this.#inbox;
  }

  /** How much of that there is. */
  get unhandled(): number {
    return this.#inbox?.size ?? 0;
  }

  /** What is to go out. */
  get out(): OutLane {
    this.#out ??= new OutLane(this.#rules);
    return this.#out;
  }

  /** The same, if there is or was any. */
  get outIfAny(): OutLane | undefined {
    return this.#out;
  }

  get #rules(): LaneRules {
    const { bounds = this.#settings.bounds, overflow = 'reject' } = this.#outbox ?? {};
    return { bounds, overflow };
  }

  get rooms(): ReadonlyMap<string, Membership> {
    return this.#rooms ?? NOWHERE;
  }

  setRoom(name: string, membership: Membership): void {
    this.#rooms ??= new Map();
    this.#rooms.set(name, membership);
  }

  /** True if it was in it. */
  leaveRoom(name: string): boolean {
    return this.#rooms?.delete(name) ?? false;
  }

  // ── Connections ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Why this HELLO gets no connection to the session. The order of the questions is part of the protocol. */
  refuses(call: AttachCall): 'lost' | 'stale' | undefined {
    if (call.user.id !== this.user.id) return 'lost';
    if (call.n <= this.#n) return 'stale';
    // Its WELCOME was lost, so it has no key to show. Once it has been heard, it has one.
    if (call.fresh) return this.heard ? 'lost' : undefined;
    if (!this.keys.include(call.key)) return 'lost';
    const knowsMore = call.received > (this.#out?.top ?? 0) || call.acked > this.#accepted;
    return call.epoch !== this.#settings.epoch || knowsMore ? 'lost' : undefined;
  }

  /** `tell` is given what others have to know of it. */
  attach(call: AttachCall, gen: number, now: number, tell: (note: Note) => void): Attached {
    const { fresh, n, key, newKey, received, node, maxRequests, outbox } = call;
    const previous = this.gen;
    this.#maxRequests = maxRequests;
    this.#outbox = outbox;
    if (this.#out) this.#out.rules = this.#rules;
    this.#n = n;
    this.gen = gen;
    this.#firstGen = Math.min(this.#firstGen, gen);
    this.#owner = node;
    this.#attached = true;
    this.seen(node, now);
    this.keys.rotate(key, newKey);
    this.#taken(received, tell);
    this.touchedAt = now;
    return {
      status: fresh ? 'new' : 'resumed',
      epoch: this.#settings.epoch,
      gen,
      previous,
      accepted: this.#accepted,
      base: this.#out?.base ?? 0,
      handled: this.handledNow(),
      lastMove: this.#lastMove,
      outboxWindowMs: Math.floor(this.#settings.outboxes.window(now)),
      codec: this.codec,
      rooms: this.roomsNow(),
      data: this.data,
    };
  }

  /** As they are now, whatever becomes of them. */
  roomsNow(): ReadonlyMap<string, Membership> {
    return this.rooms.size === 0 ? NOWHERE : new Map(this.rooms);
  }

  get attached(): boolean {
    return this.#attached;
  }

  /** Its time to live begins when the connection is gone, not when something last came on it. */
  detach(now: number): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.touchedAt = now;
  }

  /** This server has had to do with it. */
  seen(node: string, now: number): void {
    if (node === this.#owner) this.#seenAt = now;
  }

  /** Whether that server may run what nobody has begun: the owner may, others only when it has been silent. */
  isFor(node: string, now: number, leaseMs: number): boolean {
    return node === this.#owner || now - this.#seenAt >= leaseMs;
  }

  /** Whether it is the one that the caller knows. */
  isSame({ epoch, gen }: Life): boolean {
    return epoch === this.#settings.epoch && gen >= this.#firstGen;
  }

  /** Its owner has asked for it. */
  touch(now: number): void {
    this.touchedAt = now;
    this.#seenAt = now;
  }

  // ── What goes out ────────────────────────────────────────────────────────────────────────────────────────────

  /** `tell` is given what others have to know of it. */
  append(call: AppendCall, tell: (note: Note) => void): Appended {
    this.#appended ??= new LastCalls();
    return this.#appended.once(call, () => {
      const { sid } = this;
      const before = this.out.level;
      tell({ about: 'session', sid });
      const appended = this.out.append(call, this.#maxRequests);
      const dropped = appended.status === 'ok' ? (appended.dropped ?? []) : [];
      const ofOthers = dropped.filter(({ writer }) => writer !== call.writer);
      if (ofOthers.length > 0) tell({ about: 'overflow', sid, gone: ofOthers });
      const overflows = before === 'low' && this.out.level === 'high';
      if (overflows && this.out.rules.overflow === 'disconnect')
        tell({ about: 'overflow', sid, gone: 'connection' });
      return appended;
    });
  }

  // ── What comes in ────────────────────────────────────────────────────────────────────────────────────────────

  /** `tell` is given what others have to know of it: whoever asked what is answered, waits for an ack, runs what is given up. */
  accept(
    { items, ack, answers = [], cancels = [] }: AcceptCall,
    now: number,
    tell: (note: Note) => void,
  ): Accepted {
    this.#checkNumbers(items);
    this.touch(now);
    this.heard = true;
    this.keys.confirm();
    this.#taken(ack, tell);
    const { sid } = this;
    for (const answer of answers) {
      const written = this.#out?.answered(answer[1]);
      if (written) tell({ about: 'answer', sid, written, answer });
    }
    for (const seq of cancels) {
      const holder = this.#inbox?.holderOf(seq);
      if (holder !== undefined && holder !== this.#owner) tell({ about: 'cancel', sid, holder, seqs: [seq] });
    }
    for (const item of items) {
      if (item.seq <= this.#accepted) continue;
      if (!this.#take(item, now)) return { status: 'full', accepted: this.#accepted };
      this.#accepted = item.seq;
    }
    return { status: 'ok', accepted: this.#accepted };
  }

  /** The client has everything up to `seq`. */
  #taken(seq: number, tell: (note: Note) => void): void {
    const written = this.#out?.trim(seq, this.#owner) ?? [];
    if (written.length > 0) tell({ about: 'taken', sid: this.sid, written });
  }

  /** Before anything changes: a step is made as a whole or not at all. */
  #checkNumbers(items: readonly AcceptedItem[]): void {
    let highest = items[0] ? Math.min(items[0].seq - 1, this.#accepted) : 0;
    for (const { seq } of items) {
      if (seq !== highest + 1) throw new Error(`accept(): number ${seq} does not follow on ${highest}`);
      highest = seq;
    }
  }

  /** False if there is no place for it. */
  #take({ seq, item, bytes = 0, moves, refusal, outbox }: AcceptedItem, now: number): boolean {
    // Accepted in an earlier session, it has been handled there, or will be, whatever would be said of it today.
    if (outbox && this.#settings.outboxes.has(this.user.id, outbox)) {
      this.handled.mark(seq);
      return true;
    }
    if ((item || refusal) && this.#out?.fullOfReplies) return false;
    if (item && !this.inbox.add(seq, item, bytes)) return false;
    if (item && outbox) this.#settings.outboxes.note(this.user.id, outbox, now);
    if (!item) this.handled.mark(seq);
    if (moves) this.#lastMove = seq;
    if (refusal) this.out.reply(refusal);
    return true;
  }
}
