import type {
  AnyContract,
  Arguments,
  Awaitable,
  ClientEvent,
  ClientEventInput,
  Codec,
  Contract,
  EventMeta,
  Logger,
  Method,
  RequestInput,
  RequestOutput,
  RoomEvent,
  RoomEventInput,
  Sending,
  ServerEvent,
  ServerEventOutput,
  ServerMethod,
  ServerRequestInputOutput,
  ServerRequestOutputInput,
  Unsubscribe,
} from '@holdfast/protocol';
import type { ClientConnection, ClientOptions, JoinState, RequestContext } from '../types.js';

/**
 * Options of the small client. Each means what it means to the whole one; what an application in JavaScript gives beside
 * them counts for nothing.
 */
export interface LiteOptions {
  /** `ws:`, `wss:`, `http:`, `https:`, or a path of the page's origin. Holds no token. */
  url: string | URL;
  /** Token that the server's `auth` gets, or a function that fetches one; default: none, a guest. */
  auth?: ClientOptions['auth'];
  /** Default `json()`; not one of `payloadCodec()`. */
  codec?: Codec | undefined;
  /** How many messages may wait to be written; default 1_000. Beyond that `send` ends as `ERR_OUTBOX_FULL`. */
  outbox?: { maxMessages?: number | undefined } | undefined;
  /** Exponential backoff with full jitter, ms; default 500 to 30_000. */
  reconnect?: { baseMs?: number | undefined; capMs?: number | undefined } | undefined;
  /** Default `console`. */
  logger?: Pick<Logger, 'warn' | 'error'> | undefined;
}

/** Options of `send` and `request`. */
export interface LiteMessageOptions {
  /**
   * Rejects with `ERR_TIMEOUT` after so long without an ack or answer: `unknown` if it was written, `unsent` if not.
   * Milliseconds; default 30_000 for requests, none for sends.
   */
  timeoutMs?: number | undefined;
  /** Own message id, 1 to 128 characters; default: a random one. */
  id?: string | undefined;
}

/** A room of the small client: as `ClientRoom`, without its members and presence. */
export interface LiteRoom<C extends AnyContract = Contract> {
  readonly name: string;
  getState(): JoinState;
  onState(listener: (state: JoinState) => unknown): Unsubscribe;
  /** Only what is sent to this room. Listen before `join()`: nothing is kept for late listeners. */
  on<K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
  ): Unsubscribe;
  /** Publishes to the other members. Rejects with `ERR_NOT_JOINED` unless the room has been joined or is being joined. */
  send<K extends RoomEvent<C>>(
    event: K,
    ...args: Arguments<RoomEventInput<C, K>, LiteMessageOptions>
  ): Sending;
  /**
   * Idempotent; comes back by itself after a reconnect, with what was published meanwhile. Refused: `ERR_REJECTED`
   * with `reason`.
   */
  join(): Promise<void>;
  leave(): Promise<void>;
}

/**
 * The small client: connects and reconnects, resumes its session, and sends, asks and hears exactly once, as the whole one
 * does and against the same servers. What it has means what it means there, so that one line of import is all that has to
 * be changed when more is needed.
 */
export interface LiteClient<C extends AnyContract = Contract>
  extends Pick<
    ClientConnection,
    'getState' | 'onState' | 'onSessionLost' | 'onGap' | 'onUndelivered' | 'onError' | 'disconnect'
  > {
  /** Without this property TypeScript takes clients of different contracts for one another. Always undefined. */
  readonly contract: C | undefined;
  /** Hears an event sent by the server, in rooms too (`meta.room`). Listen before `connect()`. */
  on<K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
  ): Unsubscribe;
  /** Settles once: a receipt, or a `DeliveryError` with `delivery`. Sends made while not connected wait in the outbox. */
  send<K extends ClientEvent<C>>(
    event: K,
    ...args: Arguments<ClientEventInput<C, K>, LiteMessageOptions>
  ): Sending;
  /** Resolves when the server's handler has answered; never repeated by the library. */
  request<K extends Method<C>>(
    method: K,
    ...args: Arguments<RequestInput<C, K>, LiteMessageOptions>
  ): Promise<RequestOutput<C, K>>;
  /**
   * Answers the server's `session.request()`; one handler for each method, a second throws a `TypeError`. A `RejectError`
   * refuses with its reason. Handle before `connect()`: a method without a handler is refused with `ERR_NO_HANDLER`.
   */
  handle<K extends ServerMethod<C>>(
    method: K,
    handler: (
      input: ServerRequestInputOutput<C, K>,
      context: RequestContext,
    ) => Awaitable<ServerRequestOutputInput<C, K>>,
  ): Unsubscribe;
  /** The same handle for the same name. Contacts nobody until `join()`. */
  room(name: string): LiteRoom<C>;
  /**
   * Idempotent, and "try now" while waiting. Resolves when connected; rejects on `needs-auth`, `failed`, `closed` with the
   * error of that state.
   */
  connect(): Promise<void>;
  /** Ends the session, for good. Unsettled messages reject with `ERR_CLOSED`, `unsent` or `unknown`. */
  close(): Promise<void>;
}
