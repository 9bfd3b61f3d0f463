import type { HoldfastError, WireData } from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';
import type { Dialer } from '../ports/transport.js';
import type { ClientSettings } from './settings.js';
import { Socket, type SocketEvents } from './socket.js';
import type { Tokens } from './tokens.js';

/** With so much in the socket already, what is written now does not go out at once. */
const MAX_BUFFERED_BYTES = 65_536;

/** One dial: its socket, and by which token it was dialled. */
export interface Line {
  readonly socket: Socket;
  readonly url: string;
  readonly token: string | undefined;
  /** The token goes with the upgrade. */
  readonly isTokenSent: boolean;
}

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
    const { url, codec, tokenIn } = this.#settings;
    const ready = (url: string, token: string | undefined): void => {
      const isTokenSent = tokenIn === 'subprotocol' && token !== undefined;
      this.#lines.set(dial, { url, token, isTokenSent, socket: new Socket(codec) });
    };
    const token = this.#tokens.get();
    if (typeof url === 'string' && typeof token !== 'object') {
      ready(url, token);
      return true;
    }
    this.#preparing = dial;
    Promise.all([typeof url === 'string' ? url : url({ attempt }), token]).then(
      (there) => {
        // An answer that comes after its dial was given up leaves nothing behind.
        if (this.#preparing !== dial) return;
        this.#preparing = undefined;
        ready(...there);
        then();
      },
      (error: HoldfastError) => then(error),
    );
    return false;
  }

  dial(dial: number, events: SocketEvents): void {
    const line = this.#lines.get(dial);
    line?.socket.dial(this.#dialer, line.url, line.isTokenSent ? line.token : undefined, events);
  }

  /** True if there is a connection whose socket takes more. */
  isFree(connection: Connection): boolean {
    if (connection.status !== 'connected') return false;
    const line = this.#lines.get(connection.socket);
    return line !== undefined && line.socket.bufferedBytes < MAX_BUFFERED_BYTES;
  }

  send(dial: number, frames: readonly WireData[]): void {
    this.#lines.get(dial)?.socket.send(frames);
  }

  hangUp(dial: number, code: number, reason: string): void {
    const line = this.#lines.get(dial);
    this.#lines.delete(dial);
    line?.socket.hangUp(code, reason);
    if (this.#preparing !== dial) return;
    this.#preparing = undefined;
    this.#tokens.abandon();
  }
}
