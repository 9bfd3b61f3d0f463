/**
 * What a platform says about itself. Signals only hurry what is wanted anyway: they never bring a connection up
 * that the application has not asked for, and never take one down.
 */
export type Signal =
  /** The network came back: a wait is over, and a connection that seems open must prove it. */
  | 'online'
  /** The page is looked at again: the same. */
  | 'visible';

export interface Signals {
  /** Calls `listener` until the returned function is called. */
  listen(listener: (signal: Signal) => void): () => void;
}
