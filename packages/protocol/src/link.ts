import { type Codec, sizeOf } from './codec.js';
import { Fifo } from './fifo.js';
import { type Frame, FrameError, type GapItem, type Item, isSequenced, MAX_ITEMS, Type } from './frame.js';
import type { WireData } from './ports.js';

/** Something to write. The link keeps sequenced ones until the other end has acknowledged them. */
export interface Outgoing {
  readonly encoded: WireData;
  readonly bytes: number;
  /** How many numbers it takes: one, more for a hole, none for PING, SYNC and the like, which are not kept. */
  readonly numbers: number;
  /** Its first number in the lane, set by the link when it is written; 0 before. */
  seq: number;
  /** When it was last put on the wire, set by the link; undefined while it waits. */
  writtenAt: number | undefined;
  /** Of what its ack settles: whether anybody waits for that. */
  readonly receipt?: { readonly awaited: boolean } | undefined;
}

/** An item of the protocol's own: nobody waits for its outcome. */
export interface Control extends Outgoing {
  readonly kind: 'control';
}

/** An item that came in, with the numbers that it takes: `seq` to `last`; both 0 for an unsequenced one. */
export interface Incoming {
  readonly seq: number;
  readonly last: number;
  readonly item: Item;
}

/** A number came that is above the next one: something was lost on the way. Closes with 4409. */
export class SequenceGapError extends FrameError {}

/** Where a link stands that goes on from an earlier one, perhaps on another server. */
export interface LinkPosition {
  /** Highest number accepted from the other end. */
  readonly accepted: number;
  /** Highest number that the other end has accepted. */
  readonly acknowledged: number;
}

/** At most this much in one frame, unless a single item is bigger or the other end takes less. */
const FRAME_BYTES = 65_536;
/** What nobody waits for is acknowledged this often, or after so many messages or bytes. */
const ACK_INTERVAL_MS = 100;
const ACK_MESSAGES = 32;
const ACK_BYTES = 32_768;

export function control(codec: Codec, item: Item): Control {
  const encoded = codec.encode(item);
  const numbers = !isSequenced(item) ? 0 : item[0] === Type.GAP ? item[2] - item[1] + 1 : 1;
  return { kind: 'control', encoded, bytes: sizeOf(encoded), numbers, seq: 0, writtenAt: undefined };
}

/**
 * One end of a session: numbers what goes out, keeps it until it is acknowledged, writes it again on the next
 * connection; knows what came in already, and acknowledges it. Client and server use this same class. No I/O and no
 * clock in here: whoever owns it moves the frames and says what time it is.
 */
export class Link<M extends Outgoing> {
  readonly #codec: Codec;
  /** Number of the next item to be written. */
  #nextSeq: number;
  /** Written and not yet acknowledged, in the order of their numbers. */
  readonly #inflight = new Fifo<M>();
  #inflightBytes = 0;
  /** Numbers whose message was given up after it was written: never written again. */
  #abandoned: Set<number> | undefined;
  /** The highest ack of the other end. */
  #acknowledged: number;
  /** Highest number taken from the wire, so that a repeated one is known. */
  #taken: number;
  /** Highest number accepted without a hole below it: what an ack says. */
  #accepted: number;
  /**
   * No ack goes above this. More may have been accepted: an older connection may have brought something after the HELLO of
   * this one, which has said from where to go on. To the other end, an ack of that would be one of something never sent,
   * until it has written it again. `Infinity`: no such bound.
   */
  #known = Infinity;
  /** Accepted numbers above a hole, as ranges: first to last. */
  #acceptedAbove: Map<number, number> | undefined;
  /** The last ack that was put into a frame of this connection, and when; -1: none yet, so one is owed. */
  #ackWritten = 0;
  #ackWrittenAt = -Infinity;
  /** Taken since then. */
  #unacknowledgedBytes = 0;
  /** By ACK_NOW the other end has asked for an ack of all up to this number, and then of all up to the next one. */
  #urgent = 0;
  #urgentNext = 0;
  #repeated = 0;

  constructor(codec: Codec, position?: LinkPosition) {
    this.#codec = codec;
    this.#acknowledged = position?.acknowledged ?? 0;
    this.#nextSeq = this.#acknowledged + 1;
    this.#accepted = position?.accepted ?? 0;
    this.#taken = this.#accepted;
    // A session that goes on owes an ack even if nothing is new: the other end settles what it has sent by acks only.
    if (position) this.#ackWritten = -1;
  }

  /** Written and not yet acknowledged, in the order of their numbers. */
  get inflight(): readonly M[] {
    return this.#inflight.items;
  }

  get inflightMessages(): number {
    return this.#inflight.length;
  }

  /** The first of them. */
  get oldest(): M | undefined {
    return this.#inflight.at(0);
  }

  get inflightBytes(): number {
    return this.#inflightBytes;
  }

  /** Highest number accepted without a hole below it. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The highest ack that the other end has sent. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Highest number written. */
  get written(): number {
    return this.#nextSeq - 1;
  }

  /** How many numbers were taken and not yet accepted. */
  get unaccepted(): number {
    let above = 0;
    for (const [first, last] of this.#acceptedAbove ?? []) above += last - first + 1;
    return this.#taken - this.#accepted - above;
  }

  /** How many items came again and were dropped. */
  get repeated(): number {
    return this.#repeated;
  }

  /** When an ack has to go out by itself if no frame carries it before; `Infinity`: none is owed. */
  get ackDueAt(): number {
    const owed = this.#toAcknowledge - this.#ackWritten;
    if (owed === 0) return Infinity;
    const much = owed >= ACK_MESSAGES || this.#unacknowledgedBytes >= ACK_BYTES;
    // Only when all that was asked about is accepted: else, of hundreds at once, each would cost a frame with an ack.
    const isUrgent = this.#ackWritten < this.#urgent && this.#urgent <= this.#toAcknowledge;
    return much || isUrgent ? -Infinity : this.#ackWrittenAt + ACK_INTERVAL_MS;
  }

  /** Numbers the entries and puts them into frames, each with the newest ack; a bare ack if one is due. */
  frames(entries: readonly M[], now: number, maxBytes = FRAME_BYTES): WireData[] {
    const frames = this.#pack(entries, now, maxBytes, () => this.#ack(now));
    if (now >= this.ackDueAt) frames.push(this.#codec.frame(this.#ack(now), 0, []));
    return frames;
  }

  /**
   * For a new connection whose other end has accepted everything up to `received`: what it lacks, to be written again
   * before anything new. What was given up meanwhile is a hole. These frames say nothing of what was accepted here:
   * the first ack on a connection follows its last replayed item, or an ack could overtake the refusal of what it
   * covers. `told`: what the other end has been told to be accepted, and writes on from.
   */
  replay(received: number, now: number, maxBytes = FRAME_BYTES, told = this.#accepted): WireData[] {
    if (received < this.#acknowledged || received >= this.#nextSeq) {
      throw new FrameError(
        `the other end claims to have ${received}, which is not in ${this.#acknowledged} to ${this.#nextSeq - 1}`,
      );
    }
    this.#ackWritten = -1;
    this.#ackWrittenAt = -Infinity;
    this.#known = told;
    // What was taken of a frame that broke off was not dispatched: it comes again.
    this.#taken = this.#accepted;
    const missing = this.inflight.filter(({ seq, numbers }) => seq + numbers - 1 > received);
    return this.#pack(
      missing.map((entry) => this.#orHole(entry)),
      now,
      maxBytes,
      () => 0,
    );
  }

  /** As `frames`, for what was numbered before this link began: without an ack. */
  replayed(entries: readonly M[], now: number): WireData[] {
    return this.#pack(entries, now, FRAME_BYTES, () => 0);
  }

  /** Nobody waits for this any more: it is not written again. */
  abandon(entry: M): void {
    if (entry.seq <= this.#acknowledged) return;
    this.#abandoned ??= new Set();
    this.#abandoned.add(entry.seq);
  }

  /**
   * Gives the items of a frame that were not taken before. Its ack is left to `acknowledge`, to be called after the
   * items have been applied: a reply or refusal must settle its message before the ack does. `bytes`: the size of the
   * frame, roughly; so many of them are acknowledged without delay.
   */
  take(frame: Frame, bytes = 0): Incoming[] {
    if (frame.ack >= this.#nextSeq) {
      throw new FrameError(
        `ack ${frame.ack} of something never sent; the last number was ${this.#nextSeq - 1}`,
      );
    }
    this.#unacknowledgedBytes += bytes;
    const fresh: Incoming[] = [];
    let isUrgent = false;
    let seq = frame.firstSeq;
    for (const item of frame.items) {
      if (!isSequenced(item)) {
        if (item[0] === Type.ACK_NOW) isUrgent = true;
        else fresh.push({ seq: 0, last: 0, item });
        continue;
      }
      const last = item[0] === Type.GAP ? endOfHole(item, seq) : seq;
      this.#known = Math.max(this.#known, last);
      if (seq > this.#taken + 1) {
        throw new SequenceGapError(`number ${seq} came where ${this.#taken + 1} was due`);
      }
      if (last > this.#taken) {
        fresh.push(clipped({ seq, last, item }, this.#taken + 1));
        this.#taken = last;
      } else {
        this.#repeated++;
      }
      seq = last + 1;
    }
    if (isUrgent) {
      this.#urgentNext = this.#taken;
      if (this.#urgent <= this.#ackWritten) this.#urgent = this.#taken;
    }
    return fresh;
  }

  /** The item with these numbers has been dispatched: acks may cover it. */
  accept({ seq, last }: { readonly seq: number; readonly last: number }): void {
    if (seq <= this.#accepted) return;
    // Nearly always the next one, with nothing above it.
    if (seq === this.#accepted + 1 && !this.#acceptedAbove?.size) {
      this.#accepted = last;
      return;
    }
    this.#acceptedAbove ??= new Map();
    this.#acceptedAbove.set(seq, last);
    for (let next = this.#nextAbove(); next !== undefined; next = this.#nextAbove()) this.#accepted = next;
  }

  /** The other end has accepted everything up to `ack`. Returns what that settles, in order. */
  acknowledge(ack: number): M[] {
    if (ack <= this.#acknowledged) return [];
    this.#acknowledged = ack;
    let count = 0;
    for (let next = this.#inflight.at(0); next; next = this.#inflight.at(count)) {
      if (next.seq + next.numbers - 1 > ack) break;
      this.#inflightBytes -= next.bytes;
      this.#abandoned?.delete(next.seq);
      count++;
    }
    return this.#inflight.take(count);
  }

  #nextAbove(): number | undefined {
    const last = this.#acceptedAbove?.get(this.#accepted + 1);
    this.#acceptedAbove?.delete(this.#accepted + 1);
    return last;
  }

  get #toAcknowledge(): number {
    return Math.min(this.#accepted, this.#known);
  }

  #ack(now: number): number {
    this.#ackWritten = this.#toAcknowledge;
    if (this.#urgent <= this.#ackWritten) this.#urgent = this.#urgentNext;
    this.#ackWrittenAt = now;
    this.#unacknowledgedBytes = 0;
    return this.#ackWritten;
  }

  /** The last frame says what was accepted: a refusal in it or before it comes before the ack of what it refuses. */
  #pack(entries: readonly Outgoing[], now: number, maxBytes: number, ack: () => number): WireData[] {
    const frames: WireData[] = [];
    for (let start = 0; start < entries.length; ) {
      const end = endOfBatch(entries, start, Math.min(maxBytes, FRAME_BYTES));
      let firstSeq = 0;
      const items: WireData[] = [];
      for (const entry of entries.slice(start, end)) {
        this.#number(entry, now);
        if (entry.numbers > 0) firstSeq ||= entry.seq;
        items.push(entry.encoded);
      }
      const isLast = end >= entries.length;
      // If any of them is awaited: the ack of a few may else wait for more to acknowledge.
      const asks = isLast && entries.some(({ receipt }) => receipt?.awaited);
      if (asks) items.push(this.#codec.encode([Type.ACK_NOW]));
      frames.push(this.#codec.frame(isLast ? ack() : 0, firstSeq, items));
      start = end;
    }
    return frames;
  }

  /** An entry that has a number already is written again. */
  #number(entry: Outgoing, now: number): void {
    entry.writtenAt = now;
    if (entry.numbers === 0 || entry.seq > 0) return;
    entry.seq = this.#nextSeq;
    this.#nextSeq += entry.numbers;
    this.#inflight.push(entry as M);
    this.#inflightBytes += entry.bytes;
  }

  /** The entry to be written again, or a hole if it was given up. */
  #orHole(entry: M): Outgoing {
    const { seq, numbers } = entry;
    if (!this.#abandoned?.has(seq)) return entry;
    return { ...control(this.#codec, [Type.GAP, seq, seq + numbers - 1, 'abandoned']), seq };
  }
}

function endOfHole([, from, to]: GapItem, seq: number): number {
  if (from !== seq || to < from) throw new FrameError(`a hole from ${from} to ${to} where ${seq} was due`);
  return to;
}

/** A hole tells only of what has not been taken already. */
function clipped({ seq, last, item }: Incoming, from: number): Incoming {
  if (item[0] !== Type.GAP || seq >= from) return { seq, last, item };
  return { seq: from, last, item: [Type.GAP, from, last, item[3]] };
}

/** Up to where the entries from `start` on go into one frame. */
function endOfBatch(entries: readonly Outgoing[], start: number, maxBytes: number): number {
  // There is room for an ACK_NOW.
  const most = Math.min(entries.length, start + MAX_ITEMS - 1);
  let bytes = 0;
  let end = start;
  for (; end < most; end++) {
    // And the comma before it.
    bytes += (entries[end]?.bytes ?? 0) + 1;
    if (end > start && bytes > maxBytes) break;
  }
  return end;
}
