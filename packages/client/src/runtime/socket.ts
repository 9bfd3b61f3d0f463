import {
  CloseCode,
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

/** How a socket ended, or why there was none. */
export interface SocketFailure {
  readonly error: HoldfastError;
  readonly endCode?: number | undefined;
  /** No other attempt can do better. */
  readonly hopeless?: boolean | undefined;
}

/** What the socket of one dial tells. */
export interface SocketEvents {
  /** It stands, and the server speaks our codec. */
  opened(): void;
  received(data: WireData): void;
  failed(failure: SocketFailure): void;
}

/** Entry of `Sec-WebSocket-Protocol` that carries a token. */
const bearer = (token: string): string => {
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  return `holdfast.bearer.${btoa(bytes).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')}`;
};

/** The socket of one dial. */
export class Socket {
  readonly #codec: Codec;
  #transport: Transport | undefined;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Whatever becomes of it is told through `events`, after this has returned. `token`: one for the upgrade. */
  dial(dialer: Dialer, url: string, token: string | undefined, events: SocketEvents): void {
    const wanted = subprotocol(this.#codec);
    let opened = false;
    try {
      const protocols = token === undefined ? [wanted] : [wanted, bearer(token)];
      this.#transport = dialer.dial(url, protocols, {
        open: (protocol) => {
          opened = true;
          if (protocol === wanted) return events.opened();
          const text = `the server chose the subprotocol '${protocol}' where '${wanted}' was asked for: not a Holdfast server?`;
          // None at all is what Chromium and `ws` never let through, Firefox and WebKit do. It may be the doing of
          // something in between: no verdict of the server, so another attempt may do better.
          events.failed({
            error: holdfastError(protocol ? 'ERR_PROTOCOL_VERSION' : 'ERR_DIAL_FAILED', text),
          });
        },
        message: (data) => events.received(data),
        close: (end) => events.failed({ error: errorOfEnd(end, opened), endCode: end.code }),
      });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = holdfastError('ERR_DIAL_FAILED', `could not dial: ${why}`, { cause });
      events.failed({ error, hopeless: true });
    }
  }

  /** Handed over and not yet given to the operating system. */
  get bufferedBytes(): number {
    return this.#transport?.bufferedBytes ?? 0;
  }

  send(frames: readonly WireData[]): void {
    for (const data of frames) this.#transport?.send(data);
  }

  /** An item in a frame of its own, which says nothing else. */
  sendAlone(item: Item): void {
    this.send([this.#codec.frame(0, 0, [this.#codec.encode(item)])]);
  }

  /** Detached first, then closed, never waited for: a dead socket may take its time. */
  hangUp(code: number = CloseCode.NORMAL, reason = ''): void {
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close(code, reason);
  }
}
