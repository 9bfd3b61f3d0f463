import type { Item } from './frame.js';
import type { WireData } from './ports.js';

/**
 * How frames stand on the wire. An item is encoded once, when it is sent: what waits, what may have to be written
 * again and what goes to many are bytes, so later changes to the application's objects change nothing.
 */
export interface Codec {
  /** Stands in the subprotocol: `holdfast.v1.<name>`. */
  readonly name: string;
  /** Encodes one item. Throws a `TypeError` that says what cannot be encoded. */
  encode(item: Item): WireData;
  /** Puts encoded items into one frame. All items come from the same codec. */
  frame(ack: number, firstSeq: number, items: readonly WireData[]): WireData;
  /** Throws on what it cannot read; `parseFrame` checks what it returns. */
  decode(data: WireData): unknown;
}

/** Subprotocol of a codec, for `Sec-WebSocket-Protocol`. */
export function subprotocol(codec: Codec): string {
  return `holdfast.v1.${codec.name}`;
}

/** Bytes on the wire: exact for binary, UTF-8 for text. */
export function sizeOf(data: WireData): number {
  if (typeof data !== 'string') return data.byteLength;
  let bytes = data.length;
  for (let i = 0; i < data.length; i++) {
    const unit = data.charCodeAt(i);
    // Two bytes up to U+07FF, else three; the halves of a surrogate pair make two each.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
