import {
  type Codec,
  decodePayload,
  encodePayload,
  type VolatileItem,
  type WireData,
} from '@holdfast/protocol';

/** A VOL item that is encoded in `from`, as a frame for each codec, made once; undefined where one has no word for it. */
export function castFrames(data: WireData, from: Codec): (codec: Codec) => WireData | undefined {
  const frames = new Map<string, WireData | undefined>([[from.name, from.frame(0, 0, [data])]]);
  return (codec) => {
    if (!frames.has(codec.name)) frames.set(codec.name, translated(data, from, codec));
    return frames.get(codec.name);
  };
}

function translated(data: WireData, from: Codec, to: Codec): WireData | undefined {
  const [, , item] = from.decode(from.frame(0, 0, [data])) as [number, number, VolatileItem];
  const [type, name, said, meta] = item;
  const info = { kind: 'event', name, from: 'server' } as const;
  try {
    const payload = meta?.u ? undefined : decodePayload(from, said, info);
    return to.frame(0, 0, [to.encode([type, name, encodePayload(to, payload, info), meta])]);
  } catch {
    return undefined;
  }
}
