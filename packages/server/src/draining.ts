import type { Clock, Random } from '@holdfast/protocol';

/** Clients are moved a little slower than they could be taken elsewhere: others dial there, too. */
const SLACK = 1.1;

export interface DrainingSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Handshakes that are taken elsewhere, in a second. */
  readonly acceptPerSecond: number;
  readonly deadlineMs: number;
  /** True if nobody is here any more, and no handler runs. */
  isOver(): boolean;
}

/** When all connections have gone: how often to look whether handlers have finished, ms. */
const LOOK_MS = 50;

/** Moves the clients of a server away, spread over time, and says when they have gone. */
export class Draining {
  /** Resolves when the last connection has gone and the last handler has finished, or when there is no more time. */
  readonly over: Promise<void>;
  readonly #around: DrainingSurroundings;
  readonly #cancelDeadline: () => void;
  #cancelLook: () => void = () => undefined;
  #stage: 'going' | 'over' = 'going';
  #end: () => void = () => undefined;

  constructor(around: DrainingSurroundings) {
    this.#around = around;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#cancelDeadline = around.clock.setTimer(() => this.end(), around.deadlineMs);
  }

  /** Asks each to go, in its own time: half of it is left for those whose first attempt fails. */
  ask(connections: readonly { goAway(reason: string, afterMs: number): void }[]): void {
    const { random, acceptPerSecond, deadlineMs } = this.#around;
    const spreadMs = Math.min((SLACK * 1_000 * connections.length) / acceptPerSecond, deadlineMs / 2);
    for (const one of connections) one.goAway('drain', Math.floor(random.fraction() * spreadMs));
  }

  /**
   * The last connection has gone. A handler that still runs may finish: its message is handled once, then, and not
   * again by the server that has the session now.
   */
  look(): void {
    // A handler that never ends is not waited for when there is no more time.
    if (this.#stage === 'over') return;
    this.#cancelLook();
    if (this.#around.isOver()) return this.end();
    this.#cancelLook = this.#around.clock.setTimer(() => this.look(), LOOK_MS);
  }

  end(): void {
    this.#stage = 'over';
    this.#cancelDeadline();
    this.#cancelLook();
    this.#end();
  }
}
