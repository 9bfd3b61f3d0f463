import { Alarm, type Clock } from '@holdfast/protocol';
import type { BusConnection, BusListener, BusPort } from '@holdfast/server/ports';
import { decodeFields, encodeFields, type Listening } from './notes.js';
import { bytesOf, listOf, type Reply } from './replies.js';

export interface BusLineSurroundings {
  readonly bus: BusPort;
  readonly channel: string;
  readonly clock: Clock;
  /** Of this server, on the bus. */
  readonly id: string;
  /** Others have to hear something from this server so often; ms. */
  readonly beatMs: number;
  readonly listening: Listening;
  /** The bus is away until then. */
  away(error: unknown, back: Promise<void>): void;
}

/** Of a note, in one message: a bus has to carry 64 KiB, with what stands before it. */
const PART_BYTES = 60_000;
/** Who has missed so many beats may have died before it could say what it had done. */
const SILENT_BEATS = 3;
/** While the bus is away, everybody looks for himself so often. */
const LOOK_BEATS = 4;
/** What is found out within that time is one reason to look; ms. */
const LOOK_MS = 100;

/** Another server, as it is heard here. */
interface Other {
  /** How many messages it had counted when it was heard last. */
  n: number;
  heardAt: number;
  /** Of a note that has not come as a whole yet. */
  parts: Buffer[];
}

/**
 * Notes on a bus of their own. A step in Redis does not tell them: whoever has asked for it does, afterwards, and may
 * lose the answer, or die, or find the bus away. So each server counts what it tells, also what it could not, and says the count again
 * with each beat: whoever finds a hole in it, or hears a server no more, looks for himself.
 */
export class BusLine implements BusListener {
  readonly listening: Listening;
  readonly #around: BusLineSurroundings;
  readonly #connection: BusConnection;
  readonly #beating: Alarm;
  readonly #looking: Alarm;
  readonly #others = new Map<string, Other>();
  /** Counts messages. */
  #n = 0;
  /** Whether a step may have been made of whose notes nobody knows, here neither. */
  #untold: 'nothing' | 'something' = 'nothing';
  #lookedAt: number;
  /** Ends an outage. */
  #back: (() => void) | undefined;

  constructor(around: BusLineSurroundings) {
    const { bus, channel, clock, listening } = around;
    this.#around = around;
    this.listening = listening;
    this.#beating = new Alarm(clock, () => this.#beat());
    this.#looking = new Alarm(clock, () => this.#look());
    this.#lookedAt = clock.now();
    this.#connection = bus.join(channel, this, around);
    this.#beat();
  }

  /** Tells the others, and who listens here: that one need not wait for the bus. */
  tell(notes: readonly Buffer[]): void {
    for (const note of notes) this.#publish(note);
    for (const note of notes) this.listening.heard(note);
  }

  /** What a step answers, which has handed over what it would have told itself. */
  async told(answer: Promise<Reply>): Promise<Reply> {
    try {
      const [reply = null, notes] = listOf(await answer);
      this.tell(listOf(notes).map(bytesOf));
      return reply;
    } catch (error) {
      // It may have been made, and its notes went with the answer.
      this.#untold = 'something';
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#beating.set(Infinity);
    this.#looking.set(Infinity);
    this.#send('bye');
    this.#back?.();
    await this.#connection.close();
  }

  #publish(note: Buffer): void {
    const first = String(this.#n + 1);
    for (let from = 0; from === 0 || from < note.length; from += PART_BYTES) {
      const to = from + PART_BYTES;
      this.#n++;
      this.#send(to < note.length ? 'part' : 'note', first, note.subarray(from, to));
    }
  }

  #send(kind: 'part' | 'note' | 'beat' | 'bye', ...rest: readonly (string | Buffer)[]): void {
    this.#connection.publish(encodeFields([this.#around.id, String(this.#n), kind, ...rest]));
  }

  #beat(): void {
    const { clock, beatMs } = this.#around;
    const now = clock.now();
    if (this.#untold === 'something') {
      this.#untold = 'nothing';
      this.#n++;
      this.#lookSoon();
    }
    this.#send('beat');
    for (const [id, { heardAt }] of this.#others) {
      if (now - heardAt <= SILENT_BEATS * beatMs) continue;
      this.#others.delete(id);
      this.#lookSoon();
    }
    if (this.#back && now - this.#lookedAt >= LOOK_BEATS * beatMs) this.#lookSoon();
    this.#beating.set(now + beatMs);
  }

  #lookSoon(): void {
    this.#looking.set(this.#around.clock.now() + LOOK_MS);
  }

  #look(): void {
    this.#lookedAt = this.#around.clock.now();
    this.listening.missed();
  }

  // ── What the bus says ──────────────────────────────────────────────────────────────────────────────────────────

  up(): void {
    this.#back?.();
    this.#back = undefined;
    this.#lookSoon();
    // What was told meanwhile nobody has heard: the count says so.
    this.#beat();
  }

  down(error: unknown): void {
    const back = new Promise<void>((resolve) => {
      this.#back = resolve;
    });
    this.#around.away(error, back);
  }

  heard(message: Uint8Array): void {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const [by, count, kind, first, part] = decodeFields(bytes);
    const [id, n, what] = [by?.toString() ?? '', Number(count?.toString()), kind?.toString()];
    if (id === this.#around.id || !Number.isSafeInteger(n)) return;
    const other = this.#others.get(id) ?? { n: 0, heardAt: 0, parts: [] };
    const isCounted = what === 'part' || what === 'note';
    if (n !== other.n + (isCounted ? 1 : 0)) this.#lookSoon();
    other.n = n;
    other.heardAt = this.#around.clock.now();
    if (what === 'bye') this.#others.delete(id);
    else this.#others.set(id, other);
    if (isCounted && part) this.#heardPart(other, what, Number(first), part);
  }

  #heardPart(other: Other, kind: 'part' | 'note', first: number, part: Buffer): void {
    if (other.n === first) other.parts = [];
    other.parts.push(part);
    if (kind === 'part') return;
    const isWhole = other.parts.length === other.n - first + 1;
    const note = Buffer.concat(other.parts.splice(0));
    if (isWhole) this.listening.heard(note);
  }
}
