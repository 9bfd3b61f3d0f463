import type { Codec, WireData } from '@holdfast/protocol';
import { translated } from './translated.js';

/** A VOL item that is encoded in `from`, as a frame for each codec, made once; undefined where one has no word for it. */
export function castFrames(data: WireData, from: Codec): (codec: Codec) => WireData | undefined {
  const frames = new Map<string, WireData | undefined>([[from.name, from.frame(0, 0, [data])]]);
  return (codec) => {
    if (!frames.has(codec.name)) frames.set(codec.name, frameIn(codec, data, from));
    return frames.get(codec.name);
  };
}

function frameIn(codec: Codec, data: WireData, from: Codec): WireData | undefined {
  try {
    return codec.frame(0, 0, [codec.encode(translated(data, from, codec))]);
  } catch {
    return undefined;
  }
}
