import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type {
  AnyContract,
  Arguments,
  Awaitable,
  CallOptions,
  ClientEvent,
  ClientEventOutput,
  Contract,
  Delivery,
  EventMeta,
  Method,
  RequestInputOutput,
  RequestOutputInput,
  RoomEvent,
  Sending,
  ServerEvent,
  ServerEventInput,
  ServerMethod,
  ServerRequestInput,
  ServerRequestOutput,
  StreamInputOutput,
  StreamMethod,
  StreamOutputInput,
  Unsubscribe,
} from '@holdfast/protocol';

import type { Operations, OperationsOptions } from './observe/operations.js';
import type { ServerStats } from './observe/stats.js';

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

/** One client, as the server sees it. */
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
   * hole).
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
   * waits for it; `ERR_INVALID_PAYLOAD` if input or answer do not fit the contract. All but `signal.reason` say what is known
   * in `delivery`. A handler may ask the client whose message it handles: while it waits, another handler of that session
   * may run in its place.
   *
   * Throws a `TypeError` for a bad name or option.
   */
  request<K extends ServerMethod<C>>(
    method: K,
    ...args: Arguments<ServerRequestInput<C, K>, CallOptions>
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
   * `failed`, and does not come back by itself; `connect()` begins a new session, if `auth` lets it in.
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
  readonly reason: 'closed' | 'expired' | 'ended' | 'lost';
  readonly undelivered: number;
}

/** What a handler is told beside the payload. */
export interface ServerContext<C extends AnyContract = Contract, U extends User = User> extends EventMeta {
  readonly session: ServerSession<C, U>;
  /** The trace that the message belongs to, if its sender has said so in a valid W3C traceparent; nobody vouches for it. */
  readonly traceparent?: string | undefined;
  /** Aborted when the one who asked has cancelled or timed out, or when the session has ended. */
  readonly signal: AbortSignal;
}

/** Whom to tell; immutable, nothing happens before a verb. Sessions that wait for their clients count, too. */
export interface Target<C extends AnyContract = Contract, U extends User = User> {
  /** Leaves these sessions out, and the members of these rooms. */
  except(...sessionsOrRooms: readonly (Pick<ServerSession<C, U>, 'id'> | string)[]): Target<C, U>;
  /**
   * Settles when it stands in the room's log, or is kept for each session; slow clients never delay it. `members`: for
   * how many sessions it was. None: `onUnreached` hears of it.
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
  /** Ends their sessions, such as to log out everywhere; see `session.end()`. */
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

/** `expiresAt`: when the last token that is meant has expired by itself, ms since 1970; so long it is remembered. */
export type Revocation =
  | { readonly userId: string; readonly tokenId?: undefined; readonly expiresAt: number }
  | { readonly tokenId: string; readonly userId?: undefined; readonly expiresAt: number };

export interface HoldfastServer<C extends AnyContract = Contract, U extends User = User> {
  /** As given; keeps servers of different contracts apart. */
  readonly contract: C | undefined;
  /**
   * Asks `middleware` before a session may enter, and again each time when its client comes back, after `auth`; of several
   * one after the other. A `RejectError` refuses, as one of `auth` does: the client gets its reason and stops until it has
   * another token; a session that was there before waits. Any other failure is told to `onError`, and the client comes back
   * by itself.
   */
  use(middleware: Middleware<U>): this;
  /**
   * Hears an event sent by a client, to a room or not. A `RejectError` thrown before the first `await` refuses the
   * message; any other failure is told to `onError`. An event that nobody hears is refused with `ERR_NO_HANDLER`.
   */
  on<K extends ClientEvent<C>>(
    event: K,
    listener: (payload: ClientEventOutput<C, K>, context: ServerContext<C, U>) => unknown,
  ): Unsubscribe;
  /** Answers a client's request; one handler for each method, a second throws a `TypeError`. */
  handle<K extends Method<C>>(
    method: K,
    handler: (
      input: RequestInputOutput<C, K>,
      context: ServerContext<C, U>,
    ) => Awaitable<RequestOutputInput<C, K>>,
  ): Unsubscribe;
  /**
   * Answers a client's `stream()` with what an async generator yields; one handler for each method, a second throws a
   * `TypeError`. It is asked for the next item when the client has credit for it, so at most 16 items ahead of the reader.
   * `context.signal` is aborted, and the generator is returned, when the client leaves the stream or its session ends. A
   * `RejectError` ends the stream with its reason; any other failure is reported, and the client gets
   * `ERR_HANDLER_FAILED`. A stream belongs to the server process that began it: a client whose session goes on at
   * another one gets `ERR_STREAM_LOST`. At most 100 are open in one session, `too-many-streams` refuses more.
   */
  handleStream<K extends StreamMethod<C>>(
    method: K,
    handler: (
      input: StreamInputOutput<C, K>,
      context: ServerContext<C, U>,
    ) => AsyncIterable<StreamOutputInput<C, K>>,
  ): Unsubscribe;
  /** `pattern` is a name, or a prefix and `*`; the longest match counts. */
  rooms(pattern: string, rule: RoomRule<C, U>): this;
  /** The members of one room or more. As the next three, also from outside a handler, for example from an HTTP route. */
  to(...rooms: readonly string[]): RoomTarget<C, U>;
  /** All sessions of these users: each of their devices and tabs. */
  toUser(...userIds: readonly string[]): Target<C, U>;
  /** The sessions with these ids. */
  toSession(...sessionIds: readonly string[]): Target<C, U>;
  /** Every session. */
  toAll(): Target<C, U>;
  /** A session began. Not called on a resume. */
  onSession(listener: (session: ServerSession<C, U>) => unknown): Unsubscribe;
  /**
   * A session ended: `closed` by its client, `expired` because its client did not come back within `sessionTtlMs`,
   * `ended` by `end()` or `revoke()`, or
   * `lost` with this server or
   * with its store. `undelivered`: messages for it that it has not acknowledged.
   */
  onSessionEnd(listener: (session: ServerSession<C, U>, end: SessionEnd) => unknown): Unsubscribe;
  /**
   * Something was sent to a target in which nobody is, for example to a user who is not here: time for an e-mail. What the
   * listener sends to nobody in turn is told again.
   */
  onUnreached(listener: (unreached: Unreached) => unknown): Unsubscribe;
  /** A connection was bound to a session: its first, or a later one. */
  onAttach(listener: (session: ServerSession<C, U>, attach: { recovered: boolean }) => unknown): Unsubscribe;
  /** A session has lost its connection, and waits for its client. */
  onDetach(
    listener: (session: ServerSession<C, U>, detach: { code: number; reason: string }) => unknown,
  ): Unsubscribe;
  /** A handler, rule or listener of yours threw. Default: the logger. */
  onError(listener: (error: unknown, where: { name: string; sessionId?: string }) => unknown): Unsubscribe;
  /**
   * Takes the upgrades of `path` (default `/realtime`) of an http server: Express, Fastify (`app.server`), Hono, plain,
   * with TLS or without. Leaves those of other paths to others, and answers 404 to what nobody could take. Throws a
   * `TypeError` for a path that is taken already, or none, and after `close()`.
   */
  attach(server: UpgradeSource, options?: { path?: string }): this;
  /**
   * For who routes upgrades by hand: takes what an http server emits as `upgrade`, whatever its path. Who may not come
   * in is answered here, also after `close()` (503). Throws a `TypeError` for anything else.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Own http server, on path `/realtime`, with `/health` and `/ready` of `operations()`. Port 0: any free one. Rejects
   * with the error of `http.Server.listen`, and with a `TypeError` after `close()`.
   */
  listen(port: number, host?: string): Promise<{ port: number }>;
  stats(): ServerStats;
  /**
   * A handler for `node:http` and whatever stands on it (Express: `app.use(server.operations())`). `/health` is 200 as long
   * as the process answers; `/ready` is 503 while it drains. `/stats` (JSON) and `/metrics` (Prometheus) only for those
   * whom `allow` names. Returns true if the request was one of these. Throws a `TypeError` for bad options.
   */
  operations(options?: OperationsOptions): Operations;
  /**
   * Tokens count no more before they expire: of a user (those issued up to now, and those whose `auth` does not say when), or
   * the one of this id. Sessions here whose newest token is among them end, and their clients are refused (`token-revoked`);
   * who brings a fresh one begins another. Of this server only: tell each one. Throws a `TypeError` for a bad revocation.
   */
  revoke(revocation: Revocation): void;
  /**
   * Takes nobody in any more and asks the clients that are here to connect elsewhere, spread over time so that the
   * others are not overrun (`limits.acceptPerSecond`): who moves in that time has no outage. Ends as `close()` does when
   * all have gone, or at the deadline. Sessions move only where servers share a store. Twice is once; `close()` ends it.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends every connection with 1012 and takes no more; clients come back by themselves. */
  close(): Promise<void>;
  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** An `http.Server` or `https.Server`, or what behaves like one: `serve()` of Hono has a wider type. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  off(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  listeners(event: 'upgrade'): readonly object[];
}

export interface DrainOptions {
  /** When those who have not gone by themselves are closed; ms, default 30_000. */
  deadlineMs?: number | undefined;
}
