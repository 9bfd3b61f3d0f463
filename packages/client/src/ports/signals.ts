/**
 * What a platform says about itself. Signals only hurry what is wanted anyway: they never bring a connection up that
 * the application has not asked for, and never end one that it wants.
 */
export type Signal =
  /** The network came back, or is another one: a wait is over, and a connection that seems open must prove it. */
  | 'online'
  /** The network is gone, as far as the platform knows: a connection must prove itself; attempts become rare. */
  | 'offline'
  /** The page or app is looked at again: as `online`. */
  | 'visible'
  /** The device or page slept, or was frozen: as `online`. */
  | 'awake'
  /** The page is about to be frozen or put into the back/forward cache: its socket goes, its session stays. */
  | 'asleep'
  /** The page goes for good: so does its session. */
  | 'gone';

/** One for each platform; React Native and Electron bring their own (`createClientOn` of `@holdfast/client/ports`). */
export interface Signals {
  /** Calls `listener` until the returned function is called. */
  listen(listener: (signal: Signal) => void): () => void;
}
