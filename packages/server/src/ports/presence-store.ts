import type { PresenceState } from './room-store.js';

// What a session store knows of who is there in a room: the part of its port that is about presence.

/** What is told of a session that is there. */
export interface There {
  readonly userId: string;
  /** The server that has its connection: what it says counts as long as it lives. */
  readonly node: string;
  /** What the session tells about itself, if it does. */
  readonly state?: PresenceState | undefined;
}

/** Whether a session is there in a room, as the server says that has its connection, or had it a moment ago. */
export interface Presence {
  readonly sid: string;
  /** Generation of that connection: what is said of an older one than the newest that is there changes nothing. */
  readonly gen: number;
  /** Rises with each call of that server. One that another server takes off is named by the number under which it stands. */
  readonly w: number;
  /** Absent: it is not there, or not any more. */
  readonly there?: There | undefined;
}
export interface PresentCall extends Presence {
  readonly room: string;
}
export interface Present {
  /** `full`: the room's list has no place for one more. `gone`: no member of the room. */
  readonly status: 'ok' | 'full' | 'gone';
}
/** Who is there in a room. */
export interface Attendance {
  /** Rises with each change; 0: there was none. */
  readonly version: number;
  /** Of each session one; who was said to be there last comes last. */
  readonly present: readonly Presence[];
}
/** The note of a change in a room's list. */
export interface PresentNote {
  readonly about: 'present';
  readonly room: string;
  /** Version of the list before and after it: whoever has another one than `before` has missed something. */
  readonly before: number;
  readonly version: number;
  readonly presence: Presence;
}
