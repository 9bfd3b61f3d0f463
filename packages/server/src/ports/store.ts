import type { ErrorItem, Item, OutboxPlace, ResponseItem } from '@holdfast/protocol';
import type { User } from '../types.js';
import type {
  AppendCall,
  Appended,
  Bounds,
  Life,
  OutboxRules,
  OutItem,
  Reply,
  WithdrawCall,
  Withdrawn,
} from './outbox-store.js';
import type { Attendance, Present, PresentCall, PresentNote } from './presence-store.js';
import type {
  CastCall,
  DescribeCall,
  FindCall,
  FoundSession,
  Membership,
  Move,
  MoveCall,
  PublishCall,
  Published,
  ReadRoomCall,
  RoomPart,
  Writing,
} from './room-store.js';

export type * from './outbox-store.js';
export type * from './presence-store.js';
export type * from './room-store.js';

/** An answer at once, or later. A store in memory answers at once: it costs no turn of the event loop. */
export type Answer<T> = T | Promise<T>;

/**
 * What outlives a connection: sessions with their numbers, what was accepted and not yet handled, what was sent and
 * not yet acknowledged, and the rooms' logs. Several servers may share one store.
 *
 * Every operation is one atomic step. Every operation but `attach` may be repeated when its answer was lost, and then
 * changes nothing (`gone` may then mean that it had worked). A store says `lost` to whoever speaks of an `epoch` that
 * is not its own: it may have lost what it had promised.
 *
 * Generations fence: `accept` and `read` belong to the connection with the newest generation of its session, whoever
 * comes with an older one is `fenced`. Everything else may be done by every server.
 */
export interface SessionStore {
  /** Told to clients in WELCOME: what an acknowledged message survives. */
  readonly durability: 'memory' | 'node' | 'disk';
  /** How long a claim holds without being renewed; ms, by the store's clock. */
  readonly leaseMs: number;
  /** Bytes of all that waits for clients or is unacknowledged by them, for `stats()`; absent where that is not known at once. */
  readonly heldBytes?: number | undefined;

  /** Binds a connection to a session, or makes the session. Never repeated: the client dials again instead. */
  attach(call: AttachCall): Answer<Attached>;
  /** Takes what a client has sent, in the order of its numbers, and what it has acknowledged. */
  accept(call: AcceptCall): Answer<Accepted>;
  /** Something for a client. It has no number yet: it waits until the connection's owner reads it. */
  append(call: AppendCall): Answer<Appended>;
  /** Takes a request back, if it still waits without a number; if not, says which number it has. */
  withdraw(call: WithdrawCall): Answer<Withdrawn>;
  /** What is to be written next. Numbers what waits: replies at once, the rest as far as the credit goes. */
  read(call: ReadCall): Answer<Read>;
  /** The connection is gone; its session waits for its client. */
  detach(call: Ownership): Answer<{ readonly status: 'ok' }>;
  /** Ends a session. What it was still owed is dropped; what was accepted from it goes on being handled. */
  end(call: EndCall): Answer<Ended>;

  /**
   * Takes accepted messages, oldest first, to run their handlers under a lease. One whose claim has run out before, so that
   * it may have taken its server down, is given alone: nothing beside it, and nothing until it is done. While the server that has, or had, the
   * session's newest connection is not silent for a lease, only that one gets any.
   */
  claim(call: ClaimCall): Answer<Claimed>;
  /** The handler is running (and has not just been claimed): nobody else may take it for another lease. */
  renew(call: RenewCall): Answer<{ readonly status: 'ok' | 'gone' }>;
  /** Gives a claim back whose handler was never started. */
  release(call: HandlingCall): Answer<{ readonly status: 'ok' | 'gone' }>;
  /** The handler has ended: one step with its reply and with what it means for a room. */
  done(call: DoneCall): Answer<{ readonly status: 'ok' | 'gone' }>;
  /** Sessions whose owner has not touched them for so long; a hint for whoever looks after them. */
  orphans(call: { readonly idleMs: number }): Answer<readonly Orphan[]>;

  /** Appends to a room's log. */
  publish(call: PublishCall): Answer<Published>;
  /**
   * In which incarnation a publication in this room is tried now. What a store remembers of that may be old: then `publish`
   * has changed nothing and says `lost`, and this is asked anew.
   */
  incarnation(call: { readonly room: string }): Answer<string>;
  /** Which sessions there are; each once. */
  find(call: FindCall): Answer<readonly FoundSession[]>;
  /** Keeps what the application says of a session; the newest counts. */
  describe(call: DescribeCall): Answer<{ readonly status: 'ok' | 'gone' }>;
  /** Puts a session into a room, or takes it out. `kept`: it is in already, from where it was, since its client may not have read since. */
  move(call: MoveCall): Answer<{ readonly status: 'ok' | 'kept' | 'gone' }>;
  /** Tells every server something that stands in no log: who is not told does without. */
  cast(call: CastCall): Answer<{ readonly members: number }>;
  /** A room's log after a position; makes the room if there is none. */
  readRoom(call: ReadRoomCall): Answer<RoomPart>;

  /** A member of a room is there now, or is not any more. Who leaves the room, or ends, is taken off its list by that. */
  present(call: PresentCall): Answer<Present>;
  /** Who is there in a room, wherever. */
  whoIsThere(call: { readonly room: string }): Answer<Attendance>;
  /** A server lives. Says which ones have said so within a lease, by the store's clock. */
  beat(call: { readonly node: string }): Answer<{ readonly living: readonly string[] }>;

  /** Calls `listener` for what happens, here or on another server, until the returned function is called. Hints: some may be missing. */
  listen(listener: (note: Note) => void): () => void;
}

// ── A connection and its session ─────────────────────────────────────────────────────────────────────────────

/** Names a session as its owner knows it. */
export interface Ownership extends Life {
  readonly sid: string;
}

export interface AttachCall {
  /**
   * Sessions of one user have the same word before the first dot: a store that is spread over several machines keeps by
   * it what belongs together. Without a dot it is a guest's, who is another user in each session.
   */
  readonly sid: string;
  /** From a HELLO without a session: makes the session unless it is there already (its WELCOME was lost). */
  readonly fresh: boolean;
  readonly user: User;
  /** Attach number: rises with each dial of the client. */
  readonly n: number;
  /** Hash of the resume key that the client presented; absent in a fresh HELLO. */
  readonly key?: string | undefined;
  /** Hash of the key that the client is given now. */
  readonly newKey: string;
  /** What the client knows; absent in a fresh HELLO. */
  readonly epoch?: string | undefined;
  /** Highest number that the client has dispatched. */
  readonly received: number;
  /** Highest ack that the client has seen. */
  readonly acked: number;
  /** Most requests that may be open at this client at once, whoever asks; counts for what is asked from now on. */
  readonly maxRequests: number;
  /** From now on; absent: `reject`, within the store's own bounds. */
  readonly outbox?: OutboxRules | undefined;
  /** Name of the codec of the connection; counts when the session is made. */
  readonly codec: string;
  /** The server that will own the connection. */
  readonly node: string;
}

export type Attached =
  | (AttachedSession & { readonly status: 'new' })
  | (AttachedSession & { readonly status: 'resumed' })
  /** Gone, or never there, or not this client's. The details only for who has shown user and key. */
  | {
      readonly status: 'lost';
      /** A server has ended it, for this reason. */
      readonly ended?: string | undefined;
      readonly handled?: Handled | undefined;
      readonly refused?: readonly ErrorItem[] | undefined;
    }
  /** An older HELLO that was late: nothing changes. */
  | { readonly status: 'stale' };

export interface AttachedSession {
  readonly epoch: string;
  readonly gen: number;
  /** Generation of the connection before this one; 0: there was none. */
  readonly previous: number;
  /** Highest number accepted from the client. */
  readonly accepted: number;
  /** The client has everything up to here: reading goes on behind it. */
  readonly base: number;
  readonly handled: Handled;
  /** Number of the last item that was accepted as a move, 0: none; it may be handled or not. */
  readonly lastMove: number;
  /** How far back it is known what durable outboxes have had accepted; ms. */
  readonly outboxWindowMs: number;
  /** What its client speaks: what waits for it is so encoded. */
  readonly codec: string;
  /** The rooms it is in. */
  readonly rooms: ReadonlyMap<string, Membership>;
  /** What the application says of it. */
  readonly data?: string | undefined;
}

/** What has been handled: everything up to `low`, and these above it (of very many, the lowest). */
export interface Handled {
  readonly low: number;
  readonly above: readonly number[];
}

export interface AcceptCall extends Ownership {
  /** In the order of their numbers, without a hole; none: only the ack counts. */
  readonly items: readonly AcceptedItem[];
  /** Highest number that the client has acknowledged. */
  readonly ack: number;
  /**
   * Answers that have come, also before their numbers are accepted: nothing that a client has said before holds them up. Each
   * request that they are about is open no more, and who asked it is told by a note. Of several answers to one request, and
   * of those to what was cancelled or never asked, the store takes no notice.
   */
  readonly answers?: readonly ClientAnswer[] | undefined;
  /** Numbers of requests that the client has given up. Whoever runs one on another server is told by a note. */
  readonly cancels?: readonly number[] | undefined;
}

/** One number that a client has used. */
export interface AcceptedItem {
  readonly seq: number;
  /** To be handled; absent: there is nothing to handle (a hole, a cancellation, a refusal). */
  readonly item?: Item | undefined;
  /** Of `item` on the wire: counts for the bounds of what waits to be handled. Absent: only the message counts. */
  readonly bytes?: number | undefined;
  /** It moves the session into a room or out of one. */
  readonly moves?: boolean | undefined;
  /**
   * A durable message: of which outbox of the user, and its number there. It is taken for handled if that number or a
   * later one was accepted before, in whatever session of the user; else that is recorded with the acceptance.
   */
  readonly outbox?: OutboxPlace | undefined;
  /** Refused: goes out before any ack that covers `seq`. */
  readonly refusal?: Reply | undefined;
}

/** An answer of the client to a request. */
export type ClientAnswer = ResponseItem | ErrorItem;

export type Accepted =
  | { readonly status: 'ok'; readonly accepted: number }
  /**
   * Only what comes up to `accepted` was taken: too much waits to be handled, or too many answers wait for the
   * client's ack. Ask again later, and do not hold back its acks meanwhile.
   */
  | { readonly status: 'full'; readonly accepted: number }
  | { readonly status: 'fenced' | 'lost' };

export interface ReadCall extends Ownership {
  /** Written already. */
  readonly after: number;
  /** The client's window. */
  readonly window: Bounds;
  /** Whether the answer has to say in which rooms the session is. */
  readonly rooms?: boolean | undefined;
}
export type Read =
  | {
      readonly status: 'ok';
      readonly items: readonly OutItem[];
      readonly handled: Handled;
      readonly rooms?: ReadonlyMap<string, Membership> | undefined;
    }
  | { readonly status: 'fenced' | 'lost' };

export interface EndCall {
  readonly sid: string;
  /** `expired`: only if nobody has touched it for `idleMs`. */
  readonly why: 'closed' | 'ended' | 'expired';
  readonly idleMs?: number | undefined;
  /** Of `ended`: the word for the client, also when it comes back later. */
  readonly reason?: string | undefined;
}
/** `undelivered`: messages for the client that it has not acknowledged. `gone`: there was none, or it lives. */
export type Ended = { readonly status: 'ok'; readonly undelivered: number } | { readonly status: 'gone' };

// ── Running a message ────────────────────────────────────────────────────────────────────────────────────────

export interface ClaimCall {
  readonly sid: string;
  /**
   * As the caller knows the session; absent for who adopts it. Of a session that was made anew since, by a store that
   * had lost it or after it expired, nothing is given: somebody else here runs what that one is sent.
   */
  readonly life?: Life | undefined;
  readonly holder: string;
  /** Numbers that this holder is running: its other claims are given to it again. */
  readonly running: readonly number[];
  /** One at a time: nothing is given past somebody else's claim until that is done. Else: until it is started. */
  readonly serial?: boolean | undefined;
  readonly max: number;
  /** Stands for these claims; no two calls have the same. */
  readonly token: string;
}
export interface Claimed {
  readonly items: readonly ClaimedItem[];
  /** True if somebody else's claim stands, and may have to be taken over: ask again after a lease. */
  readonly blocked: boolean;
}
export interface ClaimedItem {
  readonly seq: number;
  readonly item: Item;
  readonly token: string;
  /** A handler may have run for it before: its process died, or could not renew its claim for a whole lease. */
  readonly redelivered: boolean;
  /** How many claims of it have run out. */
  readonly expired: number;
}
export interface HandlingCall {
  readonly sid: string;
  readonly seq: number;
  readonly token: string;
}
export interface RenewCall extends HandlingCall {
  /** What it says in a room is not in the log yet: what comes after it must not overtake it elsewhere. Default: it is. */
  readonly holds?: boolean | undefined;
}
export interface DoneCall extends HandlingCall {
  readonly reply?: Reply | undefined;
  /** The session is a member of this room from now on, or is not. */
  readonly room?: Move | undefined;
}
export interface Orphan {
  readonly sid: string;
  readonly user: User;
  readonly codec: string;
  /** Accepted messages that nobody has handled yet. */
  readonly unhandled: number;
  /** What the application says of it. */
  readonly data?: string | undefined;
  /** It has ended; only its messages are left. */
  readonly ended: boolean;
}

// ── Notes between servers ────────────────────────────────────────────────────────────────────────────────────

export type Note =
  /** Others may be missing, of anything: whoever listens looks for itself. */
  | { readonly about: 'missed' }
  /** Something waits to be written to this session, or its handled marks have moved. */
  | { readonly about: 'session'; readonly sid: string }
  /** A newer connection has this session: those of older generations, in the same epoch, are to be closed. */
  | { readonly about: 'attach'; readonly sid: string; readonly epoch: string; readonly gen: number }
  | {
      readonly about: 'end';
      readonly sid: string;
      readonly why: EndCall['why'];
      readonly reason?: string | undefined;
      readonly undelivered: number;
      /** Of the store in which it ended. */
      readonly epoch: string;
      /** Of its newest connection: the note may come when the session has been made anew. */
      readonly gen: number;
      /** Requests, and events with a `receipt`, that never got a number in that epoch. */
      readonly unwritten: readonly Writing[];
    }
  /** The client has acknowledged these, on the connection of another server than the one that waits for the `receipt`. */
  | { readonly about: 'taken'; readonly sid: string; readonly written: readonly Writing[] }
  /** The client has given up requests that this holder has claimed, on the connection of another server. */
  | {
      readonly about: 'cancel';
      readonly sid: string;
      readonly holder: string;
      readonly seqs: readonly number[];
    }
  /** A request that this writer has appended is answered; the client may be connected to another server than it. */
  | {
      readonly about: 'answer';
      readonly sid: string;
      readonly written: Writing;
      readonly answer: ClientAnswer;
    }
  /**
   * More would wait for this session than may. `gone`: what was dropped, of others than the one who has appended now and
   * has it in the answer; or that its connection has to go.
   */
  | { readonly about: 'overflow'; readonly sid: string; readonly gone: readonly Writing[] | 'connection' }
  | { readonly about: 'room'; readonly room: string }
  | PresentNote
  /** A server has put a session into a room, or taken it out. It may overtake older answers: `read` says what holds. */
  | ({ readonly about: 'move' } & MoveCall)
  | ({ readonly about: 'cast' } & CastCall);
