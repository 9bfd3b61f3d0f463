import type { HoldfastError, OutboxPlace } from '@holdfast/protocol';
import type { Message } from '../core/types.js';
import type { OpenOutbox, StoredMessage } from '../ports/storage.js';

/** What is known of one message. */
export interface Entry {
  readonly message: Message;
  readonly place: OutboxPlace;
  /** When it was, or in an earlier life may have been, on the wire first. */
  written: StoredMessage['written'];
  /** As which it lies in the store. */
  marked: StoredMessage['written'];
  /**
   * `unclaimed`: nobody knows yet whose it is. `new`: not there yet. `kept`: as it is here. `refused`: it could not be
   * stored, and is like any other message.
   */
  state: 'unclaimed' | 'new' | 'kept' | 'refused';
  readonly stored: { resolve(): void; reject(error: HoldfastError): void };
}

export type Store =
  | { readonly is: 'closed' }
  | { readonly is: 'open'; readonly outbox: OpenOutbox }
  /** Until the next session. */
  | { readonly is: 'broken'; readonly error: HoldfastError };
