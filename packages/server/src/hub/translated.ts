import {
  type Codec,
  decodePayload,
  type EventItem,
  encodePayload,
  type VolatileItem,
  type WireData,
} from '@holdfast/protocol';

type Said = EventItem | VolatileItem;

/** An event that is encoded in `from`, as an item for `to`. Throws what `to` cannot encode. */
export function translated(data: WireData, from: Codec, to: Codec): Said {
  const [, , item] = from.decode(from.frame(0, 0, [data])) as [ack: number, firstSeq: number, item: Said];
  const [type, name, said, meta] = item;
  const info = { kind: 'event', name, from: 'server' } as const;
  const payload = meta?.u ? undefined : decodePayload(from, said, info);
  return [type, name, encodePayload(to, payload, info), meta];
}
