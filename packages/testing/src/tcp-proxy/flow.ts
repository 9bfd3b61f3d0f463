import type { Socket } from 'node:net';

/** What is done to the bytes of one direction, of all connections. */
export interface Conditions {
  frozen: boolean;
  delayMs: number;
  bytesPerSecond: number;
}

/** How an end learns that it is over: in order, or with a reset. */
export type Farewell = 'end' | 'reset';

interface Piece {
  readonly bytes: Buffer;
  readonly at: number;
}

/** A place in the stream where something happens instead of the next byte. */
interface Trap {
  readonly position: number;
  readonly spring: () => void;
}

/** Reading stops when so many bytes are held: the sender feels it, as it would feel a full pipe. */
const MOST_HELD = 262_144;
/** A throttled direction passes a slice of its rate each time rather than a second's worth at once. */
const SLICES_PER_SECOND = 20;

/** One direction of one connection: reads from one socket, writes to the other, and never reorders. */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #conditions: Conditions;
  #pieces: Piece[] = [];
  #farewell: { readonly how: Farewell; readonly at: number } | undefined;
  #traps: Trap[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #blocked = false;
  #allowance = 0;
  #allowedAt = 0;
  #started = false;
  #stopped = false;
  /** Bytes passed on to the other end. */
  carried = 0;
  /** Bytes read and not yet passed on. */
  held = 0;

  constructor(source: Socket, sink: Socket, conditions: Conditions) {
    this.#source = source;
    this.#sink = sink;
    this.#conditions = conditions;
    // First: a listener for data would set it flowing, although nobody has said start yet.
    source.pause();
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => this.#part('end'));
    source.on('close', (hadError) => {
      if (hadError || !source.readableEnded) this.#part('reset');
    });
    sink.on('drain', () => {
      this.#blocked = false;
      this.look();
    });
  }

  /** From now on it reads; before, what its source says waits in the system's buffers. */
  start(): void {
    this.#started = true;
    this.look();
  }

  /** Nothing is read or passed on any more; what is held is gone. */
  stop(): void {
    this.#stopped = true;
    this.#pieces = [];
    this.held = 0;
    this.#traps = [];
    clearTimeout(this.#timer);
    this.#source.pause();
  }

  /** Passes exactly `after` more bytes, not one beyond, and springs once they have left. */
  trap(after: number, spring: () => void): void {
    this.#traps.push({ position: this.carried + after, spring });
  }

  /** Passes on what may pass now. To be called when the conditions have changed; wakes itself for the rest. */
  look(): void {
    clearTimeout(this.#timer);
    if (!this.#started || this.#stopped) return;
    if (this.#sink.destroyed) {
      this.#leadNowhere();
      return;
    }
    if (!this.#conditions.frozen) this.#pass();
    if (!this.#stopped) this.#readOn();
  }

  /** Nobody is there to hear it. The source learns of that from the other direction, which may be held back. */
  #leadNowhere(): void {
    this.#pieces = [];
    this.held = 0;
    this.#source.pause();
  }

  #take(bytes: Buffer): void {
    if (this.#stopped) return;
    this.#pieces.push({ bytes, at: performance.now() });
    this.held += bytes.length;
    this.look();
  }

  /** The source has said its last: that arrives behind its bytes, under the same conditions. */
  #part(how: Farewell): void {
    if (this.#stopped) return;
    this.#farewell = { how, at: performance.now() };
    this.look();
  }

  #pass(): void {
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const size = this.#blocked ? 0 : this.#sizeOf(piece);
      if (size === 0) break;
      this.#write(piece, size);
      if (this.#stopped) return;
    }
    // A reset does not wait for whoever does not read.
    if (this.#pieces.length === 0 || (this.#blocked && this.#farewell?.how === 'reset')) this.#sayFarewell();
  }

  /** How much of a piece may pass now; when nothing may, asks to be woken. */
  #sizeOf(piece: Piece): number {
    const now = performance.now();
    const early = piece.at + this.#conditions.delayMs - now;
    if (early > 0) return this.#wakeIn(early);
    const trapped = Math.min(...this.#traps.map(({ position }) => position)) - this.carried;
    const wanted = Math.min(piece.bytes.length, trapped);
    const { bytesPerSecond } = this.#conditions;
    if (bytesPerSecond === Infinity) return wanted;
    const slice = Math.max(1, bytesPerSecond / SLICES_PER_SECOND);
    const earned = (bytesPerSecond * (now - this.#allowedAt)) / 1000;
    this.#allowance = Math.min(slice, this.#allowance + earned);
    this.#allowedAt = now;
    const size = Math.min(wanted, Math.floor(this.#allowance));
    // A whole slice at a time: a small rate would be spent on waking up for single bytes.
    if (size < Math.min(wanted, Math.floor(slice))) {
      return this.#wakeIn((1000 * (Math.min(wanted, slice) - this.#allowance)) / bytesPerSecond);
    }
    this.#allowance -= size;
    return size;
  }

  #write(piece: Piece, size: number): void {
    if (size === piece.bytes.length) this.#pieces.shift();
    else this.#pieces[0] = { bytes: piece.bytes.subarray(size), at: piece.at };
    this.held -= size;
    this.carried += size;
    const sprung = this.#traps.filter(({ position }) => position <= this.carried);
    if (sprung.length > 0) this.stop();
    // Told only when the bytes have left: a reset throws away what still waits to be sent.
    const left = (error?: Error | null): void => {
      if (!error) for (const { spring } of sprung) spring();
    };
    if (!this.#sink.write(piece.bytes.subarray(0, size), left)) this.#blocked = true;
  }

  #sayFarewell(): void {
    if (this.#farewell === undefined) return;
    const early = this.#farewell.at + this.#conditions.delayMs - performance.now();
    if (early > 0) {
      this.#wakeIn(early);
      return;
    }
    const { how } = this.#farewell;
    this.#farewell = undefined;
    if (how === 'reset') this.#sink.resetAndDestroy();
    else this.#sink.end();
  }

  #readOn(): void {
    const mayRead = !this.#conditions.frozen && !this.#blocked && this.held < MOST_HELD;
    if (mayRead === this.#source.isPaused()) this.#source[mayRead ? 'resume' : 'pause']();
  }

  #wakeIn(ms: number): 0 {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), Math.ceil(ms));
    return 0;
  }
}
