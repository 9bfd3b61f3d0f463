import type { Duplex } from 'node:stream';
import type { Transport, WireData } from '@holdfast/protocol';
import type { WebSocket } from 'ws';

/** A WebSocket of `ws`, and the stream below it. A class: of literals with a getter, each has a shape of its own. */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #frameOf: (data: WireData) => Buffer;

  constructor(socket: WebSocket, stream: Duplex, frameOf: (data: WireData) => Buffer) {
    this.#socket = socket;
    this.#stream = stream;
    this.#frameOf = frameOf;
  }

  /** Past `ws`, which would make the frame of what goes to a thousand a thousand times. It writes whole frames, too. */
  send(data: WireData): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#stream.write(this.#frameOf(data));
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 40));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }
}
