/** Options of everything that waits for an answer. */
export interface CallOptions {
  /**
   * Rejects with `ERR_TIMEOUT` after so long without an answer: `unknown` if it was written, `unsent` if not.
   * Milliseconds; default 30_000 for requests and joins, none for sends.
   */
  timeoutMs?: number | undefined;
  /** Aborting rejects with `signal.reason`. What is on the wire may still arrive. */
  signal?: AbortSignal | undefined;
}

/** Options of what is said. */
export interface MessageOptions extends CallOptions {
  /** The trace that it belongs to, as W3C Trace Context writes it (section 3.2); goes with it. Default: none. */
  traceparent?: string | undefined;
}

/**
 * How a message is treated on its way. `reliable`: kept until it is acknowledged. `volatile`: dropped if it cannot go at
 * once, for what is worth nothing later (typing, cursors); never repeated. `latest`: as `reliable`, but while it waits, a
 * newer one of the same key takes its place. `durable`: as `reliable`, and kept in the client's storage, so that it outlives
 * the page or process; for clients with `outbox.storage`, of users that are no guests.
 */
export type Delivery = 'reliable' | 'volatile' | 'latest' | 'durable';

export interface SendOptions extends MessageOptions {
  /** Default: what the client's `delivery` says of the event, else `reliable`. */
  delivery?: Delivery | undefined;
  /** Which `latest` messages replace each other, within a room or outside; 1 to 128 characters, default: the event's name. */
  key?: string | undefined;
  /** Rejected `unsent` with `ERR_EXPIRED` if not on the wire by then; ms, default: the outbox's `ttlMs`. */
  ttlMs?: number | undefined;
  /** Own message id, for example to send an `unknown` one again; 1 to 128 characters; default: a random one. */
  id?: string | undefined;
}

/** How a send ended well. */
export interface Receipt {
  readonly id: string;
  /**
   * `acknowledged`: accepted by the other end. `superseded`: it was `latest`, and a newer one took its place before it was
   * written. Of a `volatile` one, `sent`: handed to the network, `dropped`: it could not go at once.
   */
  readonly outcome: 'acknowledged' | 'superseded' | 'sent' | 'dropped';
}

/**
 * A promise that needs no `await`: its rejection is never "unhandled", and on a client every failure is also told
 * to `onUndelivered`. Awaited and chained like any other, but no instance of the platform's `Promise`: that is made when
 * somebody asks, and of thousands of messages that wait at once nobody asks. Of one that is awaited when it is written, the
 * other end is asked to acknowledge it at once: it takes a round trip. Else it may take 100 ms more.
 */
export interface Sending<R = Receipt> extends Promise<R> {
  /** Known at once: a key for an optimistic list entry. */
  readonly id: string;
  /**
   * Of a durable message: resolves when it is stored, so that it outlives the page or process; rejects with `ERR_STORAGE`
   * if it cannot be, in which case it is sent as a `reliable` one. Needs no `await` either.
   */
  readonly stored?: Promise<void> | undefined;
}

/** What a listener is told beside the payload. */
export interface EventMeta {
  /** As `Sending.id` at the sender. */
  readonly id: string;
  /** Server's clock, ms since 1970. */
  readonly at: number;
  /** When it was sent, by the sender's own clock, ms since 1970; it may have waited for long. Nobody vouches for it. */
  readonly sentAt?: number | undefined;
  /** Number in its lane: the session's, or the room's offset; 0 for a `volatile` one. */
  readonly seq: number;
  readonly room?: string | undefined;
  /** User id of the sender, set by the server; absent if the server itself sent it. */
  readonly from?: string | undefined;
  /**
   * True if a handler may have run for this message before: its process died inside it. Always false on a client, whose
   * session does not outlive its process.
   */
  readonly redelivered: boolean;
  /** The trace that it belongs to, if its sender has said so; nobody vouches for it. */
  readonly traceparent?: string | undefined;
}

/** Ends a subscription; safe to call twice. */
export type Unsubscribe = () => void;

export interface ListenOptions {
  /** Ends after the first call; default false. */
  once?: boolean | undefined;
  /** Ends when aborted. */
  signal?: AbortSignal | undefined;
}

/** A user in a room. */
export interface Member<P = unknown> {
  readonly userId: string;
  /** How many sessions of this user are in the room. */
  readonly sessions: number;
  /** What it tells about itself: of several sessions, what was told last. */
  readonly presence?: P;
}

/** What takes log lines; `console` fits. */
export type Logger = Pick<Console, 'debug' | 'info' | 'warn' | 'error'>;

/** A value, or a promise of it. */
export type Awaitable<V> = V | PromiseLike<V>;

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
