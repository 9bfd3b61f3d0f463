import type { Codec, PublicationItem, WireData } from '@holdfast/protocol';

/** So many go into one frame at most, each with up to 1 KiB of presence. */
const MAX_TOGETHER = 32;

interface Encoded {
  readonly items: readonly WireData[];
  /** Made when somebody needs them. */
  frames: readonly WireData[] | undefined;
}

/** What members of a room are told beside its log, the same for all of them: encoded once for each codec. */
export class Aside {
  readonly #said: readonly PublicationItem[];
  /** By the names of their codecs. */
  readonly #encoded = new Map<string, Encoded>();

  constructor(said: readonly PublicationItem[]) {
    this.#said = said;
  }

  /** For a frame of one connection. */
  items(codec: Codec): readonly WireData[] {
    return this.#in(codec).items;
  }

  /** By themselves: the same bytes for every member with that codec. */
  frames(codec: Codec): readonly WireData[] {
    const encoded = this.#in(codec);
    encoded.frames ??= framed(encoded.items, codec);
    return encoded.frames;
  }

  #in(codec: Codec): Encoded {
    const known = this.#encoded.get(codec.name);
    if (known) return known;
    const encoded = { items: this.#said.map((item) => codec.encode(item)), frames: undefined };
    this.#encoded.set(codec.name, encoded);
    return encoded;
  }
}

function framed(items: readonly WireData[], codec: Codec): readonly WireData[] {
  const frames: WireData[] = [];
  for (let at = 0; at < items.length; at += MAX_TOGETHER)
    frames.push(codec.frame(0, 0, items.slice(at, at + MAX_TOGETHER)));
  return frames;
}
