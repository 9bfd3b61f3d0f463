import type { WireData } from '@holdfast/protocol';
import type { User } from '../types.js';

// What a session store knows of rooms: the part of its port that is about their logs.

/** Who appends or publishes: the store keeps the result of each writer's last call, so that it can be repeated. */
export interface Writing {
  readonly writer: string;
  /** Rises with each call of this writer, in this session or room. */
  readonly w: number;
}

export interface RoomPosition {
  readonly epoch: string;
  readonly offset: number;
}
/** How a session is in a room. */
export interface Membership {
  /** Where the room stood for it when it joined. */
  readonly position: RoomPosition;
  /** Earlier sessions of its client: what they published is not for it. */
  readonly replaced: readonly string[];
  /** What it tells the room about itself, if it does. */
  readonly presence?: PresenceState | undefined;
}
export interface PresenceState {
  /** Absent: nothing any more. */
  readonly json?: string | undefined;
  /** By the clock of the server that has heard it; ms. */
  readonly setAt: number;
}
/** What stands in a room's log. */
export interface Publication {
  readonly id: string;
  /** Ms since 1970. */
  readonly at: number;
  /** Sessions that it is not for. */
  readonly except: ReadonlySet<string>;
  /** An EVT item in the server's first codec; each connection gets it as a PUB in its own. */
  readonly event: WireData;
  /** An older one with the same word leaves the log, if this one is for everybody whom that one was for; its offset is skipped. */
  readonly place?: string | undefined;
}
export interface CastCall {
  /** Whom it is for: the members of a room, or these sessions. */
  readonly to: { readonly room: string } | { readonly sids: ReadonlySet<string> };
  /** Sessions that it is not for. */
  readonly except: ReadonlySet<string>;
  /** A VOL item in the server's first codec. */
  readonly data: WireData;
}
export interface LoggedPublication extends Publication {
  readonly offset: number;
}
/** How much of a room's log is kept; what is too old, too much or too many goes, the oldest first. */
export interface LogBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly ttlMs: number;
}
export interface PublishCall extends Writing {
  readonly room: string;
  /** From now on; absent: those of the last call that named some, or else the store's own. */
  readonly bounds?: LogBounds | undefined;
  readonly publication: Publication;
  /** The message by which it was published, if it was one: of several calls for the same message the first counts. */
  readonly message?: string | undefined;
  /**
   * The incarnation in which this was tried first: in another one it is `lost`, since nobody can say any more whether it
   * was published in that one. Absent: it is published in any.
   */
  readonly incarnation?: string | undefined;
}
export type Published =
  | {
      readonly status: 'ok';
      readonly position: RoomPosition /** Sessions it was for. */;
      readonly members: number;
    }
  | { readonly status: 'lost' };
export interface ReadRoomCall {
  readonly room: string;
  /** As in `PublishCall`. */
  readonly bounds?: LogBounds | undefined;
  /** Where to read on; absent: only say where the log stands. */
  readonly after?: RoomPosition | undefined;
  /** The session that reads, if it is a member: a log that begins anew may have lost that it is. */
  readonly member?: string | undefined;
}
export interface RoomPart {
  /** Of the newest publication; offset 0 before the first. */
  readonly top: RoomPosition;
  /** Everything up to this offset is no longer in the log. */
  readonly base: number;
  /** What can no longer be read; `to` below `from`: nobody knows how many. */
  readonly gap?:
    | { readonly from: number; readonly to: number; readonly why: 'trimmed' | 'new-epoch' }
    | undefined;
  readonly items: readonly LoggedPublication[];
}

/** Into a room, or out of it; or it stays and tells something about itself, which nothing comes of if it is not in. */
export interface Move {
  readonly name: string;
  /** Absent, as is `presence`: out. */
  readonly membership?: Membership | undefined;
  readonly presence?: PresenceState | undefined;
}
/** A server, and not the client, wants a session in a room or out of it. */
export interface MoveCall {
  readonly sid: string;
  readonly move: Move;
}
/** What the application says of a session, in its own words: a text of a few KiB. */
export interface DescribeCall {
  readonly sid: string;
  readonly data: string;
}
/** Which sessions: those with one of these ids, of one of these users, or in one of these rooms; nothing said: all. */
export interface FindCall {
  readonly sids?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly rooms?: readonly string[] | undefined;
}
export interface FoundSession {
  readonly sid: string;
  readonly user: User;
  /** What its client speaks. */
  readonly codec: string;
  readonly rooms: readonly string[];
  /** It has a connection, here or elsewhere. */
  readonly attached: boolean;
  readonly data?: string | undefined;
}
