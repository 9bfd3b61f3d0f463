import { type ErrorItem, sizeOf, type WireData } from '@holdfast/protocol';
import type { AppendCall, Appended, Bounds, OutItem, Reply, Withdrawn, Writing } from '../ports/store.js';

interface Message {
  readonly data: WireData;
  readonly bytes: number;
  /** Who appended it; a reply is nobody's. */
  readonly written?: Writing | undefined;
  readonly refusal?: ErrorItem | undefined;
  readonly place?: string | undefined;
  readonly kind: 'reply' | 'event' | 'request' | 'cancel';
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
  /** A request whose asker has given it up is not written again. */
  state: 'kept' | 'abandoned';
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
  /** And cancellations. */
  readonly #replies: Message[] = [];
  readonly #events: (Message | Hole)[] = [];
  readonly #numbered: Numbered[] = [];
  #top = 0;
  #base = 0;
  /** Waiting or unacknowledged. */
  readonly #heldEvents = new Tally();
  readonly #heldReplies = new Tally();
  /** Requests with a number and without an answer. Who appended them is needed when their message is long gone. */
  readonly #asked = new Map<number, Writing>();
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

  /** Of what waits or is unacknowledged. */
  get heldBytes(): number {
    return this.#heldEvents.bytes + this.#heldReplies.bytes;
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
    this.#pass({ kind: 'reply', data, bytes: sizeOf(data), refusal });
  }

  #pass(message: Message): void {
    this.#heldReplies.add(message);
    this.#replies.push(message);
  }

  /** If an event is refused, that leaves a hole in its place. */
  append(call: AppendCall, maxRequests: number): Appended {
    const { data, writer, w, place, asks, cancels, part } = call;
    const written = { writer, w };
    if (cancels !== undefined) this.#cancel(data, written, cancels);
    else if (asks) return { status: this.#ask(data, written, maxRequests) ? 'ok' : 'full' };
    else if (part) return { status: this.#part(data) ? 'ok' : 'full' };
    else return this.#event({ kind: 'event', data, bytes: sizeOf(data), written, place });
    return { status: 'ok' };
  }

  /** False if it was refused. */
  #part(data: WireData): boolean {
    const bytes = sizeOf(data);
    if (!this.#heldReplies.hasPlaceFor(bytes, this.#bounds)) return false;
    this.#pass({ kind: 'reply', data, bytes });
    return true;
  }

  #event(message: Message): Appended {
    const superseded = message.place === undefined ? undefined : this.#supersede(message);
    if (superseded) return { status: 'ok', superseded: superseded.written };
    if (this.#take(message)) return { status: 'ok' };
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

  /** False if it was refused: that leaves no hole, since who asks is told. */
  #ask(data: WireData, written: Writing, maxRequests: number): boolean {
    if (this.unwritten.length + this.#asked.size >= maxRequests) return false;
    return this.#take({ kind: 'request', data, bytes: sizeOf(data), written });
  }

  /** The request of this number is not open any more, and not written again. */
  #cancel(data: WireData, written: Writing, seq: number): void {
    if (!this.#asked.delete(seq)) return;
    const numbered = this.#numbered.find((one) => one.seq === seq);
    if (numbered) numbered.state = 'abandoned';
    this.#pass({ kind: 'cancel', data, bytes: sizeOf(data), written });
  }

  /** Takes a request out of what waits. */
  withdraw({ writer, w }: Writing): Withdrawn {
    const isIt = (written: Writing | undefined): boolean => written?.writer === writer && written.w === w;
    for (const [seq, written] of this.#asked) if (isIt(written)) return { status: 'numbered', seq };
    const index = this.#events.findIndex((one) => isRequest(one) && isIt(one.written));
    for (const message of index < 0 ? [] : this.#events.splice(index, 1)) {
      if (isRequest(message)) this.#heldEvents.remove(message);
      return { status: 'ok' };
    }
    return { status: 'gone' };
  }

  /** The client has answered it. Gives who asked; undefined if it was not open. */
  answered(seq: number): Writing | undefined {
    const written = this.#asked.get(seq);
    this.#asked.delete(seq);
    return written;
  }

  /** Requests without a number. */
  get unwritten(): Writing[] {
    return this.#events.filter(isRequest).flatMap(({ written }) => written ?? []);
  }

  #take(message: Message): boolean {
    if (!this.#heldEvents.hasPlaceFor(message.bytes, this.#bounds)) return false;
    this.#heldEvents.add(message);
    this.#events.push(message);
    return true;
  }

  /** The client has everything up to `seq`. */
  trim(seq: number): void {
    this.#base = Math.max(this.#base, Math.min(seq, this.#top));
    const kept = this.#numbered.findIndex(({ last }) => last > this.#base);
    for (const { message } of this.#numbered.splice(0, kept < 0 ? Infinity : kept)) {
      if (!message) continue;
      this.#unacknowledged.remove(message);
      const isReply = message.kind === 'reply' || message.kind === 'cancel';
      (isReply ? this.#heldReplies : this.#heldEvents).remove(message);
    }
  }

  /** Gives numbers to what may go now, and everything numbered above `after`. */
  read(after: number, window: Bounds): OutItem[] {
    this.#number(window);
    const from = Math.max(after, this.#base) + 1;
    const items: OutItem[] = [];
    // Nearly always the newest few of what may be a thousand.
    const first = this.#numbered.findLastIndex(({ last }) => last < from) + 1;
    for (const { seq, last, message, state } of this.#numbered.slice(first)) {
      if (state === 'abandoned') items.push({ seq, last, why: state });
      else if (message) items.push({ seq, data: message.data, written: message.written });
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
    this.#numbered.push({ seq, last: seq, message, state: 'kept' });
    if (message.kind === 'request' && message.written) this.#asked.set(seq, message.written);
  }

  /** A client that stands still while much is refused has one hole that grows, not many. */
  #skip(missing: number): void {
    const newest = this.#numbered.at(-1);
    const seq = this.#top + 1;
    this.#top += missing;
    if (newest && !newest.message) newest.last = this.#top;
    else this.#numbered.push({ seq, last: this.#top, state: 'kept' });
  }
}

function isRequest(waiting: Message | Hole): waiting is Message {
  return 'kind' in waiting && waiting.kind === 'request';
}
