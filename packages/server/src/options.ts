import type { AnyContract, Codec, Contract, Logger } from '@holdfast/protocol';
import type { Observer } from './observe/observer.js';
import type { Cluster } from './ports/cluster.js';
import type { Authenticate, User } from './types.js';

export interface ServerOptions<C extends AnyContract = Contract, U extends User = User> {
  /** Checks payloads at run time, in both directions. */
  contract?: C | undefined;
  /** Default: everybody is a guest. */
  auth?: Authenticate<U> | undefined;
  /** Where else than in the first frame and the subprotocols a token may stand; default: nowhere. */
  tokenFrom?: TokenFrom | undefined;
  /**
   * When `auth` is asked. `hello` (default): with the first frame; a refusal is told in band, and the client knows what to
   * do. `upgrade`: before the connection is accepted, and again for a token in the first frame; a refusal is HTTP 401, which
   * browsers do not show to pages: there a client only sees that it cannot connect, and tries again.
   */
  authAt?: 'hello' | 'upgrade' | undefined;
  /**
   * Exact origins of browsers, such as `https://example.com`; default: that of the attached server itself. Clients
   * that are not browsers send none and are let in.
   */
  origins?: readonly string[] | undefined;
  /**
   * How many proxies stand in front, each of which appends to `X-Forwarded-For`: 0 none, the address of the socket counts;
   * n: the n-th entry from the right does. Whole, default: undecided; the header is ignored, and nothing is limited by
   * address, since everybody behind a proxy would have the same.
   */
  trustProxy?: number | undefined;
  /** Default `[json()]`. */
  codecs?: readonly Codec[] | undefined;
  /**
   * What several servers share: `redis()` of `@holdfast/redis`. A client that was cut goes on at any of them, and what is
   * sent to a room, a user or a session reaches it wherever it is. Default: memory, for one server by itself.
   */
  cluster?: Cluster | undefined;
  heartbeat?: HeartbeatOptions | undefined;
  /** How long at least a session waits for its client to come back; ms, default 120_000. */
  sessionTtlMs?: number | undefined;
  /**
   * Handlers of one session at once, started in order; default 16, `1` is strictly one after the other. A handler that waits
   * for `session.request()` does not count: while this server asks a client, as many more may run.
   */
  concurrency?: number | undefined;
  limits?: LimitOptions | undefined;
  /** What may wait for a client that is away or reads slowly, and what is done beyond that. */
  outbox?: OutboxOptions | undefined;
  /**
   * Takes lines of a name and its fields: sessions that come and go at `info`, refusals at `debug`, failures that `onError`
   * does not take at `error`. Default: `console`, for failures only.
   */
  logger?: Logger | undefined;
  /** Hears what happens, for metrics and the like: `prometheus()` of `@holdfast/server/metrics`, or your own. Default: nobody. */
  observe?: Observer | undefined;
}

/** A token in the first frame counts most, then a subprotocol, the query, the cookie. */
export interface TokenFrom {
  /**
   * Name of a cookie: the browser sends it by itself. A request that has it and no `Origin` is refused with HTTP 403: any
   * page's request has it, and only the origin says whose that is.
   */
  cookie?: string | undefined;
  /**
   * Name of a parameter in the query of the URL, for clients that can do nothing else: URLs stand in logs of proxies. What
   * this server gives on, `handshake.request.url`, is redacted.
   */
  query?: string | undefined;
}

export interface HeartbeatOptions {
  /** Time between pings, varied by 10 %; ms, default 20_000. Told to clients. A connection that is silent for 2.2 times this is dropped. */
  intervalMs?: number | undefined;
}

/**
 * Of one session: its events and requests that its client has not acknowledged, on the wire or waiting. Answers and items
 * of streams may have as much again. What is said in rooms is not counted: that waits in the room's log.
 */
export interface OutboxOptions {
  /** Whole, at least 1, default 1_000, unless the store was made with another bound. */
  maxMessages?: number | undefined;
  /** As they stand on the wire; bytes, at least 1, default 1_048_576. With nothing there, one message of any size has its place. */
  maxBytes?: number | undefined;
  /**
   * What a `send` beyond these bounds does. The client is told of each event that it does not get by `onGap`
   * (`outbox-full`), in its place.
   *
   * `reject` (default): it ends as `ERR_OUTBOX_FULL`.
   *
   * `drop-oldest`: the oldest events that are not on the wire end so, for what is worth less the older it is; half of the
   * bounds at most is then on the wire. Where only requests and what is on the wire are left, as `reject`.
   *
   * `disconnect`: as `reject`, and the connection is closed with 4408. Its client comes back, with its backoff, and reads on
   * from where it was; until it has taken half of the bounds that does not happen again.
   */
  overflow?: 'reject' | 'drop-oldest' | 'disconnect' | undefined;
}

export interface LimitOptions {
  /** Largest WebSocket message; bytes, at least 8_192, default 1_048_576. */
  maxMessageBytes?: number | undefined;
  /** Most rooms of one session; default 128. */
  maxRooms?: number | undefined;
  /** What may wait in the socket of a slow client until nothing more is written to it. Bytes, default 1_048_576. */
  maxBufferedBytes?: number | undefined;
  /**
   * When a socket has been so full for so long, its connection is dropped with 4408. The client reads on from where it was.
   * Ms, at least 10, default 30_000.
   */
  slowConsumerMs?: number | undefined;
  /**
   * Handshakes that this server takes in a second; beyond that there is a queue of one second, and everybody else is
   * told when to come again. Over so long as that takes for all who are here its clients spread their first attempt after
   * a loss, and `drain()` moves them. At least 1, default 1_000.
   */
  acceptPerSecond?: number | undefined;
  /**
   * Events and requests that a session may send in a second, volatile ones too. When they run low, its client's window
   * shrinks; what comes all the same is refused with `ERR_RATE_LIMITED`, and a flood of that ends the connection with
   * 4429. What is sent again after a cut counts once. At least 1, `Infinity` is no limit; default 500.
   */
  messagesPerSecond?: number | undefined;
  /** How many of them may come at once after a silence; whole, at least 1, default 2_000. */
  burst?: number | undefined;
  /** As `messagesPerSecond`, of all sessions of one user at this server; their burst is larger in proportion. Default: four times that. */
  userMessagesPerSecond?: number | undefined;
  /** Sessions of one user with a connection to this server; one more is closed with 4429. Whole, at least 1, default 100. */
  connectionsPerUser?: number | undefined;
  /**
   * Connections from one IPv4 address or one /64 of IPv6; one more is closed with 4429, and so is one more than 20 of which
   * it is not known yet who they are. Whole, at least 1, default 1_000. Only with `trustProxy`.
   */
  connectionsPerAddress?: number | undefined;
  /** New connections in a second from such an address, of which 5 s are saved up. At least 0.1, default 10. Only with `trustProxy`. */
  addressAcceptPerSecond?: number | undefined;
}
