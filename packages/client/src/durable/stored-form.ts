import {
  type Codec,
  Deferred,
  decodePayload,
  type Item,
  type OutboxPlace,
  type Sending,
  sizeOf,
  Type,
} from '@holdfast/protocol';
import type { Message } from '../core/types.js';
import type { StoredMessage } from '../ports/storage.js';

/** A message as it is to lie in a store. */
export function storedForm(
  { id, event, room, sentAt, expiresAt, encoded }: Message,
  place: OutboxPlace,
  codec: Codec,
  written: StoredMessage['written'],
): StoredMessage {
  const ends = expiresAt < Infinity ? expiresAt : undefined;
  return { id, event, room, sentAt, expiresAt: ends, codec: codec.name, encoded, place, written };
}

/** A message of an earlier life; undefined if this codec cannot read it. */
export function restored(stored: StoredMessage, codec: Codec): Message | undefined {
  const { id, event, room, sentAt, expiresAt = Infinity, encoded, place } = stored;
  const item = stored.codec === codec.name ? read(codec, encoded) : undefined;
  if (item?.[0] !== Type.EVT) return undefined;
  const outcome = new Deferred<unknown>(id);
  const payload = item[3]?.u ? undefined : said(codec, event, item[2]);
  return {
    ...{ kind: 'event', delivery: 'durable', id, event, room, sentAt, encoded, expiresAt },
    payload,
    outboxPlace: place,
    hold: 'storing',
    bytes: sizeOf(encoded),
    numbers: 1,
    no: 0,
    seq: 0,
    deadlineAt: Infinity,
    writtenAt: undefined,
    sending: outcome.sending as Sending,
    outcome,
  };
}

/** What the application is told of one of an earlier life. */
export const restoredPart = ({ kind, id, event, payload, room, sentAt, sending }: Message) =>
  sending ? [Object.freeze({ kind, id, event, payload, room, sentAt, sending })] : [];

/** For the application to look at; what is sent are the bytes. */
function said(codec: Codec, name: string, data: unknown): unknown {
  try {
    return decodePayload(codec, data, { kind: 'event', name, from: 'client' });
  } catch {
    return undefined;
  }
}

function read(codec: Codec, encoded: StoredMessage['encoded']): Item | undefined {
  try {
    const [, , item] = codec.decode(codec.frame(0, 1, [encoded])) as [number, number, Item];
    return item;
  } catch {
    return undefined;
  }
}
