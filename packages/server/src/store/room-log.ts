import { ByAge } from '../by-age.js';
import { dropOldest } from '../drop-oldest.js';
import type {
  Attendance,
  LogBounds,
  LoggedPublication,
  Present,
  PresentCall,
  PresentNote,
  Publication,
  PublishCall,
  ReadRoomCall,
  RoomPart,
  RoomPosition,
} from '../ports/store.js';
import { sizeOf } from '../size-of.js';
import { AttendanceList, type Attending } from './attendance-list.js';
import { LastCalls } from './last-calls.js';

/** Bounds of the log of a room for which nobody has named others. */
export const LOG_BOUNDS: LogBounds = { maxMessages: 256, maxBytes: 262_144, ttlMs: 120_000 };
/** Of so many messages it is known that they were published: one whose handler ran twice would be published twice. */
const MAX_MESSAGES_KNOWN = 1_024;

const NOBODY: ReadonlySet<string> = new Set();
const NOBODY_THERE: Attendance = { version: 0, present: [] };

interface Logged {
  readonly position: RoomPosition;
  readonly members: number;
}

interface Entry {
  readonly publication: LoggedPublication;
  readonly bytes: number;
  /** By the store's clock. */
  readonly loggedAt: number;
}

/** The newest part of what was said in a room, and who is in it. */
class RoomLog {
  /** Another one whenever the log begins anew. */
  readonly epoch: string;
  /** Ids of sessions. */
  readonly members = new Set<string>();
  #attendance: AttendanceList | undefined;
  /** The newest that were named count. */
  bounds = LOG_BOUNDS;
  readonly #published = new LastCalls<Logged>();
  /** The oldest first. */
  readonly #byMessage = new Map<string, Logged>();
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #offset = 0;
  /** Everything up to here is no longer in the log. */
  #base = 0;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get top(): RoomPosition {
    return { epoch: this.epoch, offset: this.#offset };
  }

  /** Who of the members is there, where anybody has said so. */
  get attendance(): AttendanceList {
    this.#attendance ??= new AttendanceList();
    return this.#attendance;
  }

  /** The same, if anybody was or is. */
  get attendanceIfAny(): AttendanceList | undefined {
    return this.#attendance;
  }

  publish({ publication, message, writer, w }: PublishCall, now: number): Logged {
    return this.#published.once({ writer, w }, () => {
      const known = message === undefined ? undefined : this.#byMessage.get(message);
      if (known) return known;
      this.#append(publication, now);
      const logged = { position: this.top, members: this.countFor(publication.except) };
      if (message !== undefined) this.#remember(message, logged);
      return logged;
    });
  }

  /** How many members something is for. */
  countFor(except: ReadonlySet<string>): number {
    let { size: members } = this.members;
    for (const sid of except) if (this.members.has(sid)) members--;
    return members;
  }

  #remember(message: string, logged: Logged): void {
    this.#byMessage.set(message, logged);
    dropOldest(this.#byMessage, MAX_MESSAGES_KNOWN);
  }

  #append(publication: Publication, now: number): void {
    const bytes = sizeOf(publication.event);
    if (publication.place !== undefined) this.#drop(publication);
    this.#offset++;
    this.#entries.push({ publication: { ...publication, offset: this.#offset }, bytes, loggedAt: now });
    this.#bytes += bytes;
    this.#trim(now);
  }

  /** A newer one is about to come: who has not read the older ones yet need not, if it is for him. */
  #drop({ place, except }: Publication): void {
    const isNeedless = ({ publication: old }: Entry): boolean =>
      old.place === place && [...except].every((sid) => old.except.has(sid));
    for (const old of this.#entries.filter(isNeedless)) {
      this.#entries.splice(this.#entries.indexOf(old), 1);
      this.#bytes -= old.bytes;
    }
  }

  /** What is not read live is read from here, so the newest publication stays, however big it is. */
  #trim(now: number): void {
    let oldest = this.#entries[0];
    while (oldest && this.#isTooMuch(oldest, now)) {
      this.#entries.shift();
      this.#bytes -= oldest.bytes;
      this.#base = oldest.publication.offset;
      oldest = this.#entries[0];
    }
  }

  #isTooMuch({ loggedAt }: Entry, now: number): boolean {
    const { maxMessages, maxBytes, ttlMs } = this.bounds;
    if (loggedAt < now - ttlMs) return true;
    return this.#entries.length > 1 && (this.#entries.length > maxMessages || this.#bytes > maxBytes);
  }

  read(after: RoomPosition | undefined, now: number): RoomPart {
    this.#trim(now);
    const { top } = this;
    const base = this.#base;
    if (!after) return { top, base, items: [] };
    const sameLog = after.epoch === this.epoch && after.offset <= this.#offset;
    // Who comes from an earlier log has seen nothing of this one. What was lost with that log nobody can say.
    const offset = sameLog ? after.offset : 0;
    const items = this.#after(offset);
    if (sameLog && offset >= base) return { top, base, items };
    return { top, base, gap: { from: offset + 1, to: base, why: sameLog ? 'trimmed' : 'new-epoch' }, items };
  }

  /** A log may be long, and what is read of it is nearly always its end. */
  #after(offset: number): LoggedPublication[] {
    let from = this.#entries.length;
    while ((this.#entries[from - 1]?.publication.offset ?? 0) > offset) from--;
    return this.#entries.slice(from).map(({ publication }) => publication);
  }
}

const telling =
  (room: string, tell: (note: PresentNote) => void) =>
  (change: Attending): void =>
    tell({ about: 'present', room, ...change });

/** All rooms. One without members stays as long as its log is worth something to one who comes back. */
export class RoomLogs {
  readonly #newEpoch: () => string;
  readonly #rooms = new Map<string, RoomLog>();
  /** Rooms without members, by how long they stay and by when something last happened there; the longest ago first. */
  readonly #emptySince = new Map<number, ByAge<string, number>>();

  constructor(newEpoch: () => string) {
    this.#newEpoch = newEpoch;
  }

  publish(call: PublishCall, now: number): Logged {
    return this.#room(call.room, now, call.bounds).publish(call, now);
  }

  countFor(name: string, except: ReadonlySet<string>): number {
    return this.#rooms.get(name)?.countFor(except) ?? 0;
  }

  /** Ids of the sessions in it. */
  membersOf(name: string): ReadonlySet<string> {
    return this.#rooms.get(name)?.members ?? NOBODY;
  }

  read({ room, after, bounds }: ReadRoomCall, now: number): RoomPart {
    return this.#room(room, now, bounds).read(after, now);
  }

  enter(name: string, sid: string, now: number): void {
    const room = this.#room(name, now);
    room.members.add(sid);
    this.#stir(name, room, now);
  }

  /** `tell` is given what others have to know of it. */
  leave(name: string, sid: string, now: number, tell: (note: PresentNote) => void): void {
    const room = this.#rooms.get(name);
    if (!room?.members.delete(sid)) return;
    room.attendanceIfAny?.leave(sid, now, telling(name, tell));
    this.#stir(name, room, now);
  }

  present({ room: name, ...presence }: PresentCall, now: number, tell: (note: PresentNote) => void): Present {
    const room = this.#rooms.get(name);
    if (!room?.members.has(presence.sid)) return { status: 'gone' };
    return room.attendance.say(presence, now, telling(name, tell));
  }

  whoIsThere(name: string): Attendance {
    return this.#rooms.get(name)?.attendanceIfAny?.now ?? NOBODY_THERE;
  }

  /** Nobody sets an alarm for this: it is done whenever the store is asked about rooms. */
  drop(now: number): void {
    for (const [ttlMs, names] of this.#emptySince) {
      for (let { oldest } = names; oldest && oldest.value < now - ttlMs; oldest = names.oldest) {
        this.#rooms.delete(oldest.key);
        names.delete(oldest.key);
      }
      if (names.size === 0) this.#emptySince.delete(ttlMs);
    }
  }

  #room(name: string, now: number, bounds?: LogBounds): RoomLog {
    this.drop(now);
    let room = this.#rooms.get(name);
    if (!room) {
      room = new RoomLog(this.#newEpoch());
      this.#rooms.set(name, room);
    }
    this.#emptySince.get(room.bounds.ttlMs)?.delete(name);
    if (bounds) room.bounds = bounds;
    this.#stir(name, room, now);
    return room;
  }

  /** Something happens here: an empty room is young again, and so the last in the row. */
  #stir(name: string, { members, bounds: { ttlMs } }: RoomLog, now: number): void {
    const names = this.#emptySince.get(ttlMs) ?? new ByAge<string, number>();
    names.delete(name);
    if (members.size === 0) this.#emptySince.set(ttlMs, names.set(name, now));
  }
}
