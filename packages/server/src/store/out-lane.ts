import { type ErrorItem, sizeOf, type WireData } from '@holdfast/protocol';
import type { AppendCall, Appended, Bounds, OutItem, Reply, Writing } from '../ports/store.js';

interface Message {
  readonly data: WireData;
  readonly bytes: number;
  /** Who appended it; a reply is nobody's. */
  readonly written?: Writing | undefined;
  readonly refusal?: ErrorItem | undefined;
  readonly place?: string | undefined;
}
/** In the place of so many messages that were refused. */
interface Hole {
  missing: number;
}
/** A message with its number, or a hole with its numbers. */
interface Numbered {
  readonly seq: number;
  last: number;
  readonly message?: Message | undefined;
}

/** How many, and how big together. */
class Tally {
  messages = 0;
  bytes = 0;

  add({ bytes }: Message): void {
    this.messages++;
    this.bytes += bytes;
  }

  remove({ bytes }: Message): void {
    this.messages--;
    this.bytes -= bytes;
  }

  /** With nothing there, one of any size has its place. */
  hasPlaceFor(bytes: number, [maxMessages, maxBytes]: Bounds): boolean {
    return this.messages === 0 || (this.messages < maxMessages && this.bytes + bytes <= maxBytes);
  }
}

/**
 * What a client is to get and has not acknowledged. What waits has no number: replies pass events that wait for the
 * client's window, and what has a number is written in the order of numbers, on every connection anew.
 */
export class OutLane {
  readonly #bounds: Bounds;
  readonly #replies: Message[] = [];
  readonly #events: (Message | Hole)[] = [];
  readonly #numbered: Numbered[] = [];
  #top = 0;
  #base = 0;
  /** Waiting or unacknowledged. */
  readonly #heldEvents = new Tally();
  readonly #heldReplies = new Tally();
  /** Numbered, of both kinds. */
  readonly #unacknowledged = new Tally();

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Highest number that has been given. */
  get top(): number {
    return this.#top;
  }

  /** Everything up to here has been acknowledged. */
  get base(): number {
    return this.#base;
  }

  /** Events that have not been acknowledged. */
  get undelivered(): number {
    return this.#heldEvents.messages;
  }

  /** No reply is ever refused, but nothing more should be taken that will want one. */
  get fullOfReplies(): boolean {
    const { messages, bytes } = this.#heldReplies;
    return messages >= this.#bounds[0] || bytes >= this.#bounds[1];
  }

  /** Refusals that the client has not acknowledged. */
  get refusals(): ErrorItem[] {
    const messages = [...this.#numbered.map(({ message }) => message), ...this.#replies];
    return messages.map((message) => message?.refusal).filter((refusal) => refusal !== undefined);
  }

  reply({ data, refusal }: Reply): void {
    const message = { data, bytes: sizeOf(data), refusal };
    this.#heldReplies.add(message);
    this.#replies.push(message);
  }

  /** If it is refused, that leaves a hole in its place. */
  append({ data, writer, w, place }: AppendCall): Appended {
    const message = { data, bytes: sizeOf(data), written: { writer, w }, place };
    const superseded = place === undefined ? undefined : this.#supersede(message);
    if (superseded) return { status: 'ok', superseded: superseded.written };
    if (this.#heldEvents.hasPlaceFor(message.bytes, this.#bounds)) {
      this.#heldEvents.add(message);
      this.#events.push(message);
      return { status: 'ok' };
    }
    const last = this.#events.at(-1);
    if (last && 'missing' in last) last.missing++;
    else this.#events.push({ missing: 1 });
    return { status: 'full' };
  }

  /** The one whose place a message has taken; the bounds do not matter for one that follows on another. */
  #supersede(message: Message): Message | undefined {
    const index = this.#events.findIndex((one) => 'place' in one && one.place === message.place);
    const [old] = index < 0 ? [] : this.#events.splice(index, 1, message);
    if (!old || 'missing' in old) return undefined;
    this.#heldEvents.remove(old);
    this.#heldEvents.add(message);
    return old;
  }

  /** The client has everything up to `seq`. */
  trim(seq: number): void {
    this.#base = Math.max(this.#base, Math.min(seq, this.#top));
    const kept = this.#numbered.findIndex(({ last }) => last > this.#base);
    for (const { message } of this.#numbered.splice(0, kept < 0 ? Infinity : kept)) {
      if (!message) continue;
      this.#unacknowledged.remove(message);
      (message.written ? this.#heldEvents : this.#heldReplies).remove(message);
    }
  }

  /** Gives numbers to what may go now, and everything numbered above `after`. */
  read(after: number, window: Bounds): OutItem[] {
    this.#number(window);
    const from = Math.max(after, this.#base) + 1;
    const items: OutItem[] = [];
    // Nearly always the newest few of what may be a thousand.
    const first = this.#numbered.findLastIndex(({ last }) => last < from) + 1;
    for (const { seq, last, message } of this.#numbered.slice(first)) {
      if (message) items.push({ seq, data: message.data, written: message.written });
      else items.push({ seq: Math.max(seq, from), last, why: 'outbox-full' });
    }
    return items;
  }

  #number(window: Bounds): void {
    for (const reply of this.#replies.splice(0)) this.#give(reply);
    let going = 0;
    for (const next of this.#events) {
      if ('missing' in next) this.#skip(next.missing);
      else if (this.#unacknowledged.hasPlaceFor(next.bytes, window)) this.#give(next);
      else break;
      going++;
    }
    this.#events.splice(0, going);
  }

  #give(message: Message): void {
    this.#unacknowledged.add(message);
    const seq = ++this.#top;
    this.#numbered.push({ seq, last: seq, message });
  }

  /** A client that stands still while much is refused has one hole that grows, not many. */
  #skip(missing: number): void {
    const newest = this.#numbered.at(-1);
    const seq = this.#top + 1;
    this.#top += missing;
    if (newest && !newest.message) newest.last = this.#top;
    else this.#numbered.push({ seq, last: this.#top });
  }
}
