/**
 * What the outside world gives to the library. Both ends take these through their constructors, so that a test
 * can put a virtual clock, seeded randomness and a network in memory in their place.
 */

/** Time. */
export interface Clock {
  /** Milliseconds since 1970, with fractions. Never steps back while the process runs, unlike `Date.now()`. */
  now(): number;
  /** Runs `run` once after `delayMs` (0: in the next task). Returns what cancels it. */
  setTimer(run: () => void, delayMs: number): () => void;
  /** Runs `run` at the next microtask checkpoint: what one task sends shares a frame. */
  defer(run: () => void): void;
}

/** Randomness. */
export interface Random {
  /** From 0 (inclusive) to 1 (exclusive); for jitter only. */
  fraction(): number;
  /** Twenty-two characters that nobody can guess: 128 bits, base64url. */
  id(): string;
}

/** What one WebSocket message holds: text or bytes. */
export type WireData = string | Uint8Array;

/** One end of one open WebSocket connection. */
export interface Transport {
  /** Hands a message to the socket. Does nothing once the connection is closing. */
  send(data: WireData): void;
  /** Starts the closing handshake. Nobody waits for its end: a dead socket may never answer. */
  close(code: number, reason: string): void;
  /** Bytes handed over and not yet given to the operating system. */
  readonly bufferedBytes: number;
}

/** How a connection ended. */
export interface TransportEnd {
  /** Close code (RFC 6455 section 7.4); 1006 where there was no closing handshake. */
  readonly code: number;
  readonly reason: string;
  /** What the platform said, for example that the connection was refused. Browsers say nothing. */
  readonly cause?: unknown;
}

/** What a transport tells its owner: `open` at most once, then messages, then `close` exactly once. */
export interface TransportEvents {
  /** The connection stands; `protocol` is the subprotocol that the server chose. */
  open(protocol: string): void;
  message(data: WireData): void;
  close(end: TransportEnd): void;
  /** Everything that was handed to `send` has been given to the operating system, after a time when it was not. */
  drain?(): void;
}
