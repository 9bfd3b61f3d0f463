import {
  type Codec,
  type HoldfastError,
  holdfastError,
  type Item,
  subprotocol,
  type Transport,
  type WireData,
} from '@holdfast/protocol';
import { errorOfEnd } from '../core/classify.js';
import type { Dialer } from '../ports/transport.js';

/** What the socket of one dial tells. */
export interface SocketEvents {
  /** It stands, and the server speaks our codec. */
  opened(): void;
  received(data: WireData): void;
  failed(error: HoldfastError): void;
}

/** The one socket that a client has at a time. */
export class Socket {
  readonly #dialer: Dialer;
  readonly #url: string;
  readonly #codec: Codec;
  #transport: Transport | undefined;

  constructor(dialer: Dialer, url: string, codec: Codec) {
    this.#dialer = dialer;
    this.#url = url;
    this.#codec = codec;
  }

  /** Whatever becomes of it is told through `events`, after this has returned. */
  dial(events: SocketEvents): void {
    const wanted = subprotocol(this.#codec);
    let opened = false;
    try {
      this.#transport = this.#dialer.dial(this.#url, [wanted], {
        open: (protocol) => {
          opened = true;
          if (protocol === wanted) return events.opened();
          const text = `the server chose the subprotocol '${protocol}' where '${wanted}' was asked for: not a Holdfast server?`;
          events.failed(holdfastError('ERR_PROTOCOL_VERSION', text));
        },
        message: (data) => events.received(data),
        close: (end) => events.failed(errorOfEnd(end, opened)),
      });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      events.failed(holdfastError('ERR_DIAL_FAILED', `could not dial: ${why}`, { cause }));
    }
  }

  send(frames: readonly WireData[]): void {
    for (const data of frames) this.#transport?.send(data);
  }

  /** An item in a frame of its own, which says nothing else. */
  sendAlone(item: Item): void {
    this.send([this.#codec.frame(0, 0, [this.#codec.encode(item)])]);
  }

  /** Detached first, then closed, never waited for: a dead socket may take its time. */
  hangUp(code: number, reason: string): void {
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close(code, reason);
  }
}
