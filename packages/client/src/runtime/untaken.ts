import { type DeliveryError, holdfastError } from '@holdfast/protocol';
import type { Outbox } from '../core/outbox.js';
import type { Message } from '../core/types.js';
import type { UndeliveredMessage } from '../types.js';

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

/** Its client is closed, or another user's. */
export function abandoned(
  { id: messageId, event }: Message,
  delivery: 'unsent' | 'unknown',
  why: string,
): DeliveryError {
  return holdfastError('ERR_CLOSED', `'${event}' ${why}`, { delivery, messageId });
}

/** It has waited too long. */
export function expired({ id: messageId, event }: Message): DeliveryError {
  const text = `'${event}' was not written within its time to live`;
  return holdfastError('ERR_EXPIRED', text, { delivery: 'unsent', messageId });
}

/** It was on the wire when the session ended. */
export function sessionLost({ id: messageId }: Message): DeliveryError {
  const text = 'the session ended before this was acknowledged: it may have been handled or not';
  return holdfastError('ERR_SESSION_LOST', text, { delivery: 'unknown', messageId });
}

/** A message as the application gets to see it. */
export function publicPart({
  kind,
  id,
  event,
  payload,
  room,
  sentAt,
}: UndeliveredMessage): UndeliveredMessage {
  return { kind, id, event, payload, room, sentAt };
}
