import { type Codec, sizeOf } from './codec.js';
import { type Frame, type Item, isSequenced } from './frame.js';
import { FrameError, MAX_ITEMS } from './parse-frame.js';
import type { WireData } from './ports.js';

/** Something to write. The link keeps sequenced ones until the other end has acknowledged them. */
export interface Outgoing {
  readonly encoded: WireData;
  readonly bytes: number;
  /** PING, PONG, SYNC and the like carry no number and are not kept. */
  readonly sequenced: boolean;
  /** Its number in the lane, set by the link when it is written; 0 before. */
  seq: number;
  /** When it was put on the wire, set by the link; undefined while it waits. */
  writtenAt: number | undefined;
}

/** An item of the protocol's own: nobody waits for its outcome. */
export interface Control extends Outgoing {
  readonly kind: 'control';
}

/** An item that came in, with its number; 0 for an unsequenced one. */
export interface Incoming {
  readonly seq: number;
  readonly item: Item;
}

/** A number came that is above the next one: something was lost on the way. Closes with 4409. */
export class SequenceGapError extends FrameError {}

/** At most this much in one frame, unless a single item is bigger or the other end takes less. */
const FRAME_BYTES = 65_536;
/** A lone message is acknowledged at once; a stream of them this often, or after so many. */
const ACK_INTERVAL_MS = 100;
const ACK_MESSAGES = 32;

export function control(codec: Codec, item: Item): Control {
  const encoded = codec.encode(item);
  const sequenced = isSequenced(item);
  return { kind: 'control', encoded, bytes: sizeOf(encoded), sequenced, seq: 0, writtenAt: undefined };
}

/**
 * One end of a session: numbers what goes out, acknowledges what comes in. Client and server use this same class.
 * No I/O and no clock in here: whoever owns it moves the frames and says what time it is.
 */
export class Link<M extends Outgoing> {
  readonly #codec: Codec;
  /** Number of the next item to be written. */
  #nextSeq = 1;
  /** Written and not yet acknowledged, in order: the first has number `#nextSeq - #inflight.length`. */
  readonly #inflight: M[] = [];
  #inflightBytes = 0;
  /** Highest number taken from the wire, so that a repeated one is known. */
  #taken = 0;
  /** Highest number accepted without a hole below it: what an ack says. */
  #accepted = 0;
  /** Accepted numbers above a hole. */
  readonly #acceptedAbove = new Set<number>();
  /** The last ack that was put into a frame, and when. */
  #ackWritten = 0;
  #ackWrittenAt = -Infinity;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Written and not yet acknowledged, in the order of their numbers. */
  get inflight(): readonly M[] {
    return this.#inflight;
  }

  get inflightBytes(): number {
    return this.#inflightBytes;
  }

  /** How many items were taken and not yet accepted. */
  get unaccepted(): number {
    return this.#taken - this.#accepted - this.#acceptedAbove.size;
  }

  /** When an ack has to go out by itself if no frame carries it before; `Infinity`: none is owed. */
  get ackDueAt(): number {
    const owed = this.#accepted - this.#ackWritten;
    if (owed === 0) return Infinity;
    return owed >= ACK_MESSAGES ? -Infinity : this.#ackWrittenAt + ACK_INTERVAL_MS;
  }

  /** Numbers the entries and puts them into frames, each with the newest ack; a bare ack if one is due. */
  frames(entries: readonly M[], now: number, maxBytes = FRAME_BYTES): WireData[] {
    const frames: WireData[] = [];
    for (let start = 0; start < entries.length; ) {
      const end = endOfBatch(entries, start, Math.min(maxBytes, FRAME_BYTES));
      frames.push(this.#frame(entries.slice(start, end), now));
      start = end;
    }
    if (now >= this.ackDueAt) frames.push(this.#frame([], now));
    return frames;
  }

  /**
   * Gives the items of a frame that were not taken before. Its ack is left to `acknowledge`, to be called after the
   * items have been applied: a reply or refusal must settle its message before the ack does.
   */
  take(frame: Frame): Incoming[] {
    if (frame.ack >= this.#nextSeq) {
      throw new FrameError(
        `ack ${frame.ack} of something never sent; the last number was ${this.#nextSeq - 1}`,
      );
    }
    const fresh: Incoming[] = [];
    let seq = frame.firstSeq;
    for (const item of frame.items) {
      if (!isSequenced(item)) {
        fresh.push({ seq: 0, item });
        continue;
      }
      if (seq > this.#taken + 1) {
        throw new SequenceGapError(`number ${seq} came where ${this.#taken + 1} was due`);
      }
      if (seq > this.#taken) {
        this.#taken = seq;
        fresh.push({ seq, item });
      }
      seq++;
    }
    return fresh;
  }

  /** The item with this number has been dispatched: acks may cover it. */
  accept(seq: number): void {
    if (seq === 0) return;
    this.#acceptedAbove.add(seq);
    while (this.#acceptedAbove.delete(this.#accepted + 1)) this.#accepted++;
  }

  /** The other end has accepted everything up to `ack`. Returns what that settles, in order. */
  acknowledge(ack: number): M[] {
    const oldest = this.#nextSeq - this.#inflight.length;
    const settled = this.#inflight.splice(0, Math.max(0, ack - oldest + 1));
    for (const { bytes } of settled) this.#inflightBytes -= bytes;
    return settled;
  }

  #frame(entries: readonly M[], now: number): WireData {
    let firstSeq = 0;
    for (const entry of entries) {
      entry.writtenAt = now;
      if (!entry.sequenced) continue;
      entry.seq = this.#nextSeq++;
      firstSeq ||= entry.seq;
      this.#inflight.push(entry);
      this.#inflightBytes += entry.bytes;
    }
    this.#ackWritten = this.#accepted;
    this.#ackWrittenAt = now;
    const items = entries.map(({ encoded }) => encoded);
    return this.#codec.frame(this.#accepted, firstSeq, items);
  }
}

/** Up to where the entries from `start` on go into one frame. */
function endOfBatch(entries: readonly Outgoing[], start: number, maxBytes: number): number {
  let bytes = 0;
  let end = start;
  for (const entry of entries.slice(start, start + MAX_ITEMS)) {
    // And the comma before it.
    bytes += entry.bytes + 1;
    if (end > start && bytes > maxBytes) break;
    end++;
  }
  return end;
}
