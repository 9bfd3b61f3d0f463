import { type Codec, type JoinReply, type JoinRequest, Type } from '@holdfast/protocol';
import type { ServerPorts } from '../ports/ports.js';
import type { Session } from '../session.js';
import { MAX_AGE_MS, type NewPublication, Room } from './room.js';

/** All sessions and rooms of this server, and who is where. */
export class Hub {
  readonly sessions = new Map<string, Session>();
  readonly #ports: Pick<ServerPorts, 'clock' | 'random'>;
  /** The codec whose bytes count for the bounds of a log. */
  readonly #codec: Codec;
  readonly #rooms = new Map<string, Room>();
  #roomNumber = 0;
  #stopSweeping: (() => void) | undefined;

  constructor(ports: Pick<ServerPorts, 'clock' | 'random'>, codec: Codec) {
    this.#ports = ports;
    this.#codec = codec;
  }

  /** As it stands on the wire: whole milliseconds. */
  #now(): number {
    return Math.floor(this.#ports.clock.now());
  }

  /** Rooms with a member in them. */
  get rooms(): number {
    let count = 0;
    for (const { members } of this.#rooms.values()) if (members.size > 0) count++;
    return count;
  }

  get users(): number {
    return new Set([...this.sessions.values()].map(({ user }) => user.id)).size;
  }

  /**
   * Takes a session into a room and answers its `$join` in one step: the reply, from where the room flows, and what
   * was published since the position that it came with.
   */
  join(session: Session, seq: number, request: JoinRequest, presence: boolean): void {
    const room = this.#room(request.room);
    const now = this.#now();
    if (room.add(session)) {
      session.rooms.add(room.name);
      if (presence) room.announce(session.user.id, now, new Set([session.id]), this.#codec);
    }
    const { epoch, offset } = room;
    const reply: JoinReply = presence ? { epoch, offset, members: room.users } : { epoch, offset };
    session.post([Type.RES, seq, reply]);
    this.#resume(session, room, request);
  }

  leave(session: Session, name: string, presence: boolean): void {
    const room = this.#rooms.get(name);
    const now = this.#now();
    if (!room?.remove(session, now)) return;
    // Who has ended is in no room any more, but whoever is told of it may want to know in which.
    if (session.live) session.rooms.delete(name);
    if (presence) room.announce(session.user.id, now, new Set(), this.#codec);
    if (room.members.size === 0) this.#sweepLater();
  }

  /** Throws what the codec cannot encode. Returns for how many members it was. */
  publish(name: string, publication: Omit<NewPublication, 'at'>): number {
    const room = this.#room(name);
    room.publish({ ...publication, at: this.#now() }, this.#codec);
    if (room.members.size === 0) {
      room.emptySince ??= this.#now();
      this.#sweepLater();
    }
    let members = 0;
    for (const { id } of room.members) if (!publication.except.has(id)) members++;
    return members;
  }

  close(): void {
    this.#stopSweeping?.();
    // And never again.
    this.#stopSweeping = () => undefined;
  }

  /** Says from where the room flows for this member, and lets what it has missed flow. */
  #resume(session: Session, room: Room, { epoch, offset = 0, replaced = [] }: JoinRequest): void {
    const wasHere = epoch !== undefined;
    const sameLog = epoch === room.epoch && offset <= room.offset;
    // Who comes from an earlier log has seen nothing of this one. What was lost with that log nobody can say.
    const position = !wasHere ? room.offset : sameLog ? offset : 0;
    session.post([Type.SYNC, [[room.name, room.epoch, position, room.number]]]);
    const trimmed = position < room.base;
    if (wasHere && (trimmed || !sameLog)) {
      const why = sameLog ? 'trimmed' : 'new-epoch';
      session.post([Type.GAP, position + 1, Math.max(position, room.base), why, room.number]);
    }
    for (const publication of room.after(position, [session.id, ...replaced])) session.publish(publication);
  }

  #room(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) {
      room = new Room(name, ++this.#roomNumber, this.#ports.random);
      this.#rooms.set(name, room);
    }
    return room;
  }

  /** A room outlives its last member as long as its log is worth something to one who comes back. */
  #sweepLater(): void {
    this.#stopSweeping ??= this.#ports.clock.setTimer(() => {
      this.#stopSweeping = undefined;
      const now = this.#now();
      const empty = [...this.#rooms.values()].filter(({ emptySince }) => emptySince !== undefined);
      for (const room of empty) {
        if ((room.emptySince ?? now) <= now - MAX_AGE_MS) this.#rooms.delete(room.name);
        else this.#sweepLater();
      }
    }, MAX_AGE_MS);
  }
}
