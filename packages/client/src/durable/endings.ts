import { type DeliveryError, type HoldfastError, holdfastError } from '@holdfast/protocol';
import type { Message } from '../core/types.js';
import type { OutboxStore } from '../ports/storage.js';

/** Why nothing is kept for one. */
export const GUEST = 'a guest is another user in each session';

/** How a message ends by what is known of it in storage. */
export function ending(
  { id: messageId, event }: Message,
  code: 'ERR_SESSION_LOST' | 'ERR_CLOSED',
  delivery: 'unsent' | 'unknown',
  why: string,
): DeliveryError {
  return holdfastError(code, `'${event}': ${why}`, { delivery, messageId });
}

export function storageError({ name }: OutboxStore, why: string, cause?: unknown): HoldfastError {
  return holdfastError('ERR_STORAGE', `the outbox in ${name}: ${why}`, { cause });
}
