import type { Random } from '@holdfast/protocol';
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
  LogBounds,
  MoveCall,
  Note,
  Orphan,
  Ownership,
  Presence,
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
} from '@holdfast/server/ports';
import type { BusLine } from './bus-line.js';
import * as calls from './calls.js';
import type { Connection } from './connection.js';
import { Incarnations } from './incarnations.js';
import { Keys } from './keys.js';
import { encodeNote, Listening } from './notes.js';
import { Registers } from './registers.js';
import { listOf, numberOf, type Reply, textOf, textsOf } from './replies.js';
import { type Script, scripts } from './script.js';
import { Seating } from './seating.js';

export interface RedisStoreOptions {
  /** Of every key. */
  readonly prefix: string;
  readonly durability: 'node' | 'disk';
  readonly leaseMs: number;
  /** As those of the store in memory. */
  readonly bounds?: Bounds | undefined;
  readonly inbox?: Bounds | undefined;
  readonly outboxWindowMs?: number | undefined;
  /** Carries notes instead of Redis. */
  readonly line?: BusLine | undefined;
  /** Instead of Redis' own time, for tests; ms. */
  readonly now?: (() => number) | undefined;
}

const BOUNDS: Bounds = [1_000, 1_048_576];
const LOG_BOUNDS: LogBounds = { maxMessages: 256, maxBytes: 262_144, ttlMs: 120_000 };
const WINDOW_MS = 86_400_000;

/** What a store needs of its connection. */
export type Commands = Pick<Connection, 'run' | 'publish' | 'subscribe' | 'checkNotes' | 'nodeOf'>;

type Status = { readonly status: 'ok' | 'gone' };
type Moved = { readonly status: 'ok' | 'kept' | 'gone' };

/**
 * Keeps sessions and rooms in Redis, for all servers that have the same one. Each call is one script, that is, one
 * step. Two things stand elsewhere than the session itself and are told after it: who is in a room, which is the
 * room's count of its members, and the registers, by which sessions are found. What a session is and in which rooms,
 * it alone says.
 */
export class RedisStore implements SessionStore {
  readonly durability: 'node' | 'disk';
  readonly leaseMs: number;
  readonly #connection: Commands;
  readonly #random: Pick<Random, 'id'>;
  readonly #keys: Keys;
  readonly #registers: Registers;
  readonly #incarnations: Incarnations;
  readonly #line: BusLine | undefined;
  readonly #listening: Listening;
  readonly #seating: Seating;
  readonly #bounds: Bounds;
  readonly #inbox: Bounds;
  readonly #outboxWindowMs: number;
  readonly #now: (() => number) | undefined;
  /** What Redis tells from then on is heard. */
  readonly subscribed: Promise<void>;

  constructor(connection: Commands, random: Pick<Random, 'id'>, options: RedisStoreOptions) {
    const {
      prefix,
      durability,
      leaseMs,
      bounds = BOUNDS,
      inbox = BOUNDS,
      outboxWindowMs = WINDOW_MS,
    } = options;
    this.durability = durability;
    this.leaseMs = leaseMs;
    this.#connection = connection;
    this.#random = random;
    this.#keys = new Keys(prefix);
    this.#registers = new Registers(
      this.#keys,
      (script, keys, name, args) => this.#run(script, keys, name, args),
      {
        tell: (sid, rooms) => this.#seating.tellLeft(sid, rooms),
        tidy: (sid) => this.end({ sid, why: 'expired' }),
      },
    );
    this.#incarnations = new Incarnations(
      (key) => connection.nodeOf(key),
      async (key) => textOf(await this.#run(scripts.incarnation, [key], '', [])),
    );
    this.#seating = new Seating({
      seat: (room, args) =>
        this.#run(scripts.seat, [this.#keys.room(room)], room, [...this.#beginRoom(), ...args]),
      ask: (script, sid, args) => this.#ask(script, sid, args),
    });
    this.#bounds = bounds;
    this.#inbox = inbox;
    this.#outboxWindowMs = outboxWindowMs;
    this.#now = options.now;
    this.#line = options.line;
    this.#listening = options.line?.listening ?? new Listening();
    this.subscribed = options.line
      ? Promise.resolve()
      : connection.subscribe(this.#keys.notes, this.#listening);
    // Notes are hints: who hears none asks in time.
    this.subscribed.catch(() => undefined);
  }

  listen(listener: (note: Note) => void): () => void {
    return this.#listening.listen(listener);
  }

  // ── A connection and its session ─────────────────────────────────────────────────────────────────────────────

  async attach(call: AttachCall): Promise<Attached> {
    const { sid, fresh, user } = call;
    // Before there is a session: a register may name one too many, and must not name one too few.
    // Again when its client comes back, where the register may have lost what the session's node has not.
    const isEntered = !fresh && !this.#isApart(sid, user.id);
    const stamp = isEntered ? '' : await this.#registers.enter(sid, user.id);
    const around = {
      bounds: this.#bounds,
      outboxWindowMs: this.#outboxWindowMs,
      stamp,
      epoch: this.#random.id(),
    };
    const keys = [this.#keys.session(sid), this.#keys.outboxes(sid)];
    const reply = await this.#run(scripts.attach, keys, sid, calls.attachArguments(call, around));
    const attached = calls.attached(reply);
    if (attached.status === 'new' || attached.status === 'resumed')
      await this.#seating.tell(sid, textsOf(listOf(reply)[12]));
    return attached;
  }

  async accept(call: AcceptCall): Promise<Accepted> {
    const { sid } = call;
    const keys = [this.#keys.session(sid), this.#keys.outboxes(sid)];
    const args = calls.acceptArguments(call, this.#inbox, this.#outboxWindowMs);
    const [first, accepted] = listOf(await this.#run(scripts.accept, keys, sid, args));
    const status = textOf(first) as Accepted['status'];
    return status === 'ok' || status === 'full' ? { status, accepted: numberOf(accepted) } : { status };
  }

  async append(call: AppendCall): Promise<Appended> {
    return calls.appended(await this.#ask(scripts.append, call.sid, calls.appendArguments(call)));
  }

  async withdraw({ sid, life, writer, w }: WithdrawCall): Promise<Withdrawn> {
    const [first, seq] = listOf(
      await this.#ask(scripts.withdraw, sid, [...calls.lifeArguments(life), writer, w]),
    );
    const status = textOf(first) as Withdrawn['status'];
    return status === 'numbered' ? { status, seq: numberOf(seq) } : { status };
  }

  async read({ sid, epoch, gen, after, window, rooms }: ReadCall): Promise<Read> {
    const args = [epoch, gen, after, ...window, rooms ? '1' : ''];
    const reply = await this.#ask(scripts.read, sid, args);
    const read = calls.read(reply, rooms);
    if (read.status === 'ok' && rooms) await this.#seating.tell(sid, textsOf(listOf(reply)[4]));
    return read;
  }

  async detach({ sid, epoch, gen }: Ownership): Promise<{ readonly status: 'ok' }> {
    await this.#ask(scripts.detach, sid, [epoch, gen]);
    return { status: 'ok' };
  }

  async end({ sid, why, idleMs = 0, reason = '' }: EndCall): Promise<Ended> {
    const reply = listOf(await this.#ask(scripts.end, sid, [why, idleMs, reason]));
    const [status, undelivered, rooms, userId, stamp] = reply;
    await this.#seating.tellLeft(sid, textsOf(rooms));
    if (textOf(userId) !== '') await this.#registers.leave(sid, textOf(userId), textOf(stamp));
    return textOf(status) === 'ok'
      ? { status: 'ok', undelivered: numberOf(undelivered) }
      : { status: 'gone' };
  }

  // ── Running a message ────────────────────────────────────────────────────────────────────────────────────────

  async claim(call: ClaimCall): Promise<Claimed> {
    return calls.claimed(await this.#ask(scripts.claim, call.sid, calls.claimArguments(call)), call.token);
  }

  async renew({ sid, seq, token, holds }: RenewCall): Promise<Status> {
    return statusOf(await this.#ask(scripts.renew, sid, [seq, token, holds ? 1 : 0]));
  }

  async release({ sid, seq, token }: HandlingCall): Promise<Status> {
    return statusOf(await this.#ask(scripts.release, sid, [seq, token]));
  }

  async done({ sid, seq, token, reply, room }: DoneCall): Promise<Status> {
    const data = reply ? calls.replyArguments(reply) : ['', ''];
    const args = [seq, token, ...data, ...calls.moveArguments(room)];
    const call = (): Promise<Reply> => this.#ask(scripts.done, sid, args);
    return statusOf(room && !room.presence ? await this.#seating.moved(sid, room.name, call) : await call());
  }

  orphans({ idleMs }: { readonly idleMs: number }): Promise<readonly Orphan[]> {
    // Asked for now and then, by every server.
    this.#connection.checkNotes();
    return this.#registers.orphans(idleMs);
  }

  // ── Rooms ────────────────────────────────────────────────────────────────────────────────────────────────────

  async publish(call: PublishCall): Promise<Published> {
    const { room, bounds, incarnation = '' } = call;
    const begin = [incarnation, this.#random.id(), ...calls.boundsArguments(LOG_BOUNDS, bounds)];
    const args = [...begin, ...calls.publishArguments(call)];
    const reply = listOf(await this.#run(scripts.publish, [this.#keys.room(room)], room, args));
    const [status, epoch, offset, members] = reply;
    if (textOf(status) === 'lost') {
      this.#incarnations.forget(incarnation);
      return { status: 'lost' };
    }
    const position = { epoch: textOf(epoch), offset: numberOf(offset) };
    return { status: 'ok', position, members: numberOf(members) };
  }

  /** On disk there is none: what was promised is there. */
  incarnation({ room }: { readonly room: string }): string | Promise<string> {
    return this.durability === 'disk' ? '' : this.#incarnations.of(this.#keys.room(room));
  }

  async readRoom({ room, bounds, after, member }: ReadRoomCall): Promise<RoomPart> {
    const begin = [this.#random.id(), ...calls.boundsArguments(LOG_BOUNDS, bounds)];
    const args = [...begin, after ? '1' : '', after?.epoch ?? '', after?.offset ?? 0];
    const part = calls.roomPart(await this.#run(scripts.readRoom, [this.#keys.room(room)], room, args));
    // Its node may have lost its last writes, and that of the session has not.
    if (part.gap?.why === 'new-epoch' && member !== undefined) await this.#seating.seat(member, room);
    return part;
  }

  async move(call: MoveCall): Promise<Moved> {
    const { sid, move } = call;
    const ask = (): Promise<Reply> => this.#ask(scripts.move, sid, calls.moveArguments(move));
    const answer = move.presence ? await ask() : await this.#seating.moved(sid, move.name, ask);
    const status = textOf(listOf(answer)[0]) as Moved['status'];
    if (status === 'ok') {
      await this.#tell(encodeNote({ about: 'move', ...call }));
    }
    return { status };
  }

  async present({ room, ...presence }: PresentCall): Promise<Present> {
    const present = await this.#presentNow(room, presence);
    if (present.status !== 'gone') return present;
    // Who has put it into the room may not have come to tell the room, and may never come to it.
    await this.#seating.seat(presence.sid, room);
    return this.#presentNow(room, presence);
  }

  async #presentNow(room: string, presence: Presence): Promise<Present> {
    const args = [...this.#beginRoom(), ...calls.presentArguments(presence)];
    const [status] = listOf(await this.#run(scripts.present, [this.#keys.room(room)], room, args));
    return { status: textOf(status) as Present['status'] };
  }

  async whoIsThere({ room }: { readonly room: string }): Promise<Attendance> {
    const keys = [this.#keys.room(room)];
    return calls.attendance(await this.#run(scripts.whoIsThere, keys, room, this.#beginRoom()));
  }

  async beat({ node }: { readonly node: string }): Promise<{ readonly living: readonly string[] }> {
    return { living: textsOf(await this.#run(scripts.beat, [this.#keys.servers], node, [])) };
  }

  /** What a room is made with, if there is none. */
  #beginRoom(): calls.Argument[] {
    return [this.#random.id(), ...calls.boundsArguments(LOG_BOUNDS, undefined)];
  }

  async cast(call: CastCall): Promise<{ readonly members: number }> {
    const { to, except } = call;
    const members = 'room' in to ? this.#countIn(to.room, except) : this.#countOf(to.sids, except);
    await this.#tell(encodeNote({ about: 'cast', ...call }));
    return { members: await members };
  }

  async #countIn(room: string, except: ReadonlySet<string>): Promise<number> {
    const args = [except.size, ...except];
    return numberOf(await this.#run(scripts.countMembers, [this.#keys.room(room)], room, args));
  }

  async #countOf(sids: ReadonlySet<string>, except: ReadonlySet<string>): Promise<number> {
    return (await this.#look([...sids].filter((sid) => !except.has(sid)))).length;
  }

  async find({ sids, users, rooms }: FindCall): Promise<readonly FoundSession[]> {
    const isAll = !sids && !users && !rooms;
    const named = await Promise.all([
      isAll ? this.#registers.all() : (sids ?? []),
      ...(users ?? []).map((user) => this.#registers.ofUser(user)),
      ...(rooms ?? []).map((room) => this.#membersOf(room)),
    ]);
    const found = await this.#look([...new Set(named.flat())]);
    // A register may name too many.
    const isMeant = ({ sid, user, rooms: joined }: FoundSession): boolean =>
      isAll ||
      sids?.includes(sid) === true ||
      users?.includes(user.id) === true ||
      rooms?.some((room) => joined.includes(room)) === true;
    return found.filter(isMeant);
  }

  async describe({ sid, data }: DescribeCall): Promise<Status> {
    return statusOf(await this.#ask(scripts.describe, sid, [data]));
  }

  async #membersOf(room: string): Promise<string[]> {
    return textsOf(await this.#run(scripts.membersOf, [this.#keys.room(room)], room, []));
  }

  async #look(sids: readonly string[]): Promise<FoundSession[]> {
    const looked = await Promise.all(
      sids.map(async (sid) => calls.found(sid, await this.#ask(scripts.look, sid, []))),
    );
    return looked.filter((one) => one !== undefined);
  }

  /** The registers stand on other nodes than the session. */
  #isApart(sid: string, userId: string): boolean {
    const { sessions } = this.#keys;
    const registers = [sessions, this.#keys.user(userId)];
    const node = this.#connection.nodeOf(this.#keys.session(sid));
    return registers.some((key) => this.#connection.nodeOf(key) !== node);
  }

  // ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────────

  #ask(script: Script, sid: string, args: readonly calls.Argument[]): Promise<Reply> {
    return this.#run(script, [this.#keys.session(sid)], sid, args);
  }

  #run(
    script: Script,
    keys: readonly string[],
    name: string,
    args: readonly calls.Argument[],
  ): Promise<Reply> {
    const clock = this.#now?.() ?? '';
    const channel = this.#line ? '' : this.#keys.notes;
    const begin = [channel, clock, this.durability, name, this.leaseMs];
    const answer = this.#connection.run(script, keys, [...begin, ...args]);
    return this.#line?.told(answer) ?? answer;
  }

  /** What no step tells. */
  async #tell(note: Buffer): Promise<void> {
    if (this.#line) this.#line.tell([note]);
    else await this.#connection.publish(this.#keys.notes, note);
  }
}

const statusOf = (reply: Reply): Status => ({
  status: textOf(listOf(reply)[0]) === 'ok' ? 'ok' : 'gone',
});
