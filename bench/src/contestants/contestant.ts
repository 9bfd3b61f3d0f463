/** What a side tells the one who counts. */
export interface Notes {
  /** A message has reached the application. */
  heard(number: number): void;
  /** The application was told that this message failed, or that nobody knows what became of it. */
  told(number: number): void;
}

/** One side of a conversation, with everything that the library does by itself. */
export interface Side {
  /** Never throws, never waits; what becomes of it is told to `Notes`. */
  send(number: number): void;
  /** Messages of which the application is still waiting to hear. */
  pending(): number;
}

export interface ServerSide extends Side {
  readonly port: number;
}

export interface Contestant {
  readonly key: string;
  /** Whose versions stand in the table. */
  readonly packages: readonly string[];
  readonly how: string;
  /** When nothing has arrived for so long, nothing will. */
  readonly quietMs: number;
  serve(notes: Notes): Promise<ServerSide>;
  /** Resolves once it is connected. */
  dial(port: number, notes: Notes): Promise<Side>;
}

/** The same for everybody: who comes back sooner would lose less, and that is not what is compared. */
export const RECONNECT = { minMs: 10, maxMs: 100 } as const;
/** How long an attempt to connect may take, where that can be said. */
export const DIAL_MS = 2_000;
export const HOST = '127.0.0.1';
