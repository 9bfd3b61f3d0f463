import {
  type Codec,
  encodePayload,
  type JoinReply,
  type JoinRequest,
  type PresenceRequest,
  prefixOf,
  RejectError,
  type Scopes,
  Type,
} from '@holdfast/protocol';
import { after, TurnsByKey, unawaited } from '../answer.js';
import { membersOf } from '../delivery-errors.js';
import type { ServerPorts } from '../ports/ports.js';
import type {
  Answer,
  CastCall,
  Membership,
  Move,
  MoveCall,
  PresenceState,
  RoomPosition,
  SessionStore,
} from '../ports/store.js';
import { type Outcome, replyOf } from '../runner.js';
import type { Session } from '../session.js';
import type { SessionConnection } from '../session-connection.js';
import { castFrames } from './cast-frames.js';
import { dropStray, standsIn, strays, tellEntered } from './home.js';
import type { NewPublication } from './new-publication.js';
import { presenceState } from './presence-state.js';
import { RollCall, type ToldMembers } from './roll-call.js';
import { LiveRoom } from './room.js';
import type { Rules } from './rules.js';
import { Telling } from './telling.js';

export interface HubSurroundings {
  readonly ports: Pick<ServerPorts, 'clock'>;
  readonly store: SessionStore;
  readonly node: string;
  /** Other servers have the same store. */
  readonly isShared: boolean;
  /** In which the rooms' logs are written. */
  readonly codec: Codec;
  readonly rules: Rules;
  readonly scopes: Scopes;
  nextCall(): number;
  /** A session has joined a namespace. */
  entered(session: Session, prefix: string): void;
  /** It is out again, and lives on. */
  left(session: Session, prefix: string, reason: 'left' | 'ended'): void;
  failed(error: unknown): void;
}

/** A join that stands in the store, or in which somebody else has seen to it. */
interface Joined {
  readonly membership: Membership;
  readonly wasIn: boolean;
  readonly status: 'ok' | 'gone';
  /** Of the room's list, as it stood in the reply. */
  readonly told: ToldMembers | undefined;
}

/** All sessions and rooms of this server, and who is where. */
export class Hub {
  readonly sessions = new Map<string, Session>();
  readonly #around: HubSurroundings;
  readonly #rooms = new Map<string, LiveRoom<Session>>();
  readonly #telling: Telling;
  /** Publications of one room go into its log in the order in which they were said. */
  readonly #turns = new TurnsByKey();
  /** Who is there in the rooms. */
  readonly rollCall: RollCall;
  #roomNumber = 0;

  constructor(around: HubSurroundings) {
    this.#around = around;
    const { store, node, isShared, nextCall, failed } = around;
    const { clock } = around.ports;
    this.#telling = new Telling({ store, clock, failed });
    this.rollCall = new RollCall({
      ...{ clock, store, node, isShared, nextCall, failed, sessions: this.sessions, rooms: this.#rooms },
      hasPresence: (room) => this.#hasPresence(room),
      tellNow: () => this.tellNow(),
    });
  }

  /** Rooms with a member in them. */
  get rooms(): number {
    return this.#rooms.size;
  }

  get users(): number {
    return new Set([...this.sessions.values()].map(({ user }) => user.id)).size;
  }

  /** The store says in which rooms a session is: others have seen to it meanwhile. */
  setRooms(session: Session, rooms: ReadonlyMap<string, Membership>): void {
    for (const name of [...session.rooms]) if (!rooms.has(name)) this.#moveOut(session, name);
    for (const [name, membership] of rooms)
      if (!session.rooms.has(name)) this.#moveIn(session, name, membership);
      else this.rollCall.look(session, this.#takeIn(session, name, membership).name);
    for (const name of strays(rooms)) unawaited(this.move(session.id, name, 'out'), this.#around);
  }

  /** Takes a session into a room: what its `$join` is answered with, and what follows when that stands in the store. */
  join(session: Session, seq: number, request: JoinRequest): Answer<Outcome> {
    const { room: name, epoch, offset = 0, replaced = [] } = request;
    return after(this.#positionsIn(name), ({ top, start }) => {
      // Ended while the store was asked: nobody would take it out of the room again.
      if (session.ended) return {};
      const wasIn = session.rooms.has(name);
      const isNew = epoch === undefined;
      const position = isNew ? start : { epoch, offset };
      const presence = this.#joinsWith(session, request) ?? session.joined.stateIn(name);
      const membership = { position, replaced, presence };
      const room = this.#takeIn(session, name, membership);
      room.told ??= top;
      // From here a client reads on whose connection ends before its SYNC for this room comes.
      const stands = isNew ? start : top;
      return after(this.rollCall.listFor(room, session), (told) => {
        const reply: JoinReply = told ? { ...stands, members: told.list } : stands;
        return {
          reply: replyOf(session.codec, [Type.RES, seq, reply]),
          room: { name, membership },
          afterwards: (status) => this.#joined(session, name, { membership, wasIn, status, told }),
        };
      });
    });
  }

  #joined(session: Session, name: string, { membership, wasIn, status, told }: Joined): void {
    if (session.ended) return;
    // A connection may have come meanwhile, with the rooms that the store had before this.
    if (status === 'ok') this.#takeIn(session, name, membership);
    // If a server has put it in before, it flows from another position; its client goes by that of its join.
    if (status === 'ok') session.attachment?.lanes.close(name);
    unawaited(dropStray(this, this.#around.store, session.id, name), this.#around);
    if (session.rooms.has(name)) {
      const { attachment } = session;
      // Another run may have answered, with another list.
      const known = status === 'ok' ? told : undefined;
      const opened = attachment?.live && this.open(session, attachment, name, membership.position, known);
      unawaited(opened, this.#around);
      this.rollCall.entered(session, name);
    }
    if (wasIn || name !== prefixOf(name)) return;
    const stands = status === 'ok' || standsIn(this.#around.store, session.id, name);
    unawaited(tellEntered(this.#around, session, name, stands), this.#around);
  }

  /** What a member tells about itself, or a refusal, thrown. */
  heardOf({ joined }: Session, request: PresenceRequest): PresenceState {
    if (!joined.all.has(request.room)) throw new RejectError('not-a-member');
    if (!this.#hasPresence(request.room)) throw new RejectError('no-presence');
    return presenceState(this.#around.scopes, request, joined.tellsAt(request.room, this.#now()));
  }

  setPresence(session: Session, seq: number, request: PresenceRequest): Outcome {
    const { room: name } = request;
    const presence = this.heardOf(session, request);
    return {
      reply: replyOf(session.codec, [Type.RES, seq, undefined]),
      room: { name, presence },
      afterwards: (status) => {
        if (status === 'gone') {
          // It had worked, perhaps, and the answer was lost, or another server has seen to it: the store knows what is told.
          session.moved();
          session.attachment?.wake();
        } else if (session.rooms.has(name)) {
          session.joined.tells(name, presence);
          this.rollCall.look(session, name);
        }
      },
    };
  }

  /** A rule that has changed since keeps nobody out: what it does not allow any more is not told. */
  #joinsWith({ joined }: Session, request: PresenceRequest): PresenceState | undefined {
    if (request.presence === undefined || !this.#hasPresence(request.room)) return undefined;
    try {
      return presenceState(this.#around.scopes, request, joined.tellsAt(request.room, this.#now()));
    } catch {
      return undefined;
    }
  }

  leave(session: Session, seq: number, name: string): Outcome {
    if (session.ended) return {};
    this.#takeOut(session, name, 'left');
    return {
      reply: replyOf(session.codec, [Type.RES, seq, undefined]),
      room: { name },
      afterwards: (status) => {
        if (status === 'ok') this.#takeOut(session, name);
      },
    };
  }

  /** Puts a session, here or elsewhere, into a room as it stands now, or takes it out. False if there is none. */
  move(sid: string, name: string, way: 'in' | 'out'): Answer<boolean> {
    const { store } = this.#around;
    const moving = (move: Move) =>
      after(store.move({ sid, move }), ({ status }) => {
        // Not left to the note of this move, which may get lost.
        if (status === 'ok') this.moved({ sid, move });
        else if (status === 'kept') this.sessions.get(sid)?.moved();
        if (move.membership) unawaited(dropStray(this, store, sid, name), this.#around);
        return status !== 'gone';
      });
    if (way === 'out') {
      // While the store still has it in: what was published before is told to it, too.
      this.#telling.now();
      return moving({ name });
    }
    const known = this.sessions.get(sid);
    // One whose connection is elsewhere may have left the room, and this server has not heard of it yet.
    if (known?.attachment && known.rooms.has(name)) return true;
    return after(this.#positionsIn(name), ({ start }) =>
      moving({ name, membership: { position: start, replaced: [] } }),
    );
  }

  /** A server has moved a session, perhaps one of ours. */
  moved({ sid, move: { name, membership } }: MoveCall): void {
    const session = this.sessions.get(sid);
    if (!session || session.rooms.has(name) === (membership !== undefined)) return;
    session.moved();
    if (membership) this.#moveIn(session, name, membership).told ??= membership.position;
    else this.#moveOut(session, name);
  }

  #moveIn(session: Session, name: string, membership: Membership): LiveRoom<Session> {
    const { attachment } = session;
    const room = this.#takeIn(session, name, membership);
    if (attachment?.flowing)
      unawaited(this.open(session, attachment, name, membership.position), this.#around);
    this.rollCall.entered(session, name);
    return room;
  }

  #moveOut(session: Session, name: string): void {
    this.#takeOut(session, name);
    if (session.attachment?.live) session.attachment.lanes.shut(name);
  }

  /** Where the log stands, and from where on it is for one who is new: so much as the rule says, and the log has. */
  #positionsIn(room: string): Answer<{ readonly top: RoomPosition; readonly start: RoomPosition }> {
    const { store, rules } = this.#around;
    const { history: bounds } = rules.for(room);
    return after(store.readRoom({ room, bounds }), ({ top, base }) => {
      const offset = Math.max(base, top.offset - bounds.onJoin);
      return { top, start: { epoch: top.epoch, offset } };
    });
  }

  #takeIn(session: Session, name: string, membership: Membership): LiveRoom<Session> {
    const room = this.#room(name);
    room.members.add(session);
    session.setRoom(name, membership);
    return room;
  }

  #takeOut(session: Session, name: string, why: 'left' | 'ended' = 'ended'): void {
    const wasIn = session.rooms.has(name);
    this.#remove(session, name);
    session.setRoom(name, undefined);
    this.rollCall.left(session, name, why);
    if (!wasIn || name !== prefixOf(name)) return;
    // Who is out of a namespace is out of its rooms.
    for (const room of [...session.rooms])
      if (prefixOf(room) === name) unawaited(this.move(session.id, room, 'out'), this.#around);
    if (session.joined.tellsOut(name)) this.#around.left(session, name, why);
  }

  /**
   * Lets a room flow on a connection of the session, from this position on, and tells it who is there. `told`: what the
   * answer to its join has told it already.
   */
  open(
    session: Session,
    connection: SessionConnection,
    name: string,
    position: RoomPosition,
    told?: ToldMembers,
  ): Answer<void> {
    // After a join, perhaps not the room with which that began: if its last member has left meanwhile, it was made anew.
    const room = this.#room(name);
    const { lanes } = connection;
    return after(lanes.open(room, position), () => {
      room.told ??= lanes.positionIn(name);
      this.rollCall.tell(room, session, connection, told);
    });
  }

  /** A session has ended, or is over here. It keeps the names of its rooms: listeners that hear of its end may ask for them. */
  remove(session: Session, how: 'known' | 'lost' = 'known'): void {
    this.sessions.delete(session.id);
    this.rollCall.gone(session, how);
    for (const room of session.rooms) this.#remove(session, room);
  }

  /** Throws what the codec cannot encode. Says for how many members it was, when it stands in the log. */
  publish(
    room: string,
    { name, payload, id, from, sentAt, except, message, place, toSeveral, traceparent: c }: NewPublication,
  ): Answer<number> {
    const { store, node, codec, nextCall } = this.#around;
    const at = this.#now();
    const u = payload === undefined ? 1 : undefined;
    const meta = { i: id, t: at, s: sentAt, f: from, u, c, m: toSeveral } as const;
    const data = encodePayload(codec, payload, { kind: 'event', name, from: 'server' });
    const event = codec.encode([Type.EVT, name, data, meta]);
    const publication = { id, at, except, event, place };
    const w = nextCall();
    const bounds = this.#around.rules.for(room).history;
    return this.#turns.take(
      room,
      () => store.publish({ room, bounds, writer: node, w, publication, message }),
      (published) => membersOf(published, id),
    );
  }

  /** As `publish`, for what goes out now or not at all. Throws what the codec cannot encode. */
  cast(room: string, { name, payload, id, from, except, traceparent: c }: NewPublication): Answer<number> {
    const { store, codec } = this.#around;
    const u = payload === undefined ? 1 : undefined;
    const said = encodePayload(codec, payload, { kind: 'event', name, from: 'server' });
    const data = codec.encode([Type.VOL, name, said, { i: id, t: this.#now(), r: room, f: from, u, c }]);
    return after(store.cast({ to: { room }, except, data }), ({ members }) => members);
  }

  /** Somebody has said what stands in no log. */
  tellCast({ to, except, data }: CastCall): void {
    const frame = castFrames(data, this.#around.codec);
    this.#telling.now();
    if ('room' in to) {
      const room = this.#rooms.get(to.room);
      room?.untold?.tell();
      for (const { attachment } of room?.members ?? []) attachment?.lanes.cast(to.room, except, frame);
      return;
    }
    for (const sid of to.sids) {
      const session = except.has(sid) ? undefined : this.sessions.get(sid);
      // One without a connection here may have it on another server.
      if (session?.attachment?.live) session.castFrame(frame(session.codec));
    }
  }

  /** Tells members of rooms what there is: something is about to happen that comes after it. */
  tellNow(): void {
    this.#telling.now();
  }

  /** The store says that the room's log has grown. */
  grown(name: string): void {
    const room = this.#rooms.get(name);
    if (room) this.#telling.grown(room);
  }

  #remove(session: Session, name: string): void {
    const room = this.#rooms.get(name);
    if (!room?.members.has(session)) return;
    this.#telling.now();
    room.members.delete(session);
    room.promised.delete(session);
    session.attachment?.lanes.close(name);
    if (room.members.size > 0) return;
    this.#rooms.delete(name);
    this.#telling.forget(room);
    this.rollCall.forget(room);
  }

  #hasPresence(room: string): boolean {
    return this.#around.rules.for(room).presence;
  }

  /** Made for its first member on this server. */
  #room(name: string): LiveRoom<Session> {
    let room = this.#rooms.get(name);
    if (!room) {
      const { codec, rules } = this.#around;
      room = new LiveRoom<Session>(name, ++this.#roomNumber, codec, () => rules.for(name).history);
      this.#rooms.set(name, room);
    }
    return room;
  }

  /** As it stands on the wire: whole milliseconds. */
  #now(): number {
    return Math.floor(this.#around.ports.clock.now());
  }
}
