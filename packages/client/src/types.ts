import type {
  AnyContract,
  Arguments,
  AuthError,
  Awaitable,
  CallOptions,
  ClientEvent,
  ClientEventInput,
  Codec,
  Contract,
  Delivery,
  DeliveryError,
  EventMeta,
  HoldfastError,
  ListenOptions,
  Logger,
  MessageOptions,
  Method,
  RequestInput,
  RequestOutput,
  Sending,
  SendOptions,
  ServerEvent,
  ServerEventOutput,
  ServerMethod,
  ServerRequestInputOutput,
  ServerRequestOutputInput,
  Unsubscribe,
} from '@holdfast/protocol';
import type { ClientRoom, Joinable } from './room-types.js';

export type * from './room-types.js';

/** Where the connection is, with the data of just that state. */
export type ConnectionState =
  /** Not asked to connect. */
  | { readonly status: 'idle' }
  /**
   * The first attempt after `connect()`: fetches the token, dials, says hello. `since`, as every time here, is in ms
   * since 1970.
   */
  | {
      readonly status: 'connecting';
      readonly attempt: number;
      readonly phase: 'preparing' | 'dialing' | 'handshaking';
      readonly since: number;
    }
  | {
      readonly status: 'connected';
      /** True if the session of an earlier connection goes on: nothing was lost in between. */
      readonly recovered: boolean;
      readonly sessionId: string;
      readonly userId: string;
      readonly since: number;
      /** `suspect`: something that should have come did not, or the device slept; a ping has been sent to find out. */
      readonly health: 'good' | 'suspect';
      /** Round-trip time, as last measured. */
      readonly rttMs?: number;
    }
  /**
   * An attempt failed or the connection was lost: waits for the next attempt, or for its answer. `online`, `visible`:
   * until the network or the page is back, but not longer than `retryAt`.
   */
  | {
      readonly status: 'reconnecting';
      readonly attempt: number;
      readonly waitingFor: 'timer' | 'online' | 'visible' | 'answer';
      /** When the next attempt starts at the latest; absent while waiting for its answer. */
      readonly retryAt?: number;
      readonly since: number;
      readonly lastError: HoldfastError;
    }
  /** The server does not accept the token: `connect({ auth })` with another one leaves this state. */
  | { readonly status: 'needs-auth'; readonly error: AuthError }
  /** Given up, for the reason in `error`; `connect()` tries again. */
  | { readonly status: 'failed'; readonly error: HoldfastError }
  /** `close()` was called; final. */
  | { readonly status: 'closed'; readonly reason: string };

/** A deadline that the connection waits for. */
export interface Timer {
  /**
   * `token`, `dial`, `welcome`: what an attempt waits for at most so long. `attempt`: the next one begins. `ping`: the
   * server is asked for a sign of life, `pong`: it must have answered. `move`: the connection goes to another server.
   * `refresh`: the token is renewed. `messages`: one expires, times out or is to be acknowledged.
   */
  readonly name: 'token' | 'dial' | 'welcome' | 'attempt' | 'ping' | 'pong' | 'move' | 'refresh' | 'messages';
  /** Ms since 1970. */
  readonly dueAt: number;
}

/** One step of the connection from state to state, as finely as the client itself knows it. */
export interface Transition {
  /** Ms since 1970. */
  readonly at: number;
  readonly from: ConnectionPhase;
  readonly to: ConnectionPhase;
  /** What made it: a call (`connect`, `close`), what came (`opened`, `welcomed`), `tick` for a deadline, an error's code. */
  readonly cause: string;
}
export type ConnectionPhase =
  | 'idle'
  | 'preparing'
  | 'dialing'
  | 'handshaking'
  | 'connected'
  | 'waiting'
  | 'needs-auth'
  | 'failed'
  | 'closed';

/** All that a client knows of its connection, for looking into it; `explain` of `@holdfast/client/explain` puts it in words. */
export interface Inspection {
  /** When this was looked at, ms since 1970. */
  readonly at: number;
  readonly state: ConnectionState;
  /** The nearest first. */
  readonly timers: readonly Timer[];
  readonly outbox: OutboxState;
  /** Round-trip time, as last measured, ms; absent before the first. */
  readonly rttMs?: number | undefined;
  /** The last 100, the oldest first. */
  readonly transitions: readonly Transition[];
}

/** A token, or a function that fetches one. */
export type TokenSource =
  | string
  | ((request: {
      /** `connect`: for an attempt. `expiring`: 80 % of its time have passed. `rejected`: the server wants another one. */
      readonly reason: 'connect' | 'expiring' | 'rejected';
      /** Aborted when the answer is not needed any more, at the latest after 10 s. */
      readonly signal: AbortSignal;
    }) => string | PromiseLike<string>);

/** What waits: `messages` and `bytes` are not yet on the wire, `inflight` is there and not yet acknowledged. */
export interface OutboxState {
  readonly messages: number;
  readonly bytes: number;
  readonly inflight: number;
}

/** A message whose fate nobody knows, or that will not arrive. */
export interface UndeliveredMessage {
  readonly kind: 'event' | 'request';
  readonly id: string;
  /** Name of the event, or of the request's method. */
  readonly event: string;
  readonly payload: unknown;
  readonly room?: string | undefined;
  /** When `send` was called, ms since 1970. */
  readonly sentAt: number;
}

/** A durable message of an earlier life of the page or process, which goes on waiting for its outcome. */
export interface RestoredMessage extends UndeliveredMessage {
  /** Its outcome, as the promise of its `send` would have told it. */
  readonly sending: Sending;
}

/** A session ended without us: what was on the wire is unknown, unless the server still knows that it was handled. */
export interface LostSession {
  readonly sessionId: string;
  /** How many of the events on the wire turned out to have been handled: their sends are acknowledged. */
  readonly handled: number;
  /** Events that may or may not have been handled, in the order in which they were sent. Not sent again by itself. */
  readonly unknown: readonly UndeliveredMessage[];
}

/** A truthful hole in what a room, or this session itself, was told. */
export interface Gap {
  /** How many publications are missing; 0: nobody knows whether any. */
  readonly messages: number;
  /**
   * `trimmed`: the room's log did not reach back so far. `new-epoch`: the server has lost the room's log.
   * `outbox-full`: too much waited at the server for this session. `codec`: it cannot be said in this client's codec.
   */
  readonly reason: string;
  /** Absent if it was for this session alone. */
  readonly room?: string | undefined;
}

/** The part of a client that no contract changes: what a banner or a helper for any client takes. */
export interface ClientConnection {
  /**
   * Immutable snapshot, a new object at each change. A method, since TypeScript keeps a narrowed property narrowed
   * across `await`. Bound, as is `onState`, so that both fit `useSyncExternalStore`.
   */
  getState(): ConnectionState;
  /** Not called on subscription. */
  onState(listener: (state: ConnectionState, previous: ConnectionState) => unknown): Unsubscribe;
  /** Immutable snapshot of what waits to be sent or acknowledged. */
  getOutbox(): OutboxState;
  onOutbox(listener: (outbox: OutboxState) => unknown): Unsubscribe;
  /**
   * Idempotent, and "try now" while waiting. Resolves when connected; rejects on `needs-auth`, `failed`, `closed`
   * with the error of that state, and with `signal.reason` when aborted (which does not stop the connecting).
   * `auth` replaces the token or what fetches it, also on a connection that stands: it is opened anew then; another
   * user gets another session.
   */
  connect(options?: { auth?: TokenSource | undefined; signal?: AbortSignal | undefined }): Promise<void>;
  /** Down until `connect()`; the session (server: 120 s) and what waits in the outbox go on waiting. State `idle`. */
  disconnect(): Promise<void>;
  /**
   * Resolves when every message that was accepted is settled, in whatever way; rejects with `ERR_TIMEOUT` after
   * `timeoutMs` (default 30_000), with `signal.reason` when aborted.
   */
  flush(options?: CallOptions): Promise<void>;
  /** A snapshot for looking into the connection: deadlines, counts, the last transitions and their causes. Bound. */
  inspect(): Inspection;
  /**
   * Ends the session, for good. Unsettled messages reject with `ERR_CLOSED`, `unsent` or `unknown`; with `flushMs`
   * they get so long to be sent and acknowledged first. Milliseconds, default 0.
   */
  close(options?: { flushMs?: number | undefined }): Promise<void>;
  /**
   * Sends an event that ended `unknown` or `unsent` again, with the same id: at least once. Throws a `TypeError` for a
   * request, whose caller has got an error and knows what to make of it, and for a namespace that was not named yet.
   */
  resend(message: UndeliveredMessage): Sending;
  /**
   * What was found in `outbox.storage`, of this user, from before: it is sent before anything else or, if it is for a
   * `room`, right behind its next `join()`. Each may end as any message does; `unknown` with `ERR_SESSION_LOST` if it may
   * have been sent and the server no longer knows.
   */
  onRestored(listener: (messages: readonly RestoredMessage[]) => unknown): Unsubscribe;
  /** Told before anything of the new session is sent or delivered. */
  onSessionLost(listener: (lost: LostSession) => unknown): Unsubscribe;
  /** Without a listener it is logged as a warning. */
  onGap(listener: (gap: Gap) => unknown): Unsubscribe;
  /** Each message that ended badly, awaited or not. */
  onUndelivered(listener: (message: UndeliveredMessage, error: DeliveryError) => unknown): Unsubscribe;
  /** A listener of yours threw, or an event came that nobody hears. Default: the logger. */
  onError(listener: (error: HoldfastError) => unknown): Unsubscribe;
  /** As `close()`: `await using client = createClient(…)`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the handler of a server's request is told beside the input. */
export interface RequestContext extends EventMeta {
  /**
   * Aborted when nobody waits for the answer any more: the server has cancelled or its `timeoutMs` has passed, the session
   * is lost, or this client was closed. A cut aborts nothing: the answer goes out on the next connection.
   */
  readonly signal: AbortSignal;
}

/** What the client, and each of its namespaces, can do. */
export interface ClientScope<C extends AnyContract = Contract> {
  /** As given; without this property TypeScript takes clients of different contracts for one another. */
  readonly contract: C | undefined;
  /**
   * Hears an event sent by the server, in rooms too (`meta.room`). Listen before `connect()` or `join()`: nothing
   * is kept for late listeners.
   */
  on<K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
    options?: ListenOptions,
  ): Unsubscribe;
  /** Settles once: a receipt, or a `DeliveryError` with `delivery`. Sends made while not connected wait in the outbox. */
  send<K extends ClientEvent<C>>(event: K, ...args: Arguments<ClientEventInput<C, K>, SendOptions>): Sending;
  /** Resolves when the server's handler has answered; never repeated by the library. */
  request<K extends Method<C>>(
    method: K,
    ...args: Arguments<RequestInput<C, K>, MessageOptions>
  ): Promise<RequestOutput<C, K>>;
  /**
   * Answers the server's `session.request()`, with what the handler returns or resolves with; one handler for each method,
   * a second throws a `TypeError`. A `RejectError` refuses with its reason; any other failure is told to `onError`, and the
   * server gets `ERR_HANDLER_FAILED` without its text. Handle before `connect()`: a method without a handler is refused
   * with `ERR_NO_HANDLER`. At most 100 requests are open at once.
   */
  handle<K extends ServerMethod<C>>(
    method: K,
    handler: (
      input: ServerRequestInputOutput<C, K>,
      context: RequestContext,
    ) => Awaitable<ServerRequestOutputInput<C, K>>,
  ): Unsubscribe;
  /** The same handle for the same name. Contacts nobody until `join()`. */
  room(name: string): ClientRoom<C>;
}

/** Made by `createClient`. */
export interface HoldfastClient<C extends AnyContract = Contract> extends ClientScope<C>, ClientConnection {
  /**
   * A namespace of the server's: on the same connection, with a contract and rooms of its own. The same handle for the
   * same name; contacts nobody until `join()`. What is told of the whole client (`onUndelivered`, `onGap`, `onError` and
   * the like) names what is in it as `/admin#kick`. A durable message waits for the join.
   *
   * Throws a `TypeError` unless the name begins with `/`, has 2 to 64 characters and no `#`, for a second contract, and for
   * one that is not given the first time.
   */
  namespace<N extends AnyContract = Contract>(name: `/${string}`, contract?: N): ClientNamespace<N>;
}

/**
 * One of the server's namespaces. `join()` asks its middleware, and refuses with `ERR_REJECTED`: `contract-version` if the
 * contracts of both ends do not fit, `join-not-allowed` if the server has no such namespace. What is sent and asked before
 * is refused with `ERR_NOT_JOINED`; `left`, if the server has let us in no more when we came back.
 */
export interface ClientNamespace<C extends AnyContract = Contract> extends ClientScope<C>, Joinable {
  readonly name: string;
}

export interface ClientOptions<C extends AnyContract = Contract> {
  /**
   * `ws:`, `wss:`, `http:`, `https:`, or a path of the page's origin; or a function that gives it for each attempt.
   * Holds no token: addresses end up in logs, proxies and crash reports.
   */
  url: string | URL | ((context: { readonly attempt: number }) => string | URL | PromiseLike<string | URL>);
  /** Checks payloads at run time, in both directions. */
  contract?: C | undefined;
  /**
   * Token that the server's `auth` gets, or a function that fetches one; default: none, a guest. A function is called
   * once at a time, its token kept until 80 % of its time have passed, then renewed while connected, or until the server has
   * refused it or ended the session. Throws it a `RejectError`, nobody is logged in: the state is `needs-auth`, also if a
   * connection stands. What else it throws is tried again.
   */
  auth?: TokenSource | undefined;
  /**
   * How the token travels: in the first frame (`hello`, default), or already in the upgrade, as an entry of
   * `Sec-WebSocket-Protocol` (`subprotocol`), for gateways that must see it there. Never in the URL.
   */
  tokenIn?: 'hello' | 'subprotocol' | undefined;
  /** Lets a `url` with `token=` or `access_token=` pass, which is refused otherwise; default false. */
  allowTokenInUrl?: boolean | undefined;
  /** Connects in the next task; default false. */
  autoConnect?: boolean | undefined;
  /** Default `json()`. */
  codec?: Codec | undefined;
  /** How events are treated on their way unless `send` says otherwise: `{ typing: 'volatile' }`; default `reliable`. */
  delivery?: { readonly [K in ClientEvent<C>]?: Delivery } | undefined;
  reconnect?: ReconnectOptions | undefined;
  heartbeat?: HeartbeatOptions | undefined;
  outbox?: OutboxOptions | undefined;
  /** Default `console`. */
  logger?: Logger | undefined;
}

export interface ReconnectOptions {
  /** First step of the exponential backoff (full jitter); ms, default 500. */
  baseMs?: number | undefined;
  /** Largest step; ms, default 30_000. */
  capMs?: number | undefined;
  /** A connection must last so long to reset the count of attempts; ms, default 5_000. */
  minUptimeMs?: number | undefined;
  /** Attempts in a row that may fail until the state is `failed`; default Infinity. */
  maxAttempts?: number | undefined;
  /** How long without a connection until the state is `failed`; ms, default Infinity. */
  maxElapsedMs?: number | undefined;
  /**
   * Your own delay before an attempt, in ms; null gives up. Replaces the backoff, not what the server asks for. If it
   * throws or returns something else, that is told to `onError` and the backoff counts.
   */
  policy?:
    | ((context: {
        readonly attempt: number;
        readonly elapsedMs: number;
        readonly error: HoldfastError;
      }) => number | null)
    | undefined;
}

export interface HeartbeatOptions {
  /** Silence of 1.25 times this is answered with a ping; ms, default: what the server proposes. */
  intervalMs?: number | undefined;
  /** How long a ping may go unanswered; ms, default 5_000. */
  timeoutMs?: number | undefined;
  /** Unanswered pings until the connection is given up; default 1. */
  maxMissed?: number | undefined;
}

export interface OutboxOptions {
  /** How many messages may wait to be written; default 1_000. */
  maxMessages?: number | undefined;
  /** How many bytes of them; default 1_048_576. */
  maxBytes?: number | undefined;
  /** How long a message may wait to be written; ms, default Infinity. */
  ttlMs?: number | undefined;
  /**
   * What a `send` beyond these bounds does: `reject` (default); `wait` for its turn without a bound, for programs that
   * wait for each `send` before the next; `drop-oldest`, which then ends as `ERR_OUTBOX_FULL` and is told to
   * `onUndelivered`, for what is worth less the older it is.
   */
  overflow?: 'reject' | 'wait' | 'drop-oldest' | undefined;
  /**
   * Where `durable` messages are kept: `indexedDbOutbox()` of `@holdfast/client/storage`, `fileOutbox()` of
   * `@holdfast/client/storage-file`.
   */
  storage?: { readonly name: string } | undefined;
}
