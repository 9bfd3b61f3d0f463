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

export interface SendOptions extends CallOptions {
  /** Rejected `unsent` with `ERR_EXPIRED` if not on the wire by then; ms, default: the outbox's `ttlMs`. */
  ttlMs?: number | undefined;
  /** Own message id, for example to send an `unknown` one again; 1 to 128 characters; default: a random one. */
  id?: string | undefined;
}

/** How a send ended well: accepted by the other end. */
export interface Receipt {
  readonly id: string;
  readonly outcome: 'acknowledged';
}

/**
 * A promise that needs no `await`: its rejection is never "unhandled", and on a client every failure is also told
 * to `onUndelivered`.
 */
export interface Sending<R = Receipt> extends Promise<R> {
  /** Known at once: a key for an optimistic list entry. */
  readonly id: string;
}

/** What a listener is told beside the payload. */
export interface EventMeta {
  /** As `Sending.id` at the sender. */
  readonly id: string;
  /** Server's clock, ms since 1970. */
  readonly at: number;
  /** Number in its lane: the session's, or the room's offset. */
  readonly seq: number;
  readonly room?: string | undefined;
  /** User id of the sender, set by the server; absent if the server itself sent it. */
  readonly from?: string | undefined;
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
export interface Member {
  readonly userId: string;
  /** How many sessions of this user are in the room. */
  readonly sessions: number;
}

/** What takes log lines; `console` fits. */
export type Logger = Pick<Console, 'debug' | 'info' | 'warn' | 'error'>;

/** A value, or a promise of it. */
export type Awaitable<V> = V | PromiseLike<V>;

/** A promise with its ends in hand. */
export interface Deferred<R> {
  readonly sending: Sending<R>;
  resolve(value: R | PromiseLike<R>): void;
  reject(error: Error): void;
}

/** Makes a `Sending`; a rejection that nobody awaits stays quiet. */
export function defer<R>(id: string): Deferred<R> {
  let resolve!: (value: R | PromiseLike<R>) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<R>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { sending: Object.assign(promise, { id }), resolve, reject };
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
