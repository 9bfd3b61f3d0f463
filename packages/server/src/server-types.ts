import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type {
  AnyContract,
  Awaitable,
  ClientEvent,
  ClientEventOutput,
  Contract,
  Method,
  RequestInputOutput,
  RequestOutputInput,
  StreamInputOutput,
  StreamMethod,
  StreamOutputInput,
  Unsubscribe,
} from '@holdfast/protocol';
import type { Operations, OperationsOptions } from './observe/operations.js';
import type { ServerStats } from './observe/stats.js';
import type {
  MessageMiddleware,
  Middleware,
  Revocation,
  RoomRule,
  RoomTarget,
  ServerContext,
  ServerSession,
  SessionEnd,
  Target,
  Unreached,
  User,
} from './types.js';

/** What the server, and each of its namespaces, can do. */
export interface ServerScope<C extends AnyContract = Contract, U extends User = User> {
  /** As given; keeps servers of different contracts apart. */
  readonly contract: C | undefined;
  /**
   * Asks `middleware` before each event, request or stream of a client is accepted, after contract and rules; of several
   * one after the other. A `RejectError` refuses the message with its reason; any other failure is told to `onError`. What
   * comes behind waits, so answer at once where you can.
   */
  useMessages(middleware: MessageMiddleware<C, U>): this;
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
  /** A session began; in a namespace: it has joined it. Not called on a resume. */
  onSession(listener: (session: ServerSession<C, U>) => unknown): Unsubscribe;
}

export interface HoldfastServer<C extends AnyContract = Contract, U extends User = User>
  extends ServerScope<C, U> {
  /**
   * Asks `middleware` before a session may enter, and again each time when its client comes back, after `auth`; of several
   * one after the other. A `RejectError` refuses, as one of `auth` does: the client gets its reason and stops until it has
   * another token; a session that was there before waits. Any other failure is told to `onError`, and the client comes back
   * by itself.
   */
  use(middleware: Middleware<U>): this;
  /**
   * A part of the server by itself, on the same connections: with a contract, middleware, handlers and rooms of its own. A
   * client is in it once it has joined it. The same handle for the same name. Throws a `TypeError` unless the name begins
   * with `/`, has 2 to 64 characters and no `#`, for a second contract, and for one that is not given the first time.
   */
  namespace<N extends AnyContract = Contract>(name: `/${string}`, contract?: N): ServerNamespace<N, U>;
  /**
   * A session ended: `closed` by its client, `expired` because its client did not come back within `sessionTtlMs`,
   * `ended` by `end()` or `revoke()`, or `lost` with its store. That of a server without `cluster` is lost with the server;
   * with one, a server that closes leaves its sessions to the others, and tells of no end. `undelivered`: messages for it
   * that it has not acknowledged.
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
   * with the error of `http.Server.listen`, and with a `TypeError` for what is no port and after `close()`.
   */
  listen(port: number, host?: string): Promise<{ port: number }>;
  stats(): ServerStats;
  /**
   * A handler for `node:http` and whatever stands on it (Express: `app.use(server.operations())`). `/health` is 200 as long
   * as the process answers; `/ready` is 503 while it drains or its store is in trouble. `/stats` (JSON) and `/metrics` (Prometheus) only for those
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
   * With `cluster`, upgrades are answered with 503 meanwhile, on which a proxy asks another server (see deploy/nginx.conf);
   * without, newcomers are let in and told to come again in a second. Pages go on being served.
   */
  drain(options?: DrainOptions): Promise<void>;
  /**
   * Ends every connection with 1012 and takes no more; clients come back by themselves, but for those whose sessions are
   * being ended: these have a second to hear of that.
   */
  close(): Promise<void>;
  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * One of the server's namespaces. Its sessions are those that have joined it: `toAll()` tells them, `toUser()` those of the
 * user among them, and `end()` of a session or target takes it out of the namespace, whose handle at the client is `left`.
 * Where the whole server is told (`onError`, `onUnreached`, logs, metrics), names in it are written `/admin#kick`.
 */
export interface ServerNamespace<C extends AnyContract = Contract, U extends User = User>
  extends ServerScope<C, U> {
  readonly name: string;
  /**
   * Asks `middleware` before a session may join, and again each time when its client comes back, where the session is taken
   * out if it does not pass. A `RejectError` refuses the join with its reason; any other failure, also no answer within
   * 5 s, is told to `onError` and refuses, too. The rest of the session goes on. What was sent to `toUser()`, `toSession()` or
   * the session itself while it was in still reaches its client; what was said to `toAll()` or in rooms does not.
   */
  use(middleware: Middleware<U>): this;
  /** A session is out: it has left, was taken out (`ended`), or has ended itself, as in `SessionEnd`. */
  onSessionEnd(
    listener: (session: ServerSession<C, U>, end: { reason: 'left' | SessionEnd['reason'] }) => unknown,
  ): Unsubscribe;
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
