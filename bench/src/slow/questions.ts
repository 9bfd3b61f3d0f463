/** `room`: published once for all of them. `direct`: into the lane of each, where it waits until it is acknowledged. */
export type Lane = 'room' | 'direct';
export type Overflow = 'reject' | 'drop-oldest';

/** What the program asks its server. */
export type ServerQuestion =
  /** Says so much to the hundredth that its socket is full, if it does not read. */
  | { readonly ask: 'fill' }
  /** Answered when everybody has everything. */
  | { readonly ask: 'settle' }
  /** So many messages a second, for so long. */
  | { readonly ask: 'steady'; readonly lane: Lane; readonly perSecond: number; readonly ms: number }
  /** As many as the crowd hears. */
  | { readonly ask: 'flat-out'; readonly lane: Lane; readonly ms: number }
  | { readonly ask: 'weigh' };

export interface Sent {
  readonly messages: number;
  /** Until the crowd has heard the last. */
  readonly seconds: number;
  /** Of the server's process, in microseconds. */
  readonly cpuMicros: number;
}
export interface Weight {
  /** After a collection of garbage. */
  readonly bytes: number;
}

/** What it asks those who are connected to it: how long messages have taken since it asked last, in milliseconds. */
export interface CrowdQuestion {
  readonly ask: 'latency';
}
export interface Latency {
  readonly heard: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Tick {
  /** By the clock that all processes of a machine share; ms. */
  readonly at: number;
  readonly filler: string;
}

/** Not the time of day, which may be set: the same clock in every process. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
