import type { Message } from './types.js';

/** What the server still takes. */
interface Bounds {
  readonly messages: number;
  readonly bytes: number;
  /** So many more may be without an answer. */
  readonly requests: number;
  /** Nothing is unacknowledged: one message of any size may go. */
  readonly alone?: boolean;
}

/** What has been accepted from the application and is not yet on the wire, in order and within its bounds. */
export class Outbox {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #waiting: Message[] = [];
  #bytes = 0;

  constructor({ maxMessages, maxBytes }: { maxMessages: number; maxBytes: number }) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get messages(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True if a message of that size still has a place. */
  hasRoomFor(bytes: number): boolean {
    return this.#waiting.length < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes;
  }

  push(message: Message): void {
    this.#waiting.push(message);
    this.#bytes += message.bytes;
  }

  /** Before all that waits; for what the rest depends on, such as a room that has to be joined again. */
  pushFirst(messages: readonly Message[]): void {
    this.#waiting.unshift(...messages);
    for (const { bytes } of messages) this.#bytes += bytes;
  }

  /** Takes what may be written now: the oldest, as many as these bounds let go. */
  take({ messages, bytes, requests, alone = false }: Bounds): Message[] {
    const taken = { messages: 0, bytes: 0, requests: 0 };
    for (const message of this.#waiting) {
      const asks = message.kind === 'request' ? 1 : 0;
      const isFirst = alone && taken.messages === 0;
      if (taken.messages >= messages || taken.requests + asks > requests) break;
      if (taken.bytes + message.bytes > bytes && !isFirst) break;
      taken.messages++;
      taken.bytes += message.bytes;
      taken.requests += asks;
    }
    this.#bytes -= taken.bytes;
    return this.#waiting.splice(0, taken.messages);
  }

  /** True if it was there. */
  remove(message: Message): boolean {
    const index = this.#waiting.indexOf(message);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    this.#bytes -= message.bytes;
    return true;
  }
}
