import type { SelfTime } from './profile/self-time.js';

/** What the one who counts asks the two programs of a system; each answers one question at a time. */
export type LoadQuestion =
  /** So many requests open all the time. */
  | { readonly ask: 'request'; readonly inFlight: number; readonly bytes: number; readonly ms: number }
  /** One way to the server, one after the other: the next when the one before is known to have come. */
  | { readonly ask: 'receipts'; readonly bytes: number; readonly ms: number }
  /** One way to the server, so many messages unconfirmed at most. */
  | { readonly ask: 'up'; readonly unconfirmed: number; readonly bytes: number; readonly ms: number }
  /** One way from the server. */
  | { readonly ask: 'down'; readonly ms: number }
  /** Hears what the server publishes to so many subscribers. */
  | {
      readonly ask: 'fan-out';
      readonly subscribers: number;
      readonly outstanding: number;
      readonly ms: number;
    }
  /** Opens so many connections more, some at a time, and leaves them alone. */
  | { readonly ask: 'connect'; readonly connections: number };

/** `collected`: garbage is collected first, so that the memory is what is really held. */
export type ProcessQuestion =
  | { readonly ask: 'usage'; readonly collected: boolean }
  /** From here on it is looked at what the process does, until it is asked what was seen. */
  | { readonly ask: 'profile' }
  | { readonly ask: 'profiled' };

/** The client says 1, 2, 3, … one way at a rate, whatever becomes of its connection, until it is told to hush. */
export type ClientQuestion =
  | LoadQuestion
  | ProcessQuestion
  | { readonly ask: 'talk'; readonly perSecond: number }
  | { readonly ask: 'hush' };

/** From `listen` on the server notes what it hears instead of confirming it. */
export type ServerQuestion =
  | ProcessQuestion
  | { readonly ask: 'listen' }
  | { readonly ask: 'heard' }
  | { readonly ask: 'arrivals' };

export interface Count {
  /** Within the time. */
  readonly messages: number;
  readonly seconds: number;
  /** With those that were still under way then. */
  readonly handled: number;
  /** Of a request, ms. */
  readonly p50Ms?: number;
}

export interface Usage {
  /** Of the process up to now. */
  readonly cpuMicros: number;
  readonly memoryBytes: number;
}

export interface Profiled {
  readonly selfTimes: readonly SelfTime[];
}

/** When the message 1, 2, 3, … was said. See `wallMs`. */
export interface Said {
  readonly saidAt: readonly number[];
}

export interface Heard {
  readonly heard: number;
}

export interface Arrivals {
  /** When the message 1, 2, 3, … was first heard; null: not at all. */
  readonly heardAt: readonly (number | null)[];
  readonly doubled: number;
}

/** Which answer belongs to which question. */
export interface Answers {
  request: Count;
  receipts: Count;
  up: Count;
  down: Count;
  'fan-out': Count;
  connect: Count;
  usage: Usage;
  profile: Profiled;
  profiled: Profiled;
  talk: Said;
  hush: Said;
  listen: Heard;
  heard: Heard;
  arrivals: Arrivals;
}
