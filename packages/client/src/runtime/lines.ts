import {
  type HoldfastError,
  holdfastError,
  type Item,
  messageOf,
  subprotocol,
  type Transport,
  type WireData,
} from '@holdfast/protocol';
import { errorOfEnd } from '../core/classify.js';
import type { Loss } from '../core/connection.js';
import type { Dialer } from '../ports/transport.js';
import type { ClientSettings } from './settings.js';
import type { Tokens } from './tokens.js';

/** With so much in the socket already, what is written now does not go out at once. */
const MAX_BUFFERED_BYTES = 65_536;

/** One dial: its socket, and by which token it was dialled. */
interface Line {
  readonly url: string;
  readonly token: string | undefined;
  transport?: Transport;
}

/** What the socket of one dial tells. */
export interface LineEvents {
  /** It stands, and the server speaks our codec. */
  opened(): void;
  received(data: WireData): void;
  /** It has ended, or there was none. */
  failed(loss: Loss): void;
}

/** Entry of `Sec-WebSocket-Protocol` that carries a token. */
const bearer = (token: string): string => {
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  return `holdfast.bearer.${btoa(bytes).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')}`;
};

/** The sockets by dial: of the connection that stands, and of the one that is to follow. */
export class Lines {
  readonly #dialer: Dialer;
  readonly #settings: Pick<ClientSettings, 'url' | 'codec' | 'tokenIn'>;
  readonly #tokens: Tokens;
  readonly #lines = new Map<number, Line>();
  /** The dial whose address and token are being fetched: at most one is. */
  #preparing: number | undefined;

  constructor(dialer: Dialer, settings: Pick<ClientSettings, 'url' | 'codec' | 'tokenIn'>, tokens: Tokens) {
    this.#dialer = dialer;
    this.#settings = settings;
    this.#tokens = tokens;
  }

  get(dial: number): Line | undefined {
    return this.#lines.get(dial);
  }

  /** Fetches the address and the token of a dial. True if both are there at once; else `then` tells. */
  prepare(dial: number, attempt: number, then: (error?: HoldfastError) => void): boolean {
    const { url } = this.#settings;
    const token = this.#tokens.get();
    if (typeof url === 'string' && typeof token !== 'object') {
      this.#lines.set(dial, { url, token });
      return true;
    }
    this.#preparing = dial;
    Promise.all([typeof url === 'string' ? url : url({ attempt }), token]).then(
      ([url, token]) => {
        // An answer that comes after its dial was given up leaves nothing behind.
        if (this.#preparing !== dial) return;
        this.#preparing = undefined;
        this.#lines.set(dial, { url, token });
        then();
      },
      (error: HoldfastError) => then(error),
    );
    return false;
  }

  /** Whatever becomes of it is told through `events`. */
  dial(dial: number, events: LineEvents): void {
    const line = this.#lines.get(dial);
    if (!line) return;
    const { url, token } = line;
    const { codec, tokenIn } = this.#settings;
    const wanted = subprotocol(codec);
    const isTokenAsked = tokenIn === 'subprotocol' && token !== undefined;
    let opened = false;
    try {
      line.transport = this.#dialer.dial(url, isTokenAsked ? [wanted, bearer(token)] : [wanted], {
        open: (protocol) => {
          opened = true;
          if (protocol === wanted) return events.opened();
          const text = `the server chose the subprotocol '${protocol}', not '${wanted}': not a Holdfast server?`;
          // No subprotocol at all: Chromium and `ws` fail such a connection by themselves, Firefox and WebKit open it.
          // Something in between may have removed it, so another attempt may do better.
          const code = protocol ? 'ERR_PROTOCOL_VERSION' : 'ERR_DIAL_FAILED';
          events.failed({ error: holdfastError(code, text) });
        },
        message: (data) => events.received(data),
        close: (end) => events.failed({ error: errorOfEnd(end, opened), endCode: end.code }),
      });
    } catch (cause) {
      const text = `could not dial: ${messageOf(cause)}`;
      events.failed({ error: holdfastError('ERR_DIAL_FAILED', text, { cause }), hopeless: true });
    }
  }

  /** True if there is a socket that takes more. */
  isFree(dial: number | undefined): boolean {
    const { bufferedBytes = Infinity } = this.#lines.get(dial ?? 0)?.transport ?? {};
    return bufferedBytes < MAX_BUFFERED_BYTES;
  }

  send(dial: number, frames: readonly WireData[]): void {
    const transport = this.#lines.get(dial)?.transport;
    for (const data of frames) transport?.send(data);
  }

  /** An item in a frame of its own, which says nothing else. */
  sendAlone(dial: number, item: Item): void {
    const { codec } = this.#settings;
    this.send(dial, [codec.frame(0, 0, [codec.encode(item)])]);
  }

  /** Forgotten first, then closed, never waited for: a dead socket may take its time. */
  hangUp(dial: number, code: number, reason: string): void {
    const line = this.#lines.get(dial);
    this.#lines.delete(dial);
    line?.transport?.close(code, reason);
    if (this.#preparing !== dial) return;
    this.#preparing = undefined;
    this.#tokens.abandon();
  }
}
