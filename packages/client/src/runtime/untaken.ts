import { type DeliveryError, holdfastError } from '@holdfast/protocol';
import type { Outbox } from '../core/outbox.js';
import type { Message } from '../core/types.js';

/** There is no place in the outbox, or among the requests without an answer. */
export function outboxFull(
  { id: messageId, event }: Message,
  { messages, bytes }: Outbox,
  requests: number,
): DeliveryError {
  const waiting = `${messages} messages (${bytes} bytes) and ${requests} requests wait`;
  const text = `no place for '${event}': ${waiting}`;
  return holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId });
}

/** The server would hang up on it. */
export function tooBig({ id: messageId, event, bytes }: Message, maxBytes: number): DeliveryError {
  const text = `'${event}' has ${bytes} bytes; at most ${maxBytes} are allowed`;
  return holdfastError('ERR_TOO_BIG', text, { delivery: 'unsent', messageId, maxBytes });
}
