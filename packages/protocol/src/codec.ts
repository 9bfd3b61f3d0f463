import type { Item } from './frame.js';
import type { WireData } from './ports.js';

/** Which payload it is. */
export interface PayloadInfo {
  /** `event`, also one in a room; `request`: what is asked; `reply`: what is answered; `item`: one of a stream. */
  readonly kind: 'event' | 'request' | 'reply' | 'item';
  /** Of the event or request. */
  readonly name: string;
  /** Who has put it on the wire; what a client publishes in a room comes to the others from the server. */
  readonly from: 'client' | 'server';
}

/** An encoding of payloads, see `payloadCodec`. */
export interface Payloads {
  /** What it throws refuses the message where it is sent. */
  encode(payload: unknown, info: PayloadInfo): Uint8Array;
  /** What it throws refuses the message to its sender. */
  decode(bytes: Uint8Array, info: PayloadInfo): unknown;
}

/**
 * How frames stand on the wire. An item is encoded once, when it is sent: what waits, what may have to be written
 * again and what goes to many are bytes, so later changes to the application's objects change nothing.
 */
export interface Codec {
  /** Stands in the subprotocol: `holdfast.v1.<name>`. */
  readonly name: string;
  /** Encodes payloads before they are put into an item; absent: an item takes them as they are. */
  readonly payloads?: Payloads | undefined;
  /**
   * Encodes one item. Throws a `TypeError` that says what cannot be encoded, or which bound a payload breaks: what
   * `decode` at the other end would refuse is not sent.
   */
  encode(item: Item): WireData;
  /** Puts encoded items into one frame. All items come from the same codec. */
  frame(ack: number, firstSeq: number, items: readonly WireData[]): WireData;
  /**
   * Makes an encoded publication of an encoded EVT: same name, payload and meta, whose bytes are taken over as they
   * are. `room` is the room's number, `offset` its place in the room's log.
   */
  publication(event: WireData, room: number, offset: number): WireData;
  /**
   * Throws a `FrameError` on what it cannot read or what breaks a bound (see `bounds.ts`), and never anything else;
   * `parseFrame` checks what it returns.
   */
  decode(data: WireData): unknown;
}

/** Subprotocol of a codec, for `Sec-WebSocket-Protocol`. */
export function subprotocol(codec: Codec): string {
  return `holdfast.v1.${codec.name}`;
}

/** Bytes on the wire: exact for binary, UTF-8 for text. */
export function sizeOf(data: WireData): number {
  if (typeof data !== 'string') return data.byteLength;
  // Most texts are ASCII: the engine finds that out sooner than it encodes one.
  return /[^\0-\x7f]/.test(data) ? new TextEncoder().encode(data).length : data.length;
}
