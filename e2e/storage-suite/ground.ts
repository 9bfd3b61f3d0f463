import type { OpenOutbox } from '@holdfast/client/storage';

/** One life of a program that keeps messages: a tab, a worker, a process. */
export interface Life {
  /** `place`: which database, which file. */
  open(place: string, userId: string): Promise<OpenOutbox>;
  /** It ends without a word, and nothing holds what it has held. */
  crash(): Promise<void>;
}

/** One kind of store, and programs that have it. */
export interface Ground {
  begin(): Promise<Life>;
}
