import type { Admittance } from '@holdfast/server/ports';
import { Fifo } from './fifo.js';

/** In handshakes: what it costs to say no, and to find out, half way through, that the client has left. */
const REFUSAL = 0.02;
const ABANDONED = 0.5;

/** What the server knows of its clients. */
export interface Door {
  ask(now: number, client: number): Admittance;
  /** The client still waits for this attempt. */
  isThere(client: number, attempt: number): boolean;
  welcome(client: number): void;
  refuse(client: number, retryAfterMs: number): void;
}

/**
 * The one thing that everybody waits for: it does so many handshakes a second, one after the other. Who waits at the
 * door goes first, in the order in which they came, as in a program that takes all new connections from its event loop
 * before it goes on with those that it has; so refusals are said at once, until there is time for nothing else.
 */
export class Bottleneck {
  readonly #perMs: number;
  readonly #door: Door;
  readonly #waiting = new Fifo();
  readonly #letIn = new Fifo();
  /** What is left of this millisecond, in handshakes; below 0: of the next one, too. */
  #budget = 0;
  /** What was done of the first one that was let in. */
  #done = 0;

  constructor(perSecond: number, door: Door) {
    this.#perMs = perSecond / 1_000;
    this.#door = door;
  }

  knock(now: number, client: number, attempt: number): void {
    this.#waiting.push(client, attempt, now);
  }

  /** Works for a millisecond. */
  work(now: number): void {
    this.#budget = Math.min(0, this.#budget) + this.#perMs;
    while (this.#budget > 1e-9) {
      if (this.#waiting.size > 0) this.#open(now);
      else if (this.#letIn.at <= now) this.#shake();
      else return;
    }
  }

  #shake(): void {
    const { client, attempt } = this.#letIn;
    const isThere = this.#door.isThere(client, attempt);
    const step = Math.min(this.#budget, Math.max(0, (isThere ? 1 : ABANDONED) - this.#done));
    this.#budget -= step;
    this.#done += step;
    if (this.#done < (isThere ? 1 : ABANDONED) - 1e-9) return;
    this.#done = 0;
    this.#letIn.shift();
    if (isThere) this.#door.welcome(client);
  }

  #open(now: number): void {
    const { client, attempt } = this.#waiting;
    this.#waiting.shift();
    const answer = this.#door.ask(now, client);
    if (answer.admit !== 'no') {
      return this.#letIn.push(client, attempt, answer.admit === 'now' ? now : now + answer.inMs);
    }
    this.#budget -= REFUSAL;
    if (this.#door.isThere(client, attempt)) this.#door.refuse(client, answer.retryAfterMs);
  }
}
