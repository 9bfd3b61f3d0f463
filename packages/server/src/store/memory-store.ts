import type { Clock, Random } from '@holdfast/protocol';
import { Groups } from '../groups.js';
import type {
  AcceptCall,
  Accepted,
  AppendCall,
  Appended,
  AttachCall,
  Attached,
  Attendance,
  Bounds,
  CastCall,
  ClaimCall,
  Claimed,
  DescribeCall,
  DoneCall,
  EndCall,
  Ended,
  FindCall,
  FoundSession,
  HandlingCall,
  Move,
  MoveCall,
  Note,
  Orphan,
  Ownership,
  Present,
  PresentCall,
  PublishCall,
  Published,
  Read,
  ReadCall,
  ReadRoomCall,
  RenewCall,
  RoomPart,
  SessionStore,
  WithdrawCall,
  Withdrawn,
} from '../ports/store.js';
import type { User } from '../types.js';
import type { HandledMarks } from './handled-marks.js';
import type { Inbox } from './inbox.js';
import { Notes } from './notes.js';
import { OutboxMarks } from './outbox-marks.js';
import { RoomLogs } from './room-log.js';
import { SessionRecord, type SessionSettings } from './session-record.js';
import { Tombstones } from './tombstones.js';

export interface MemoryStoreOptions {
  /** Default 10_000. */
  readonly leaseMs?: number | undefined;
  /** Of what is appended for one client and not acknowledged; default 1_000 messages, 1_048_576 bytes. */
  readonly bounds?: Bounds | undefined;
  /** Of what is accepted from one client and not handled; default as above. */
  readonly inbox?: Bounds | undefined;
  /** How long it is known what durable outboxes have had accepted; ms, default 86_400_000. */
  readonly outboxWindowMs?: number | undefined;
}

const BOUNDS: Bounds = [1_000, 1_048_576];
const LEASE_MS = 10_000;
const WINDOW_MS = 86_400_000;

/** What is left of a session that has ended: messages that somebody still has to handle. */
interface Remains {
  readonly user: User;
  readonly codec: string;
  readonly data: string | undefined;
  readonly inbox: Inbox;
  readonly handled: HandledMarks;
  readonly touchedAt: number;
}

/**
 * Keeps everything in memory: sessions survive cuts of their connections, not the end of the process. Answers at
 * once. Has no timers: what has become too old goes when the store is asked next. Keeps what it is given as it is,
 * so nobody may change it afterwards.
 */
export class MemoryStore implements SessionStore {
  readonly durability = 'memory';
  readonly leaseMs: number;
  readonly #clock: Clock;
  readonly #settings: SessionSettings;
  readonly #sessions = new Map<string, SessionRecord>();
  /** Ids of the sessions of a user. */
  readonly #users = new Groups();
  readonly #remains = new Map<string, Remains>();
  readonly #tombstones = new Tombstones();
  readonly #rooms: RoomLogs;
  readonly #notes = new Notes();
  /** When each server last said that it lives. */
  readonly #beats = new Map<string, number>();
  /** Of the newest connection of any session. */
  #gen = 0;

  constructor({ clock, random }: { clock: Clock; random: Random }, options: MemoryStoreOptions = {}) {
    const { leaseMs = LEASE_MS, bounds = BOUNDS, inbox = BOUNDS, outboxWindowMs = WINDOW_MS } = options;
    this.leaseMs = leaseMs;
    this.#clock = clock;
    const outboxes = new OutboxMarks(outboxWindowMs);
    this.#settings = { epoch: random.id(), bounds, inbox, leaseMs, outboxes };
    this.#rooms = new RoomLogs(() => random.id());
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions.values()) bytes += session.outIfAny?.heldBytes ?? 0;
    return bytes;
  }

  listen(listener: (note: Note) => void): () => void {
    return this.#notes.listen(listener);
  }

  // ── A connection and its session ─────────────────────────────────────────────────────────────────────────────

  attach(call: AttachCall): Attached {
    const now = this.#clock.now();
    const { sid, fresh } = call;
    const known = this.#sessions.get(sid);
    if (!known && !(fresh && this.#isUnused(sid, now))) return this.#tombstones.ask(call, now);
    const refusal = known?.refuses(call);
    if (refusal) return { status: refusal };
    const session = known ?? this.#make(call, now);
    this.#tombstones.delete(sid);
    const attached = session.attach(call, ++this.#gen, now, (note) => this.#notes.add(note));
    this.#notes.add({ about: 'attach', sid, epoch: this.#settings.epoch, gen: session.gen });
    this.#notes.tell();
    return attached;
  }

  accept(call: AcceptCall): Accepted {
    const session = this.#owned(call);
    if (typeof session === 'string') return { status: session };
    const { sid } = call;
    const accepted = session.accept(call, this.#clock.now(), (note) => this.#notes.add(note));
    if (call.items.some(({ refusal }) => refusal)) this.#notes.add({ about: 'session', sid });
    this.#notes.tell();
    return accepted;
  }

  append(call: AppendCall): Appended {
    const session = this.#meant(call);
    if (!session) return { status: 'lost' };
    const appended = session.append(call, (note) => this.#notes.add(note));
    this.#notes.tell();
    return appended;
  }

  withdraw(call: WithdrawCall): Withdrawn {
    const { sid } = call;
    const withdrawn = this.#meant(call)?.outIfAny?.withdraw(call) ?? { status: 'gone' };
    // What waited behind it may go.
    if (withdrawn.status === 'ok') this.#notes.add({ about: 'session', sid });
    this.#notes.tell();
    return withdrawn;
  }

  read(call: ReadCall): Read {
    const session = this.#owned(call);
    if (typeof session === 'string') return { status: session };
    session.touch(this.#clock.now());
    const items = session.outIfAny?.read(call.after, call.window) ?? [];
    const rooms = call.rooms ? session.roomsNow() : undefined;
    return { status: 'ok', items, handled: session.handledNow(), rooms };
  }

  detach(call: Ownership): { readonly status: 'ok' } {
    const session = this.#owned(call);
    if (typeof session !== 'string') session.detach(this.#clock.now());
    return { status: 'ok' };
  }

  end({ sid, why, idleMs = 0, reason }: EndCall): Ended {
    const now = this.#clock.now();
    const session = this.#sessions.get(sid);
    if (!session || (why === 'expired' && now - session.touchedAt < idleMs)) return { status: 'gone' };
    const { user, codec, data, handled, touchedAt, keys, heard, gen, outIfAny: out } = session;
    this.#sessions.delete(sid);
    this.#users.delete(user.id, sid);
    for (const room of session.rooms.keys()) this.#leave(room, sid, now);
    if (session.unhandled > 0) {
      this.#remains.set(sid, { user, codec, data, inbox: session.inbox, handled, touchedAt });
    }
    if (why === 'closed') {
      this.#tombstones.close(sid);
    } else {
      const refused = out?.refusals ?? [];
      this.#tombstones.add(sid, { userId: user.id, keys, handled, refused, heard, endedAt: now, reason });
    }
    const { undelivered = 0, unwritten = [] } = out ?? {};
    const { epoch } = this.#settings;
    this.#notes.add({ about: 'end', sid, why, reason, undelivered, epoch, gen, unwritten });
    this.#notes.tell();
    return { status: 'ok', undelivered };
  }

  // ── Running a message ────────────────────────────────────────────────────────────────────────────────────────

  claim(call: ClaimCall): Claimed {
    const now = this.#clock.now();
    const where = this.#whereHandled(call.sid);
    if (!where) return { items: [], blocked: false };
    if (where instanceof SessionRecord) {
      if (call.life && !where.isSame(call.life)) return { items: [], blocked: false };
      if (!where.isFor(call.holder, now, this.leaseMs)) return { items: [], blocked: where.unhandled > 0 };
      where.seen(call.holder, now);
      if (where.unhandled === 0) return { items: [], blocked: false };
    }
    return where.inbox.claim(call, now);
  }

  renew({ sid, seq, token, holds }: RenewCall): { readonly status: 'ok' | 'gone' } {
    const renewed = this.#whereHandled(sid)?.inbox.renew(seq, token, this.#clock.now(), holds);
    return { status: renewed ? 'ok' : 'gone' };
  }

  release({ sid, seq, token }: HandlingCall): { readonly status: 'ok' | 'gone' } {
    return { status: this.#whereHandled(sid)?.inbox.release(seq, token) ? 'ok' : 'gone' };
  }

  done({ sid, seq, token, reply, room }: DoneCall): { readonly status: 'ok' | 'gone' } {
    const where = this.#whereHandled(sid);
    if (!where?.inbox.done(seq, token)) return { status: 'gone' };
    where.handled.mark(seq);
    if (where instanceof SessionRecord) {
      if (reply) where.out.reply(reply);
      if (room) this.#move(where, room);
      this.#notes.add({ about: 'session', sid });
    } else {
      if (reply?.refusal) this.#tombstones.refuse(sid, reply.refusal);
      if (where.inbox.size === 0) this.#remains.delete(sid);
    }
    this.#notes.tell();
    return { status: 'ok' };
  }

  orphans({ idleMs }: { readonly idleMs: number }): readonly Orphan[] {
    const now = this.#clock.now();
    this.#rooms.drop(now);
    const orphans: Orphan[] = [];
    for (const [ended, all] of [
      [false, this.#sessions],
      [true, this.#remains],
    ] as const) {
      for (const [sid, one] of all) {
        const { user, codec, touchedAt, data } = one;
        const unhandled = one instanceof SessionRecord ? one.unhandled : one.inbox.size;
        if (now - touchedAt >= idleMs) orphans.push({ sid, user, codec, unhandled, ended, data });
      }
    }
    return orphans;
  }

  // ── Rooms ────────────────────────────────────────────────────────────────────────────────────────────────────

  publish(call: PublishCall): Published {
    const { room, incarnation = this.#settings.epoch } = call;
    if (incarnation !== this.#settings.epoch) return { status: 'lost' };
    const published = this.#rooms.publish(call, this.#clock.now());
    this.#notes.add({ about: 'room', room });
    this.#notes.tell();
    return { status: 'ok', ...published };
  }

  incarnation(): string {
    return this.#settings.epoch;
  }

  cast(call: CastCall): { readonly members: number } {
    this.#notes.add({ about: 'cast', ...call });
    this.#notes.tell();
    const { to, except } = call;
    if ('room' in to) return { members: this.#rooms.countFor(to.room, except) };
    return { members: [...to.sids].filter((sid) => this.#sessions.has(sid) && !except.has(sid)).length };
  }

  find({ sids, users, rooms }: FindCall): readonly FoundSession[] {
    const isAll = !sids && !users && !rooms;
    const named = new Set(isAll ? this.#sessions.keys() : sids);
    for (const user of users ?? []) for (const sid of this.#users.of(user)) named.add(sid);
    for (const room of rooms ?? []) for (const sid of this.#rooms.membersOf(room)) named.add(sid);
    return [...named].flatMap((sid) => {
      const session = this.#sessions.get(sid);
      if (!session) return [];
      const { user, codec, attached, data } = session;
      return { sid, user, codec, rooms: [...session.rooms.keys()], attached, data };
    });
  }

  describe({ sid, data }: DescribeCall): { readonly status: 'ok' | 'gone' } {
    const session = this.#sessions.get(sid);
    if (session) session.data = data;
    return { status: session ? 'ok' : 'gone' };
  }

  move(call: MoveCall): { readonly status: 'ok' | 'kept' | 'gone' } {
    const session = this.#sessions.get(call.sid);
    if (!session) return { status: 'gone' };
    if (call.move.membership && session.rooms.has(call.move.name)) return { status: 'kept' };
    this.#move(session, call.move);
    this.#notes.add({ about: 'move', ...call });
    this.#notes.tell();
    return { status: 'ok' };
  }

  readRoom(call: ReadRoomCall): RoomPart {
    return this.#rooms.read(call, this.#clock.now());
  }

  // ── Who is there ─────────────────────────────────────────────────────────────────────────────────────────────

  present(call: PresentCall): Present {
    const present = this.#rooms.present(call, this.#clock.now(), (note) => this.#notes.add(note));
    this.#notes.tell();
    return present;
  }

  whoIsThere({ room }: { readonly room: string }): Attendance {
    return this.#rooms.whoIsThere(room);
  }

  beat({ node }: { readonly node: string }): { readonly living: readonly string[] } {
    const now = this.#clock.now();
    this.#beats.set(node, now);
    for (const [one, at] of this.#beats) if (at < now - this.leaseMs) this.#beats.delete(one);
    return { living: [...this.#beats.keys()] };
  }

  // ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────────

  #make(call: AttachCall, now: number): SessionRecord {
    const session = new SessionRecord(call, this.#settings, now);
    this.#sessions.set(call.sid, session);
    this.#users.add(call.user.id, call.sid);
    return session;
  }

  /** The session, if it is the caller's. */
  #owned({ sid, epoch, gen }: Ownership): SessionRecord | 'fenced' | 'lost' {
    const session = epoch === this.#settings.epoch ? this.#sessions.get(sid) : undefined;
    if (!session) return 'lost';
    return gen === session.gen ? session : 'fenced';
  }

  /** The session, unless the caller means an earlier one of that id. */
  #meant({ sid, life }: AppendCall | WithdrawCall): SessionRecord | undefined {
    const session = this.#sessions.get(sid);
    return life && !session?.isSame(life) ? undefined : session;
  }

  #whereHandled(sid: string): SessionRecord | Remains | undefined {
    return this.#sessions.get(sid) ?? this.#remains.get(sid);
  }

  /**
   * Whether a session may be made under this id. The client draws it, and draws another one once it knows that its
   * session is lost: numbers of a session that had been used must not be given a second time.
   */
  #isUnused(sid: string, now: number): boolean {
    return !this.#remains.has(sid) && !this.#tombstones.heard(sid, now);
  }

  #move(session: SessionRecord, { name, membership, presence }: Move): void {
    const now = this.#clock.now();
    const known = session.rooms.get(name);
    if (presence) {
      if (known) session.setRoom(name, { ...known, presence });
    } else if (membership) {
      session.setRoom(name, membership);
      this.#rooms.enter(name, session.sid, now);
    } else if (session.leaveRoom(name)) this.#leave(name, session.sid, now);
  }

  #leave(room: string, sid: string, now: number): void {
    this.#rooms.leave(room, sid, now, (note) => this.#notes.add(note));
  }
}
