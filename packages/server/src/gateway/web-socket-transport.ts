import type { Duplex } from 'node:stream';
import type { Transport, TransportEvents, WireData } from '@holdfast/protocol';
import type { WebSocket } from 'ws';

/** A WebSocket of `ws`, and the stream below it. A class: of literals with a getter, each has a shape of its own. */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #frameOf: (data: WireData) => Buffer;
  #events: Pick<TransportEvents, 'drain'> | undefined;
  /** `full`: until the stream says that it takes more. */
  #streamState: 'free' | 'full' = 'free';

  constructor(socket: WebSocket, stream: Duplex, frameOf: (data: WireData) => Buffer) {
    this.#socket = socket;
    this.#stream = stream;
    this.#frameOf = frameOf;
  }

  /** Past `ws`, which would make the frame of what goes to a thousand a thousand times. It writes whole frames, too. */
  send(data: WireData): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const isFull = !this.#stream.write(this.#frameOf(data));
    if (!isFull || this.#streamState === 'full') return;
    this.#streamState = 'full';
    // The stream below says when it takes more; `ws` itself does not. Only now: most sockets are never full.
    this.#stream.once('drain', () => {
      this.#streamState = 'free';
      this.#events?.drain?.();
    });
  }

  whenDrained(events: Pick<TransportEvents, 'drain'>): void {
    this.#events = events;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 40));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }
}
