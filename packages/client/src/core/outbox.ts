import type { Message } from './types.js';

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

  /**
   * Takes what may be written now: the oldest, as many as these bounds let go. `alone`: nothing is unacknowledged, so one
   * message of any size may go.
   */
  take(maxMessages: number, maxBytes: number, maxRequests: number, alone: boolean): Message[] {
    let count = 0;
    let free = maxBytes;
    let slots = maxRequests;
    for (const { kind, bytes } of this.#waiting) {
      const fits = bytes <= free || (alone && count === 0);
      if (count >= maxMessages || !fits || (kind === 'request' && slots-- <= 0)) break;
      free -= bytes;
      this.#bytes -= bytes;
      count++;
    }
    return this.#waiting.splice(0, count);
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
