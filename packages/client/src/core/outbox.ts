import { Fifo } from '@holdfast/protocol';
import type { Message } from './types.js';

const NOTHING: readonly Message[] = [];

/** What has been accepted from the application and is not yet on the wire, in order and within its bounds. */
export class Outbox {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #waiting = new Fifo<Message>();
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

  /** True if something waits that what is said now would overtake. */
  get hasTurn(): boolean {
    return this.#waiting.items.some(({ hold }) => hold === 'none' || hold === 'storing');
  }

  /** What would have to go, from the oldest on, so that a message has its place; undefined: nothing helps. */
  tooMuchFor(message: Message): readonly Message[] | undefined {
    const predecessor = this.#predecessor(message);
    let messages = this.messages + (predecessor ? 0 : 1);
    let bytes = this.#bytes + message.bytes - (predecessor?.bytes ?? 0);
    const fits = (): boolean => messages <= this.#maxMessages && bytes <= this.#maxBytes;
    if (fits()) return NOTHING;
    const going: Message[] = [];
    for (const oldest of this.#waiting.items) {
      if (fits()) break;
      // The protocol's own requests are few, and everything else depends on them.
      if (oldest === predecessor || oldest.event.startsWith('$')) continue;
      going.push(oldest);
      messages--;
      bytes -= oldest.bytes;
    }
    return fits() ? going : undefined;
  }

  /** At the end, unless it takes the place of an older one, which is returned. */
  push(message: Message): Message | undefined {
    const predecessor = this.#predecessor(message);
    this.#bytes += message.bytes - (predecessor?.bytes ?? 0);
    if (!predecessor) {
      this.#waiting.push(message);
      return undefined;
    }
    const { items } = this.#waiting;
    items[items.indexOf(predecessor)] = message;
    return predecessor;
  }

  /** Before all that waits; for what the rest depends on, such as a room that has to be joined again. */
  pushFirst(messages: readonly Message[]): void {
    this.rearrange((waiting) => waiting.unshift(...messages));
  }

  /** Lets `change` put what waits into another order, and more into it. */
  rearrange(change: (waiting: Message[]) => void): void {
    const { items } = this.#waiting;
    change(items);
    this.#bytes = items.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Takes what may be written now: the oldest, as many as these bounds let go. `alone`: nothing is unacknowledged, so one
   * message of any size may go.
   */
  take(maxMessages: number, maxBytes: number, maxRequests: number, alone: boolean): Message[] {
    const taken: Message[] = [];
    const stuck: Message[] = [];
    let free = maxBytes;
    let slots = maxRequests;
    for (let next = this.#waiting.at(0); next; next = this.#waiting.at(taken.length + stuck.length)) {
      const { kind, bytes, hold, outboxPlace } = next;
      const fits = bytes <= free || (alone && taken.length === 0);
      if (taken.length >= maxMessages || !fits || hold === 'storing') break;
      if (kind === 'request' && slots-- <= 0) break;
      // The server knows a durable outbox by its highest number only: nothing may overtake what is stuck in the same one.
      const isBehind = outboxPlace && stuck.some((one) => one.outboxPlace?.[0] === outboxPlace[0]);
      if (hold !== 'none' || isBehind) {
        stuck.push(next);
        continue;
      }
      taken.push(next);
      free -= bytes;
      this.#bytes -= bytes;
    }
    this.#waiting.take(taken.length + stuck.length);
    if (stuck.length > 0) this.#waiting.items.unshift(...stuck);
    return taken;
  }

  /** True if it was there. */
  remove(message: Message): boolean {
    const { items } = this.#waiting;
    const index = items.indexOf(message);
    if (index < 0) return false;
    items.splice(index, 1);
    this.#bytes -= message.bytes;
    return true;
  }

  /** The message whose place this one takes. */
  #predecessor({ slot }: Message): Message | undefined {
    return slot === undefined ? undefined : this.#waiting.items.find((one) => one.slot === slot);
  }
}
