import { type ErrorItem, Fifo, type WireData } from '@holdfast/protocol';
import type {
  AppendCall,
  Appended,
  Bounds,
  OutboxRules,
  OutItem,
  Reply,
  Withdrawn,
  Writing,
} from '../ports/store.js';
import { sizeOf } from '../size-of.js';

interface Message {
  readonly data: WireData;
  readonly bytes: number;
  /** Who appended it; a reply is nobody's. */
  readonly written?: Writing | undefined;
  readonly refusal?: ErrorItem | undefined;
  readonly place?: string | undefined;
  readonly receipt?: boolean | undefined;
  readonly kind: 'reply' | 'event' | 'request' | 'cancel';
}
export interface LaneRules extends OutboxRules {
  readonly bounds: Bounds;
}
const KEPT: Appended = { status: 'ok' };
const NOBODY: readonly Writing[] = [];
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

  copy(): Tally {
    return Object.assign(new Tally(), this);
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
  /** What counts from now on. */
  rules: LaneRules;
  /** `high`: it overflowed, and the client has not taken half of what fits since. */
  #level: 'low' | 'high' = 'low';
  /** And cancellations. */
  readonly #replies: Message[] = [];
  readonly #events = new Fifo<Message | Hole>();
  readonly #numbered = new Fifo<Numbered>();
  #top = 0;
  #base = 0;
  /** Waiting or unacknowledged. */
  readonly #heldEvents = new Tally();
  readonly #heldReplies = new Tally();
  /** Requests with a number and without an answer. Who appended them is needed when their message is long gone. */
  readonly #asked = new Map<number, Writing>();
  /** Numbered, of both kinds. */
  readonly #unacknowledged = new Tally();

  constructor(rules: LaneRules) {
    this.rules = rules;
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
    return messages >= this.rules.bounds[0] || bytes >= this.rules.bounds[1];
  }

  /** Refusals that the client has not acknowledged. */
  get refusals(): ErrorItem[] {
    const messages = [...this.#numbered.items.map(({ message }) => message), ...this.#replies];
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
    const { data, writer, w, place, receipt, asks, cancels, part } = call;
    const written = { writer, w };
    if (cancels !== undefined) this.#cancel(data, written, cancels);
    else if (asks) return this.#ask(data, written, maxRequests);
    else if (part) return { status: this.#part(data) ? 'ok' : 'full' };
    else return this.#event({ kind: 'event', data, bytes: sizeOf(data), written, place, receipt });
    return { status: 'ok' };
  }

  /** False if it was refused. */
  #part(data: WireData): boolean {
    const bytes = sizeOf(data);
    if (!this.#heldReplies.hasPlaceFor(bytes, this.rules.bounds)) return false;
    this.#pass({ kind: 'reply', data, bytes });
    return true;
  }

  #event(message: Message): Appended {
    const superseded = message.place === undefined ? undefined : this.#supersede(message);
    if (superseded) return { status: 'ok', superseded: superseded.written };
    const taken = this.#take(message);
    if (taken.status === 'full') this.#leaveHole(this.#events.length);
    return taken;
  }

  /** In the place of what stands there, or at the end. Holes beside each other are one. */
  #leaveHole(index: number): void {
    const { items } = this.#events;
    const hole = { missing: 1 };
    items.splice(index, 1, hole);
    for (const beside of [index + 1, index - 1]) {
      const other = items[beside];
      if (!other || !('missing' in other)) continue;
      hole.missing += other.missing;
      items.splice(beside, 1);
    }
  }

  /** The one whose place a message has taken; the bounds do not matter for one that follows on another. */
  #supersede(message: Message): Message | undefined {
    const { items } = this.#events;
    const index = items.findIndex((one) => 'place' in one && one.place === message.place);
    const [old] = index < 0 ? [] : items.splice(index, 1, message);
    if (!old || 'missing' in old) return undefined;
    this.#heldEvents.remove(old);
    this.#heldEvents.add(message);
    return old;
  }

  /** If it is refused, that leaves no hole, since who asks is told. */
  #ask(data: WireData, written: Writing, maxRequests: number): Appended {
    if (this.#requests.length + this.#asked.size >= maxRequests) return { status: 'full' };
    return this.#take({ kind: 'request', data, bytes: sizeOf(data), written });
  }

  /** The request of this number is not open any more, and not written again. */
  #cancel(data: WireData, written: Writing, seq: number): void {
    if (!this.#asked.delete(seq)) return;
    const numbered = this.#numbered.items.find((one) => one.seq === seq);
    if (numbered) numbered.state = 'abandoned';
    this.#pass({ kind: 'cancel', data, bytes: sizeOf(data), written });
  }

  /** Takes a request out of what waits. */
  withdraw({ writer, w }: Writing): Withdrawn {
    const isIt = (written: Writing | undefined): boolean => written?.writer === writer && written.w === w;
    for (const [seq, written] of this.#asked) if (isIt(written)) return { status: 'numbered', seq };
    const { items } = this.#events;
    const index = items.findIndex((one) => isRequest(one) && isIt(one.written));
    for (const message of index < 0 ? [] : items.splice(index, 1)) {
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
  get #requests(): Message[] {
    return this.#events.items.filter(isRequest);
  }

  /** What has no number, of those at whose writer somebody waits. */
  get unwritten(): Writing[] {
    return this.#events.items.flatMap((one) => (isRequest(one) || isAwaited(one) ? (one.written ?? []) : []));
  }

  #take(message: Message): Appended {
    const dropped = this.#makePlaceFor(message);
    if (!dropped) {
      this.#level = 'high';
      return { status: 'full' };
    }
    this.#heldEvents.add(message);
    this.#events.push(message);
    return dropped.length > 0 ? { status: 'ok', dropped } : KEPT;
  }

  /** Who had to give way, the oldest first; undefined: there is no place, and nothing gives way for nothing. */
  #makePlaceFor({ bytes }: Message): readonly Writing[] | undefined {
    const { bounds, overflow } = this.rules;
    if (this.#heldEvents.hasPlaceFor(bytes, bounds)) return NOBODY;
    if (overflow !== 'drop-oldest') return undefined;
    const left = this.#heldEvents.copy();
    const going: Message[] = [];
    for (const waiting of this.#events.items) {
      if (!isEvent(waiting)) continue;
      left.remove(waiting);
      going.push(waiting);
      if (left.hasPlaceFor(bytes, bounds)) return going.flatMap((oldest) => this.#drop(oldest));
    }
    return undefined;
  }

  #drop(message: Message): Writing | [] {
    this.#heldEvents.remove(message);
    this.#leaveHole(this.#events.items.indexOf(message));
    return message.written ?? [];
  }

  /** Whether it has overflowed; until the client has taken half of what fits. */
  get level(): 'low' | 'high' {
    return this.#level;
  }

  /** The client has everything up to `seq`. Gives what somebody waits for at another writer than the `owner` of its connection. */
  trim(seq: number, owner: string): Writing[] {
    this.#base = Math.max(this.#base, Math.min(seq, this.#top));
    let count = 0;
    while ((this.#numbered.at(count)?.last ?? Infinity) <= this.#base) count++;
    const taken = this.#numbered.take(count);
    const awaited: Writing[] = [];
    for (const { message } of taken) {
      if (!message) continue;
      if (message.receipt && message.written && message.written.writer !== owner)
        awaited.push(message.written);
      this.#unacknowledged.remove(message);
      const isReply = message.kind === 'reply' || message.kind === 'cancel';
      (isReply ? this.#heldReplies : this.#heldEvents).remove(message);
    }
    const { messages, bytes } = this.#heldEvents;
    const [half, halfBytes] = halfOf(this.rules.bounds);
    if (taken.length > 0 && messages <= half && bytes <= halfBytes) this.#level = 'low';
    return awaited;
  }

  /** Gives numbers to what may go now, and everything numbered above `after`. */
  read(after: number, window: Bounds): OutItem[] {
    this.#number(window);
    const from = Math.max(after, this.#base) + 1;
    const items: OutItem[] = [];
    // Nearly always the newest few of what may be a thousand.
    let first = this.#numbered.length;
    while ((this.#numbered.at(first - 1)?.last ?? 0) >= from) first--;
    for (let next = this.#numbered.at(first); next; next = this.#numbered.at(++first)) {
      const { seq, last, message, state } = next;
      if (state === 'abandoned') items.push({ seq, last, why: state });
      else if (message) items.push({ seq, data: message.data, written: message.written });
      else items.push({ seq: Math.max(seq, from), last, why: 'outbox-full' });
    }
    return items;
  }

  #number(window: Bounds): void {
    for (const reply of this.#replies.splice(0)) this.#give(reply);
    const credit = this.#credit(window);
    const mayGo = (waiting: Message | Hole | undefined): boolean =>
      !waiting || 'missing' in waiting || this.#unacknowledged.hasPlaceFor(waiting.bytes, credit);
    let going = 0;
    for (let next = this.#events.at(0); next && mayGo(next); next = this.#events.at(going)) {
      if ('missing' in next) {
        // As long as it grows: the client is told once.
        if (this.rules.overflow === 'drop-oldest' && !mayGo(this.#events.at(going + 1))) break;
        this.#skip(next.missing);
      } else this.#give(next);
      going++;
    }
    this.#events.take(going);
  }

  /** What has a number gives way no more: half of the outbox keeps without, so that the oldest can. */
  #credit([messages, bytes]: Bounds): Bounds {
    const { bounds, overflow } = this.rules;
    if (overflow !== 'drop-oldest') return [messages, bytes];
    const [half, halfBytes] = halfOf(bounds);
    return [Math.min(messages, half), Math.min(bytes, halfBytes)];
  }

  #give(message: Message): void {
    this.#unacknowledged.add(message);
    const seq = ++this.#top;
    this.#numbered.push({ seq, last: seq, message, state: 'kept' });
    if (message.kind === 'request' && message.written) this.#asked.set(seq, message.written);
  }

  /** A client that stands still while much is refused has one hole that grows, not many. */
  #skip(missing: number): void {
    const newest = this.#numbered.last;
    const seq = this.#top + 1;
    this.#top += missing;
    if (newest && !newest.message) newest.last = this.#top;
    else this.#numbered.push({ seq, last: this.#top, state: 'kept' });
  }
}

function isEvent(waiting: Message | Hole): waiting is Message {
  return 'kind' in waiting && waiting.kind === 'event';
}

function halfOf([messages, bytes]: Bounds): Bounds {
  return [messages / 2, bytes / 2];
}

function isRequest(waiting: Message | Hole): waiting is Message {
  return 'kind' in waiting && waiting.kind === 'request';
}

function isAwaited(waiting: Message | Hole): waiting is Message {
  return 'receipt' in waiting && waiting.receipt === true;
}
