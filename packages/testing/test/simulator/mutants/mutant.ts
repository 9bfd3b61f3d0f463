import type { ClientKind } from '../sim-client.js';

/** A wrong rule: a piece of the sources and what stands there instead. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, in a sentence. */
  readonly says: string;
  readonly edits: readonly Edit[];
  /** Whose clients meet it; default `whole`. */
  readonly client?: ClientKind;
}
export interface Edit {
  /** From `packages/`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly put: string;
}
