import {
  type Codec,
  MEMBER,
  type PublicationItem,
  type Random,
  sizeOf,
  Type,
  type WireData,
} from '@holdfast/protocol';
import type { User } from '../types.js';

/** Bounds of a room's log. */
const MAX_MESSAGES = 256;
const MAX_BYTES = 262_144;
export const MAX_AGE_MS = 120_000;

/** What stands in a room's log, encoded once for each codec that its members speak. */
export interface Publication {
  readonly offset: number;
  readonly at: number;
  /** Sessions that it is not for, by id. */
  readonly except: ReadonlySet<string>;
  readonly bytes: number;
  /** A frame of its own: the same bytes for every member with that codec. */
  frame(codec: Codec): WireData;
}

/** Who is in a room. */
export interface RoomMember {
  readonly id: string;
  readonly user: User;
  publish(publication: Publication): void;
}

/** What is to be published. */
export interface NewPublication {
  readonly name: string;
  readonly payload: unknown;
  readonly id: string;
  readonly at: number;
  readonly from?: string | undefined;
  readonly except: ReadonlySet<string>;
}

/**
 * A room: its members, and the newest part of what was said in it. Each publication has an offset; where a member
 * stands in the log is the member's own business, so nothing is kept for each of them.
 */
export class Room {
  readonly name: string;
  /** Stands for the name in publications. */
  readonly number: number;
  /** Another one whenever the log begins anew. */
  readonly epoch: string;
  readonly members = new Set<RoomMember>();
  /** When the last member went; undefined while there is one. */
  emptySince: number | undefined;
  readonly #sessionsByUser = new Map<string, number>();
  readonly #log: Publication[] = [];
  #logBytes = 0;
  #offset = 0;
  /** Everything up to here is no longer in the log. */
  #base = 0;

  constructor(name: string, number: number, random: Random) {
    this.name = name;
    this.number = number;
    this.epoch = random.id();
  }

  /** Of the newest publication; 0 before the first. */
  get offset(): number {
    return this.#offset;
  }

  /** Everything up to here is no longer in the log. */
  get base(): number {
    return this.#base;
  }

  get users(): readonly (readonly [userId: string, sessions: number])[] {
    return [...this.#sessionsByUser];
  }

  /** False if the session was in already. */
  add(session: RoomMember): boolean {
    if (this.members.has(session)) return false;
    this.members.add(session);
    this.emptySince = undefined;
    const { id } = session.user;
    this.#sessionsByUser.set(id, this.sessionsOf(id) + 1);
    return true;
  }

  /** False if the session was not in. */
  remove(session: RoomMember, now: number): boolean {
    if (!this.members.delete(session)) return false;
    if (this.members.size === 0) this.emptySince = now;
    const { id } = session.user;
    const sessions = this.sessionsOf(id) - 1;
    if (sessions > 0) this.#sessionsByUser.set(id, sessions);
    else this.#sessionsByUser.delete(id);
    return true;
  }

  sessionsOf(userId: string): number {
    return this.#sessionsByUser.get(userId) ?? 0;
  }

  /** Puts a publication into the log and gives it to the members. Throws what the codec cannot encode. */
  publish(publication: NewPublication, codec: Codec): Publication {
    const { name, payload, id, at, from, except } = publication;
    const meta = { i: id, t: at, f: from, u: payload === undefined ? 1 : undefined } as const;
    const entry = this.#encode(
      [Type.PUB, this.number, this.#offset + 1, name, payload, meta],
      at,
      except,
      codec,
    );
    this.#offset++;
    this.#log.push(entry);
    this.#logBytes += entry.bytes;
    this.#trim(at);
    this.#deliver(entry);
    return entry;
  }

  /**
   * Tells the members of a change among them. It is not part of the log: whoever joins is told the members as they
   * are.
   */
  announce(userId: string, at: number, except: ReadonlySet<string>, codec: Codec): void {
    const change = [userId, this.sessionsOf(userId)];
    this.#deliver(
      this.#encode([Type.PUB, this.number, this.#offset, MEMBER, change, { t: at }], at, except, codec),
    );
  }

  /** What follows `offset` in the log, but for what is not meant for these sessions. */
  after(offset: number, sessions: readonly string[]): Publication[] {
    return this.#log.filter((entry) => entry.offset > offset && !sessions.some((id) => entry.except.has(id)));
  }

  #deliver(publication: Publication): void {
    for (const session of this.members) {
      if (!publication.except.has(session.id)) session.publish(publication);
    }
  }

  #encode(item: PublicationItem, at: number, except: ReadonlySet<string>, codec: Codec): Publication {
    const frames = new Map<Codec, WireData>();
    const frame = (wanted: Codec): WireData => {
      const known = frames.get(wanted);
      if (known !== undefined) return known;
      const data = wanted.frame(0, 0, [wanted.encode(item)]);
      frames.set(wanted, data);
      return data;
    };
    return { offset: item[2], at, except, bytes: sizeOf(frame(codec)), frame };
  }

  #trim(now: number): void {
    let oldest = this.#log[0];
    while (
      oldest &&
      (this.#log.length > MAX_MESSAGES || this.#logBytes > MAX_BYTES || oldest.at < now - MAX_AGE_MS)
    ) {
      this.#log.shift();
      this.#logBytes -= oldest.bytes;
      this.#base = oldest.offset;
      oldest = this.#log[0];
    }
  }
}
