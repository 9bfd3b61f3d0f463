import type { ErrorItem, WireData } from '@holdfast/protocol';
import type { Writing } from './room-store.js';

// What a session store knows of what is to go out to a client: the part of its port that is about that.

/** Tells a session from one that was made anew under its id: after it had ended, or by a store that had lost it. */
export interface Life {
  /** The store's incarnation when the session was attached. */
  readonly epoch: string;
  /**
   * Generation: rises with each connection, and goes on rising when a session is made anew under the same id. A server
   * that was asleep while it expired must not take the new one for its own.
   */
  readonly gen: number;
}

/** How much may wait for a client or be unacknowledged by it: messages, bytes. */
export type Bounds = readonly [messages: number, bytes: number];

/**
 * What is done when more would wait than the bounds allow. `reject`: the newest is refused. `drop-oldest`: the oldest
 * events without a number give way, if that helps, and a hole takes the place of each; so that there are some, half of the
 * bounds at most is numbered and unacknowledged. `disconnect`: as `reject`, and a note `overflow` says that the connection
 * is to go; the next one only when the client has taken half of what the bounds allow, or every new connection would go
 * before it had brought its client anything.
 */
export type Overflow = 'reject' | 'drop-oldest' | 'disconnect';

/** Of all that waits for one client; answers are counted by themselves. */
export interface OutboxRules {
  /** Absent: the store's own. */
  readonly bounds?: Bounds | undefined;
  readonly overflow: Overflow;
}

/** An answer to a message of the client. */
export interface Reply {
  readonly data: WireData;
  /** If it is an ERR: kept readable, for a client that comes back too late. */
  readonly refusal?: ErrorItem | undefined;
}

export interface AppendCall extends Writing {
  readonly sid: string;
  /**
   * As the writer knows the session. Of one that was made anew since the answer is `lost`: what was said to the one before is
   * not for it, and what that had given a number may have none there. Absent: whatever session has that id.
   */
  readonly life?: Life | undefined;
  readonly data: WireData;
  /** What waits under the same word has no number yet: this takes its place. */
  readonly place?: string | undefined;
  /** Somebody waits at the writer for the client's acknowledgement: see the note `taken`. */
  readonly receipt?: boolean | undefined;
  /**
   * A request. It is open from now on until it is answered, cancelled or withdrawn, also after its message has been
   * acknowledged and dropped. `full` also if as many are open as the client takes; and it leaves no hole then, since who
   * asked is told.
   */
  readonly asks?: boolean | undefined;
  /**
   * Part of a stream: as an answer it goes out before what waits for the window. `full`, and without a hole, if too many
   * answers wait for the client's ack: to be tried again when it has acknowledged some.
   */
  readonly part?: boolean | undefined;
  /**
   * Cancels the request of this number: goes out before what waits for the window and is never refused; the request is not
   * open any more, and not written again: a hole `abandoned` takes its number. Of one that is not open, nothing happens.
   */
  readonly cancels?: number | undefined;
}
/**
 * `full`: refused, and the client will be told of the hole where it would have been, unless it is a request or part of a
 * stream. `lost`: there is no such session.
 */
export type Appended =
  | { readonly status: 'full' | 'lost' }
  /** `superseded`: whose place it took; `dropped`: who had to give way to it, the oldest first; if anybody. */
  | {
      readonly status: 'ok';
      readonly superseded?: Writing | undefined;
      readonly dropped?: readonly Writing[] | undefined;
    };

/** Names a request by the call that appended it. */
export interface WithdrawCall extends Writing {
  readonly sid: string;
  /** As in the call that appended it; of a session that was made anew since it is `gone`. */
  readonly life?: Life | undefined;
}
/**
 * `ok`: it had no number, and will never have one. `numbered`: it is open under this number, and may have been written.
 * `gone`: neither, since it was answered, refused or withdrawn before, or there is no such session.
 */
export type Withdrawn =
  | { readonly status: 'ok' | 'gone' }
  | { readonly status: 'numbered'; readonly seq: number };

/** Something for a client, numbered. */
export type OutItem =
  | { readonly seq: number; readonly data: WireData; readonly written?: Writing | undefined }
  /** The numbers from `seq` to `last` are a hole, for the reason in `why`. */
  | { readonly seq: number; readonly last: number; readonly why: string };
