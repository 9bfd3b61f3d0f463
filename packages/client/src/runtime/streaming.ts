import type { Codec, Scope } from '@holdfast/protocol';
import type { StreamEar } from '../core/types.js';
import type { Draft } from './make-message.js';

/** What `stream()`, which comes by an entry of its own, needs of a client. */
export interface Streaming {
  readonly codec: Codec;
  readonly scope: Scope;
  /** Throws a `TypeError` for a bad option. */
  open(draft: Draft): { readonly id: string };
  /** Tells the server how much of the stream may come. */
  giveCredit(ear: StreamEar): void;
}

/** Where it stands in a client. Registered: the entries of this package may be bundled apart. */
export const STREAMING = Symbol.for('holdfast.streaming');
