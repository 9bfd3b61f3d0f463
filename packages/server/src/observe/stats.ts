/** Counts of this server, at once; a plain object for `res.json()`. */
export interface ServerStats {
  readonly connections: number;
  /** With a connection, or waiting for their clients. */
  readonly sessions: number;
  readonly users: number;
  readonly rooms: number;
  /** What waits for clients or is unacknowledged by them; absent where the store does not know that at once. */
  readonly outboxBytes?: number | undefined;
  /** Events and requests accepted from clients since the start. */
  readonly messagesIn: number;
  /** Events, replies and publications written to clients since the start. */
  readonly messagesOut: number;
  /** Errors told to `onError` since the start. */
  readonly errors: number;
  /** True while the store fails or is slow: nothing is acknowledged then, or late, and newcomers may be sent away. */
  readonly degraded: boolean;
  /** True from `drain()` or `close()` on: nobody is taken in any more. For health checks. */
  readonly draining: boolean;
}
