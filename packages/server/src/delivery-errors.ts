import { type DeliveryError, holdfastError } from '@holdfast/protocol';
import type { Published } from './ports/store.js';

/** `what` has become of it. */
export function outboxFull(messageId: string, what: string): DeliveryError {
  const text = `too much waits for the session: ${what}, and its client will be told that it is missing`;
  return holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId });
}

/** For how many members it was. Throws `ERR_STORE_LOST` if nobody knows whether it was published. */
export function membersOf(published: Published, messageId: string): number {
  if (published.status === 'ok') return published.members;
  const text = 'the store has lost its last writes, and with them whether this was published';
  throw holdfastError('ERR_STORE_LOST', text, { delivery: 'unknown', messageId });
}

/** `written`: nobody knows what has become of it. */
export function sessionOver(messageId: string, written: boolean): DeliveryError {
  return written
    ? holdfastError('ERR_SESSION_LOST', 'the session ended before this was acknowledged', {
        delivery: 'unknown',
        messageId,
      })
    : holdfastError('ERR_CLOSED', 'the session ended before this was written', {
        delivery: 'unsent',
        messageId,
      });
}
