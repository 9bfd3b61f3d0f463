import type { VirtualClock } from '@holdfast/testing';

/** The invariants of the protocol, by their numbers in the design; docs/simulation.md says each in a sentence. */
export const INVARIANTS = {
  1: 'handled once, in order',
  2: 'no silent hole',
  3: 'everything ends: delivered or reported',
  4: 'no needless loss of a session',
  5: 'acked ≤ accepted ≤ sent, acks never move back',
  6: 'durable before acknowledged, durable before visible',
  7: 'one owner',
  8: 'a replaced connection changes nothing',
  9: 'attach numbers and generations rise, a late HELLO changes nothing',
  10: 'a resume may be repeated',
  11: 'one outcome for each request',
  12: 'windows and bounds hold',
  13: 'only listed transitions, silence after close',
  14: 'a healthy link is used, a dead one noticed',
  15: 'numbers on the wire rise strictly',
  16: 'redelivered only if the first run died or stood still',
  17: 'rooms: offsets rise, holes are told',
  18: 'what was rejected is not written again',
  19: 'no deadlock',
  20: 'namespaces: who is not let in is not in',
  21: 'presence: members are shown who is there',
  22: 'what is said is said by whoever used the client',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Found {
  readonly invariant: Invariant;
  readonly text: string;
}

/** Keeps what was found to be wrong, and, if asked to, what happened until then. */
export class Judge {
  readonly found: Found[] = [];
  readonly lines: string[] = [];
  readonly #clock: VirtualClock;
  readonly #startedAt: number;
  readonly #tracing: boolean;

  constructor(clock: VirtualClock, tracing: boolean) {
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#tracing = tracing;
  }

  violate(invariant: Invariant, text: string): void {
    // The first ones say what is wrong; the rest follows from it.
    if (this.found.length < 20) this.found.push({ invariant, text });
    this.note(() => `✗ invariant ${invariant} (${INVARIANTS[invariant]}): ${text}`);
  }

  demand(holds: boolean, invariant: Invariant, text: () => string): void {
    if (!holds) this.violate(invariant, text());
  }

  /** One line of the trace; made only if somebody will read it. */
  note(line: () => string): void {
    if (!this.#tracing) return;
    const at = ((this.#clock.now() - this.#startedAt) / 1_000).toFixed(3).padStart(9);
    this.lines.push(`${at}  ${line()}`);
  }
}
