import { type Clock, CloseCode, type Item, JOIN, LEAVE, Type } from '@holdfast/protocol';
import { WINDOW_BYTES, WINDOW_MESSAGES } from '../inflow.js';
import type { Observed } from '../observe/observer.js';
import type { MessageRate } from './message-rate.js';

/** What a connection's window is while nothing runs low: what a client has on the wire may all come. */
export function fullWindow(burst: number): number {
  return Math.max(1, Math.min(WINDOW_MESSAGES, Math.floor(burst / 2)));
}

/** The same for all connections. */
export interface PaceSurroundings {
  readonly clock: Clock;
  readonly observe: Pick<Observed, 'limited'>;
  /** What a session saves up of its rate, in messages. */
  readonly burst: number;
}

/** Whose pace it is. */
export interface PacedConnection {
  control(item: Item): void;
  drop(code: number, reason: string): void;
}

/**
 * How fast the client of one connection may send. Its window shrinks with what is left of its rate: half of that, so a
 * client that keeps to its windows has what is on the way while it hears of a smaller one, and is not refused. Whoever goes
 * on is refused message by message, and sent away if that changes nothing.
 */
export class Pace {
  readonly #rate: MessageRate;
  readonly #around: PaceSurroundings;
  readonly #connection: PacedConnection;
  readonly #full: number;
  /** The window that the client has been told. */
  #told: number;

  constructor(rate: MessageRate, around: PaceSurroundings, connection: PacedConnection) {
    this.#rate = rate;
    this.#around = around;
    this.#connection = connection;
    this.#full = fullWindow(around.burst);
    this.#told = this.#full;
  }

  /** When the window may be opened again; `Infinity`: it is open. */
  get lookAt(): number {
    if (this.#told === this.#full) return Infinity;
    const now = this.#around.clock.now();
    const wider = Math.min(this.#full, 2 * this.#told);
    // Time that a double cannot tell would be asked for again at once.
    return now + Math.max(1, this.#rate.msUntil(2 * wider, now));
  }

  /** Charges for what came `now`; in how many ms to try again if that is refused. */
  charge(seq: number, item: Item, now: number): number | undefined {
    if (item[0] !== Type.EVT && item[0] !== Type.REQ && item[0] !== Type.VOL) return undefined;
    const over = this.#rate.charge(seq, now);
    if (!over) return undefined;
    this.#around.observe.limited({ limit: 'messages' });
    if (over.flood) this.#connection.drop(CloseCode.RATE_LIMITED, `ra=${over.retryAfterMs}`);
    // Without its rooms a client is not where its application thinks it is. A flood of them ends as any other.
    const isMove = item[0] === Type.REQ && (item[1] === JOIN || item[1] === LEAVE);
    return isMove ? undefined : over.retryAfterMs;
  }

  /** Tells the client of another window, if it has become much smaller or much wider. */
  look(): void {
    const left = Math.floor(this.#rate.level(this.#around.clock.now()) / 2);
    const window = Math.max(1, Math.min(this.#full, left));
    const shrinks = 2 * window <= this.#told;
    const opens = window > this.#told && (window >= 2 * this.#told || window === this.#full);
    if (!shrinks && !opens) return;
    this.#told = window;
    this.#connection.control([Type.CREDIT, window, WINDOW_BYTES]);
  }
}
