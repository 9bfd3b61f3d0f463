import { type DeliveryError, holdfastError } from '@holdfast/protocol';

/** `what` has become of it. */
export function outboxFull(messageId: string, what: string): DeliveryError {
  const text = `too much waits for the session: ${what}, and its client will be told that it is missing`;
  return holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId });
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
