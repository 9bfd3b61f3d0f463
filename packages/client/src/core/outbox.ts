import { JOIN } from '@holdfast/protocol';
import type { Message } from './types.js';

const NOTHING: readonly Message[] = [];

/** What has been accepted from the application and is not yet on the wire, in order and within its bounds. */
export class Outbox {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  /** In order; those before `#first` have been taken: to move up all the others for each frame takes longer than the frame. */
  #places: Message[] = [];
  #first = 0;
  #bytes = 0;

  constructor({ maxMessages, maxBytes }: { maxMessages: number; maxBytes: number }) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get messages(): number {
    return this.#places.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True if something waits that what is said now would overtake. */
  get hasTurn(): boolean {
    return this.#waiting.some(({ hold }) => hold === 'none' || hold === 'storing');
  }

  /** What would have to go, from the oldest on, so that a message has its place; undefined: nothing helps. */
  tooMuchFor(message: Message): readonly Message[] | undefined {
    const predecessor = this.#predecessor(message);
    let messages = this.messages + (predecessor ? 0 : 1);
    let bytes = this.#bytes + message.bytes - (predecessor?.bytes ?? 0);
    const fits = (): boolean => messages <= this.#maxMessages && bytes <= this.#maxBytes;
    if (fits()) return NOTHING;
    const going: Message[] = [];
    for (const oldest of this.#waiting) {
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
    if (predecessor) this.#waiting.splice(this.#waiting.indexOf(predecessor), 1, message);
    else this.#places.push(message);
    return predecessor;
  }

  /** Before all that waits; for what the rest depends on, such as a room that has to be joined again. */
  pushFirst(messages: readonly Message[]): void {
    this.#waiting.unshift(...messages);
    for (const { bytes } of messages) this.#bytes += bytes;
  }

  /** What an earlier life has left: before all that waits, but for the joins that it needs. */
  restore(messages: readonly Message[]): void {
    const others = this.#waiting.findIndex(({ event }) => !event.startsWith('$'));
    const first = others < 0 ? this.#waiting.length : others;
    const joinOf = ({ room }: Message): number =>
      this.#waiting.findIndex((one) => one.event === JOIN && one.room === room);
    const late = messages.filter((message) => joinOf(message) >= first);
    this.#waiting.splice(first, 0, ...messages.filter((message) => !late.includes(message)));
    for (const message of late.reverse()) this.#waiting.splice(joinOf(message) + 1, 0, message);
    for (const { bytes } of messages) this.#bytes += bytes;
  }

  /** Right behind `message`, those of these that wait. */
  putBehind(message: Message, moved: readonly Message[]): void {
    const ours = this.#waiting.filter((one) => moved.includes(one));
    this.#places = this.#waiting.filter((one) => !ours.includes(one));
    this.#waiting.splice(this.#waiting.indexOf(message) + 1, 0, ...ours);
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
    for (let place = this.#first; place < this.#places.length && taken.length < maxMessages; place++) {
      const message = this.#places[place] as Message;
      const { kind, bytes, hold, outboxPlace } = message;
      const fits = bytes <= free || (alone && taken.length === 0);
      if (!fits || hold === 'storing') break;
      if (kind === 'request' && slots-- <= 0) break;
      // Of one outbox, the server takes nothing behind what it has taken.
      const isBehind = outboxPlace && stuck.some((one) => one.outboxPlace?.[0] === outboxPlace[0]);
      if (hold !== 'none' || isBehind) {
        stuck.push(message);
        continue;
      }
      taken.push(message);
      free -= bytes;
      this.#bytes -= bytes;
    }
    this.#first += taken.length;
    for (const [at, message] of stuck.entries()) this.#places[this.#first + at] = message;
    if (this.#first > 0 && 2 * this.#first >= this.#places.length) this.#moveUp();
    return taken;
  }

  /** True if it was there. */
  remove(message: Message): boolean {
    const index = this.#waiting.indexOf(message);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    this.#bytes -= message.bytes;
    return true;
  }

  get #waiting(): Message[] {
    if (this.#first > 0) this.#moveUp();
    return this.#places;
  }

  #moveUp(): void {
    this.#places.splice(0, this.#first);
    this.#first = 0;
  }

  /** The message whose place this one takes. */
  #predecessor({ place }: Message): Message | undefined {
    return place === undefined ? undefined : this.#waiting.find((one) => one.place === place);
  }
}
