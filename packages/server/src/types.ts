import type { IncomingMessage } from 'node:http';
import type {
  AnyContract,
  Arguments,
  Awaitable,
  Contract,
  Delivery,
  EventMeta,
  MessageOptions,
  RoomEvent,
  Sending,
  ServerEvent,
  ServerEventInput,
  ServerMethod,
  ServerRequestInput,
  ServerRequestOutput,
} from '@holdfast/protocol';

export type { ServerStats } from './observe/stats.js';

/** Whoever `auth` says it is; guests get their session's id. */
export interface User {
  readonly id: string;
}

/**
 * What an application keeps with each session. Name your fields by declaration merging:
 * `declare module '@holdfast/server' { interface SessionData { theme: 'light' | 'dark' } }`.
 */
export interface SessionData {
  readonly [field: string]: unknown;
}

/** How the server sends an event. */
export interface ServerSendOptions {
  /** Own message id; 1 to 128 characters; default: a random one. */
  id?: string | undefined;
  /**
   * `reliable` (default): kept until it is acknowledged or, in a room, as long as the log reaches back. `volatile`: for
   * whoever takes it at once. `latest`: as `reliable`, but what has not gone out when a newer one of the same key comes
   * gives way to it.
   */
  delivery?: Exclude<Delivery, 'durable'> | undefined;
  /** Which `latest` events replace each other; 1 to 128 characters, default: the event's name. */
  key?: string | undefined;
  /** The trace that it belongs to, as W3C Trace Context writes it (section 3.2); goes with the message. Default: none. */
  traceparent?: string | undefined;
}

/** One client, as the server sees it. Most of it is read when it is asked for: `{ ...session }` would leave that out. */
export interface ServerSession<C extends AnyContract = Contract, U extends User = User> {
  readonly id: string;
  readonly user: U;
  /** Names of the rooms it has joined. */
  readonly rooms: ReadonlySet<string>;
  /** What `setData` has kept. */
  readonly data: Readonly<Partial<SessionData>>;
  /** Address of the client, by its newest connection; as in `Handshake`. */
  readonly address: string;
  /**
   * Settles on the client's acknowledgement, on this connection or a later one; rejects with `ERR_SESSION_LOST` if
   * the session ends before, and with `ERR_OUTBOX_FULL` if too much waits for the client already (who is told of the
   * hole), or 5,000 messages of this server for a store that fails or is slow.
   */
  send<K extends ServerEvent<C>>(
    event: K,
    ...args: Arguments<ServerEventInput<C, K>, ServerSendOptions>
  ): Sending;
  /**
   * Asks this client, and resolves with the answer of its handler, on this connection or a later one. Never repeated by the
   * library. Rejects with `ERR_NO_HANDLER` if it answers no such requests, `ERR_REJECTED` if its handler threw a
   * `RejectError`, `ERR_HANDLER_FAILED` if that failed otherwise; with `ERR_TIMEOUT` after `timeoutMs` (ms, default 30_000)
   * and with `signal.reason` when aborted, both of which abort the handler's `signal`; `ERR_SESSION_LOST` or `ERR_CLOSED` if
   * the session ends before; `ERR_OUTBOX_FULL`, at once, if as many requests are open as the client takes (100) or too much
   * waits for it, or for the store; `ERR_INVALID_PAYLOAD` if input or answer do not fit the contract. All but
   * `signal.reason` say what is known in `delivery`. A handler may ask the client whose message it handles: while it
   * waits, another handler of that session may run in its place.
   *
   * Throws a `TypeError` for a bad name or option.
   */
  request<K extends ServerMethod<C>>(
    method: K,
    ...args: Arguments<ServerRequestInput<C, K>, MessageOptions>
  ): Promise<ServerRequestOutput<C, K>>;
  /**
   * Keeps these fields with the session, on whatever server it goes on; `undefined` takes a field away. `data` has them at
   * once; resolves when the store has them. All of it at most 8 KiB of JSON, or a `TypeError` is thrown.
   */
  setData(changes: Partial<SessionData>): Promise<void>;
  /**
   * Puts it into these rooms, whatever their rules say, from now on: its client hears what is said there, and its
   * handles of these rooms are `joined`. When the session is lost, the next one is not in them by itself.
   */
  join(...rooms: readonly string[]): Promise<void>;
  /** Takes it out of these rooms: its client's handles of them are `left`. */
  leave(...rooms: readonly string[]): Promise<void>;
  /**
   * Ends the session: its client is told `ERR_SESSION_ENDED` with the reason (1 to 128 characters, default `ended`), is
   * `failed`, and does not come back by itself; `connect()` begins a new session, if `auth` lets it in. What was sent to
   * it before goes before, if that is written within a second: no longer does a client stay that does not read. Rejects, as
   * `join()` and `leave()` do, with `ERR_CLOSED` if the server is closed before its store has answered.
   */
  end(reason?: string): Promise<void>;
}

/** A session, as it can be looked up; it may be connected to another server. */
export interface SessionInfo<U extends User = User> {
  readonly id: string;
  readonly user: U;
  readonly rooms: readonly string[];
  /** It has a connection at the moment. */
  readonly attached: boolean;
  /** What `session.setData()` has kept. */
  readonly data: Readonly<Partial<SessionData>>;
}

export interface SessionEnd {
  /** `lost` also where the word of how it ended elsewhere has not come here. */
  readonly reason: 'closed' | 'expired' | 'ended' | 'lost';
  readonly undelivered: number;
}

/** What a handler is told beside the payload. `signal` is made when it is asked for: `{ ...context }` would leave it out. */
export interface ServerContext<C extends AnyContract = Contract, U extends User = User> extends EventMeta {
  readonly session: ServerSession<C, U>;
  /** Aborted when the one who asked has cancelled or timed out, or when the session has ended. */
  readonly signal: AbortSignal;
}

/** Whom to tell; immutable, nothing happens before a verb. Sessions that wait for their clients count, too. */
export interface Target<C extends AnyContract = Contract, U extends User = User> {
  /** Leaves these sessions out, and the members of these rooms. */
  except(...sessionsOrRooms: readonly (Pick<ServerSession<C, U>, 'id'> | string)[]): Target<C, U>;
  /**
   * Settles when it stands in the room's log, or is kept for each session; slow clients never delay it. `members`: for
   * how many sessions it was. None: `onUnreached` hears of it. To rooms: rejects `unknown` with `ERR_STORE_LOST` if the store
   * has lost its last writes while the publication was under way. As `sessions()`, `join()`, `leave()` and `end()` do, rejects
   * `unknown` with `ERR_CLOSED` if the server is closed before its store has answered.
   */
  send<K extends ServerEvent<C>>(
    event: K,
    ...args: Arguments<ServerEventInput<C, K>, ServerSendOptions>
  ): Sending<{ readonly members: number }>;
  /** Which sessions these are at the moment. */
  sessions(): Promise<SessionInfo<U>[]>;
  /** Puts them into rooms; see `session.join()`. */
  join(...rooms: readonly string[]): Promise<void>;
  /** Takes them out of rooms. */
  leave(...rooms: readonly string[]): Promise<void>;
  /**
   * Ends their sessions, such as to log out everywhere; see `session.end()`. For those with a connection to another server
   * that has not written by then what was sent to them before, it is not written any more: `undelivered` counts it.
   */
  end(reason?: string): Promise<void>;
}

/** The members of rooms. */
export interface RoomTarget<C extends AnyContract = Contract, U extends User = User> extends Target<C, U> {
  /** Adds rooms; a member of several is told once. */
  to(...rooms: readonly string[]): RoomTarget<C, U>;
  except(...sessionsOrRooms: readonly (Pick<ServerSession<C, U>, 'id'> | string)[]): RoomTarget<C, U>;
}

/** What was said to nobody. */
export interface Unreached {
  readonly id: string;
  readonly event: string;
  readonly payload: unknown;
  /** To whom it was said; none of the three: to all. */
  readonly rooms?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly sids?: readonly string[] | undefined;
}

/** What clients may do with the rooms of a name; without a rule they may neither join nor publish. */
export interface RoomRule<C extends AnyContract = Contract, U extends User = User> {
  /** Who may join; default: nobody. Throw `RejectError` to say why not. */
  join?: boolean | ((session: ServerSession<C, U>, room: string) => Awaitable<boolean>) | undefined;
  /** Who of the members may publish; default: nobody. Throw `RejectError` to say why not. */
  publish?:
    | boolean
    | ((
        session: ServerSession<C, U>,
        publication: { room: string; event: RoomEvent<C>; payload: unknown },
      ) => Awaitable<boolean>)
    | undefined;
  /**
   * Whether members see who else is there, by user, and what they tell about themselves; default false. Whoever loses the
   * connection is shown for 5 s more, and the first 256 users in a room are shown.
   */
  presence?: boolean | undefined;
  /** How much of what was said is kept, for whoever comes back and for whoever is new. */
  history?: RoomHistory | undefined;
}

/** The log of a room. Clients that come back count on the defaults: less is not possible, more is. */
export interface RoomHistory {
  /** Default and least 256. */
  maxMessages?: number | undefined;
  /** Default and least 262_144. */
  maxBytes?: number | undefined;
  /** How long a message is kept, also in a room that everybody has left; ms, default and least 120_000. */
  ttlMs?: number | undefined;
  /** So many of the newest messages one who joins is told first, as far as they are there; default 0. */
  onJoin?: number | undefined;
}

/** What the HTTP request of the upgrade said. */
export interface Handshake {
  /**
   * Absent on transports that are not HTTP, such as the one in memory. The token of `tokenFrom.query` is taken out of its
   * `url`; headers are as they came.
   */
  readonly request?: IncomingMessage;
  /** Of the client, as far as `trustProxy` says: otherwise of the proxy in front. */
  readonly address: string;
  /** The client comes back to a session, which may turn out to be lost. False at the upgrade, where that is not known yet. */
  readonly resumed: boolean;
}

/**
 * Says who holds the token, and until when (ms since 1970; default: for ever). Throw `RejectError('expired')` to ask for
 * a fresh token, with any other reason to refuse for good. Asked at each connection, and whenever a client that is
 * connected brings another token: that one must name the same user, or the client has to begin another session. A
 * connection whose token has expired goes on for 25 s and is closed then; its session waits for a fresh one. `tokenId` and
 * `issuedAt` (ms since 1970) are what `revoke()` knows a token by.
 */
export type Authenticate<U extends User> = (
  token: string | undefined,
  handshake: Handshake,
) => Awaitable<{
  user: U;
  expiresAt?: number | undefined;
  tokenId?: string | undefined;
  issuedAt?: number | undefined;
}>;

/** A session whose client wants to enter, or to come back. Nothing can be sent to it yet. */
export type EnteringSession<U extends User = User> = Pick<
  ServerSession<Contract, U>,
  'id' | 'user' | 'address'
>;

/** Lets a session in by returning; throw a `RejectError` to refuse. Has 10 s, together with `auth`. */
export type Middleware<U extends User = User> = (
  session: EnteringSession<U>,
  handshake: Handshake,
) => unknown;

/** Lets a message of a client pass by returning; throw a `RejectError` to refuse. */
export type MessageMiddleware<C extends AnyContract = Contract, U extends User = User> = (
  message: IncomingMessageInfo,
  session: ServerSession<C, U>,
) => unknown;

/** What a client wants to say. */
export interface IncomingMessageInfo {
  readonly kind: 'event' | 'request' | 'stream';
  /** Of the event or method. */
  readonly name: string;
  /** Where it is to be published. */
  readonly room?: string | undefined;
  /** As the contract has it. */
  readonly payload: unknown;
}

/** `expiresAt`: when the last token that is meant has expired by itself, ms since 1970; so long it is remembered. */
export type Revocation =
  | { readonly userId: string; readonly tokenId?: undefined; readonly expiresAt: number }
  | { readonly tokenId: string; readonly userId?: undefined; readonly expiresAt: number };
