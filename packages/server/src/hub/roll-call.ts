import { type Clock, MEMBERS, type MemberChange } from '@holdfast/protocol';
import { after, unawaited } from '../answer.js';
import type { Answer, Presence, PresentNote, SessionStore, There } from '../ports/store.js';
import type { Session } from '../session.js';
import type { SessionConnection } from '../session-connection.js';
import { MAX_PRESENT } from '../store/attendance-list.js';
import { announce } from './announcing.js';
import { Aside } from './aside.js';
import { MemberChanges } from './member-changes.js';
import { PresenceGrace } from './presence-grace.js';
import { Pulse, type PulseSurroundings } from './pulse.js';
import { Roll } from './roll.js';
import type { LiveRoom } from './room.js';
import { Saying } from './saying.js';

type Room = LiveRoom<Session>;

/** What one who joins or is back is told of who is there. */
export interface ToldMembers {
  readonly list: readonly MemberChange[];
  /** The entry of its own user in that, where the store has yet to say so. */
  readonly own: MemberChange | undefined;
  /** Of the roll. */
  readonly revision: number;
}

export interface RollCallSurroundings {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly node: string;
  /** Other servers have the same store. */
  readonly isShared: boolean;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly rooms: ReadonlyMap<string, Room>;
  /** By its rule. */
  hasPresence(room: string): boolean;
  nextCall(): number;
  /** What was published before is told before. */
  tellNow(): void;
  failed(error: unknown): void;
}

/**
 * Who is there in the rooms of this server. The store keeps the lists: this server says who of its own sessions is there
 * (who has its connection, or has lost it a moment ago), and tells its members what the lists say, whoever has said it.
 * What a server says counts as long as it lives; the others take off what the dead have said.
 */
export class RollCall {
  readonly #around: RollCallSurroundings;
  readonly #grace: PresenceGrace<Session>;
  readonly #pulse: Pulse | undefined;
  readonly #sayings = new Map<Session, Map<string, Saying>>();
  /** For which there was no place in the list, by room. */
  readonly #waiting = new Map<string, Set<Saying>>();
  /** Rooms with a list. */
  readonly #rooms = new Set<Room>();

  constructor(around: RollCallSurroundings) {
    this.#around = around;
    const { clock, store, node, failed, isShared } = around;
    this.#grace = new PresenceGrace(clock, (session) => this.#look(session));
    const needed = (): boolean => this.#rooms.size + this.#sayings.size > 0;
    const heard: PulseSurroundings['heard'] = (living, since) => this.#takeOff(living, since);
    const overslept = (): void => this.missed();
    if (isShared) this.#pulse = new Pulse({ clock, store, node, needed, heard, overslept, failed });
  }

  stop(): void {
    this.#pulse?.stop();
    for (const { untold } of this.#rooms) untold?.stop();
  }

  // ── What this server says of its sessions ──────────────────────────────────────────────────────────────────────

  /** A session has a connection now, or none any more: then it is there for a little while longer. */
  setAttached(session: Session, isAttached: boolean): void {
    this.#grace.end(session);
    if (isAttached) this.#look(session);
    else if (!session.ended && [...session.rooms].some(this.#around.hasPresence)) this.#grace.begin(session);
  }

  /** A session is in this room, or tells something else about itself there. */
  look(session: Session, room: string): void {
    if (this.#around.hasPresence(room)) this.#sayingOf(session, room).look();
  }

  /** It is in the room, where it was not before as far as the store knew. */
  entered(session: Session, room: string): void {
    if (this.#thereIn(session, room)) this.#sayingOf(session, room).again();
    else this.look(session, room);
  }

  /** It is out of it. `left`: it goes by itself, which will stand in the store, and takes it off the list there. */
  left(session: Session, room: string, why: 'left' | 'ended'): void {
    const saying = this.#sayings.get(session)?.get(room);
    if (why === 'left') saying?.left();
    else saying?.look();
  }

  /** It is over here. `lost`: and the store may not know it. */
  gone(session: Session, how: 'known' | 'lost'): void {
    this.#grace.end(session);
    for (const [room, saying] of [...(this.#sayings.get(session) ?? [])]) {
      this.#waitingIn(room)?.delete(saying);
      if (how === 'lost') saying.leave();
      else saying.stop();
    }
    if (how === 'known') this.#sayings.delete(session);
  }

  #look(session: Session): void {
    for (const room of session.rooms) this.look(session, room);
  }

  #sayingOf(session: Session, room: string): Saying {
    const ofSession = this.#sayings.get(session) ?? new Map<string, Saying>();
    this.#sayings.set(session, ofSession);
    const known = ofSession.get(room);
    if (known) return known;
    const { nextCall, failed } = this.#around;
    const saying: Saying = new Saying({
      sid: session.id,
      wish: () => ({ gen: session.gen, there: this.#thereIn(session, room) }),
      nextCall,
      present: (presence) => this.#present(room, presence),
      full: (full) => this.#wait(room, full),
      over: () => {
        this.#waitingIn(room)?.delete(saying);
        ofSession.delete(room);
        if (ofSession.size === 0 && this.#sayings.get(session) === ofSession) this.#sayings.delete(session);
      },
      failed,
    });
    ofSession.set(room, saying);
    return saying;
  }

  #thereIn(session: Session, room: string): There | undefined {
    const { node, hasPresence } = this.#around;
    if (!session.attachment && !this.#grace.has(session)) return undefined;
    if (session.ended || !session.rooms.has(room) || !hasPresence(room)) return undefined;
    const state = session.joined.stateIn(room);
    const said = state?.json === undefined ? {} : { state };
    return { userId: session.user.id, node, ...said };
  }

  #present(room: string, presence: Presence): ReturnType<SessionStore['present']> {
    return after(this.#pulse?.ready(), () => this.#around.store.present({ room, ...presence }));
  }

  /** Whatever comes of it: it is looked at again. */
  #takeOffOne(room: string, { sid, gen, w }: Presence): void {
    unawaited(this.#present(room, { sid, gen, w }), this.#around);
  }

  #wait(room: string, saying: Saying): void {
    const waiting = this.#waitingIn(room) ?? new Set();
    this.#waiting.set(room, waiting.add(saying));
  }

  #waitingIn(room: string): Set<Saying> | undefined {
    return this.#waiting.get(room);
  }

  /** There is a place for so many in the list. */
  #makeRoom(room: string, places: number): void {
    const waiting = this.#waitingIn(room);
    for (const saying of [...(waiting ?? [])].slice(0, Math.max(0, places))) {
      waiting?.delete(saying);
      saying.again();
    }
  }

  // ── What the store says ────────────────────────────────────────────────────────────────────────────────────────

  heard(note: PresentNote): void {
    const room = this.#around.rooms.get(note.room);
    room?.roll?.heard(note);
    this.#check(note.room, note.presence);
    if (room && !note.presence.there) this.#makeRoom(note.room, 1);
  }

  /** Notes may have been missed. */
  missed(): void {
    for (const { roll } of this.#rooms) roll?.again();
  }

  /** Nobody is in it any more. */
  forget(room: Room): void {
    this.#rooms.delete(room);
    room.untold?.stop();
    this.#waiting.delete(room.name);
  }

  /** Puts right what the store says of a session of this server and is not so: others may have taken this server for dead. */
  #check(room: string, { sid, gen, w, there }: Presence): void {
    const { sessions, node, nextCall } = this.#around;
    if (there && there.node !== node) return;
    const session = sessions.get(sid);
    const saying = session && this.#sayings.get(session)?.get(room);
    if (there && !saying) return this.#takeOffOne(room, { sid, gen, w: nextCall() });
    // What was heard late is no news: it has been said anew since.
    if (there || !saying || saying.busy || !session || gen !== session.gen || w < saying.w) return;
    if (this.#thereIn(session, room)) saying.again();
  }

  /** The list was read: is it so, of the sessions of this server? */
  #checkAll(room: Room, { presence }: Roll): void {
    const { node, sessions } = this.#around;
    for (const one of [...presence.present]) if (one.there?.node === node) this.#checkOurs(room, one);
    for (const session of room.members) {
      if (!this.#thereIn(session, room.name)) continue;
      const known = presence.get(session.id);
      const saying = this.#sayingOf(session, room.name);
      const isWaiting = this.#waitingIn(room.name)?.has(saying);
      if (saying.busy || isWaiting || sessions.get(session.id) !== session) continue;
      const isOlder = !known || known.gen < session.gen || (known.gen === session.gen && known.w < saying.w);
      if (isOlder) saying.again();
    }
    this.#makeRoom(room.name, MAX_PRESENT - presence.size);
  }

  #checkOurs(room: Room, presence: Presence): void {
    const session = this.#around.sessions.get(presence.sid);
    if (!session || !this.#thereIn(session, room.name)) this.#check(room.name, presence);
  }

  /** What was said by servers that are dead: whoever is back at another one stands there by the word of that one. */
  #takeOff(living: ReadonlySet<string>, since: number): void {
    for (const room of this.#rooms)
      for (const presence of room.roll?.presence.ofOthers(living, since) ?? [])
        this.#takeOffOne(room.name, presence);
  }

  // ── What members are told ──────────────────────────────────────────────────────────────────────────────────────

  /** The list of a room that has a member now; undefined: it has none. */
  #rollOf(room: Room): Roll | undefined {
    if (!this.#around.hasPresence(room.name)) return undefined;
    if (room.roll) return room.roll;
    const { store, clock, failed, tellNow } = this.#around;
    const untold = new MemberChanges({
      clock,
      members: () => room.members.size,
      tell: (changes) => {
        roll.revision++;
        announce(room, { presence: roll.presence, changes, at: this.#now(), failed });
      },
    });
    const roll: Roll = new Roll({
      room: room.name,
      store,
      now: () => clock.now(),
      changed: (changes) => {
        tellNow();
        untold.add(changes);
      },
      read: () => this.#checkAll(room, roll),
      failed,
    });
    room.roll = roll;
    room.untold = untold;
    this.#rooms.add(room);
    return roll;
  }

  /** Who is there, for one who joins or is back, and is there as well. */
  listFor(room: Room, session: Session): Answer<ToldMembers | undefined> {
    const roll = this.#rollOf(room);
    return roll && after(roll.load(), () => this.#with(room, roll, session));
  }

  #with(room: Room, { presence, revision }: Roll, session: Session): ToldMembers {
    const { list } = presence;
    const there = this.#thereIn(session, room.name);
    const own = there && presence.with(session.id, there);
    if (!own) return { list, own, revision };
    const at = list.findIndex(([userId]) => userId === own[0]);
    return { list: at < 0 ? [...list, own] : list.with(at, own), own, revision };
  }

  /** Tells one whose room flows from now on. `told`: what the answer to its join has told it already. */
  tell(room: Room, session: Session, { lanes }: SessionConnection, told?: ToldMembers): void {
    if (told && told.revision === room.roll?.revision) return promise(room, session, told);
    const telling = after(this.listFor(room, session), (now) => {
      if (!now) return;
      lanes.aside(room.name, new Aside([room.aside(MEMBERS, now.list, this.#now())]));
      promise(room, session, now);
    });
    unawaited(telling, this.#around);
  }

  /** As it stands on the wire: whole milliseconds. */
  #now(): number {
    return Math.floor(this.#around.clock.now());
  }
}

/** The list that it was given last counts: of one that did not go out, it knows nothing. */
function promise({ promised }: Room, session: Session, { own }: ToldMembers): void {
  if (own) promised.set(session, own);
  else promised.delete(session);
}
