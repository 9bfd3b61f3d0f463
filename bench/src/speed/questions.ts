/** What the one who counts asks the two programs of a system; each answers one question at a time. */
export type ClientQuestion =
  /** So many requests open all the time. */
  | { readonly ask: 'request'; readonly inFlight: number; readonly ms: number }
  /** One way, to the server or from it, so many messages unconfirmed at most. */
  | { readonly ask: 'up' | 'down'; readonly ms: number }
  /** Hears what the server publishes to so many subscribers. */
  | {
      readonly ask: 'fan-out';
      readonly subscribers: number;
      readonly outstanding: number;
      readonly ms: number;
    }
  /** Opens so many connections more, some at a time, and leaves them alone. */
  | { readonly ask: 'connect'; readonly connections: number };

export type ServerQuestion = { readonly ask: 'usage' };

export interface Count {
  readonly messages: number;
  readonly seconds: number;
  /** Of a request, ms. */
  readonly p50Ms?: number;
}

export interface Usage {
  /** Of the process up to now. */
  readonly cpuMicros: number;
  /** What is in use after a collection. */
  readonly memoryBytes: number;
}
