import { Alarm, type Clock } from '@holdfast/protocol';
import { after, unawaited } from '../answer.js';
import type { Answer, SessionStore } from '../ports/store.js';

/** In a lease. Who has missed three was silent for it, whatever else takes its time. */
const BEATS = 4;

export interface PulseSurroundings {
  readonly clock: Clock;
  readonly store: Pick<SessionStore, 'beat' | 'leaseMs'>;
  readonly node: string;
  /** Whether others have to know that this server lives. */
  needed(): boolean;
  /** These servers live; who had been heard of before `since`, and is not among them, does not. */
  heard(living: ReadonlySet<string>, since: number): void;
  /** This server has been silent for so long that others may have taken it for dead. */
  overslept(): void;
  failed(error: unknown): void;
}

/** Tells the servers that share a store of each other's lives, as long as it matters to this one. */
export class Pulse {
  readonly #around: PulseSurroundings;
  readonly #alarm: Alarm;
  #stage: 'off' | 'beating' | 'stopped' = 'off';
  /** Until the first beat is answered. */
  #starting: Promise<void> | undefined;
  /** When the last one that was answered was sent. */
  #sentAt = -Infinity;

  constructor(around: PulseSurroundings) {
    this.#around = around;
    this.#alarm = new Alarm(around.clock, () => this.#ring());
  }

  /** What a server says of its sessions counts only while it lives: so before anything else it says that it does. */
  ready(): Answer<void> {
    if (this.#starting) return this.#starting;
    if (this.#stage !== 'off') return;
    this.#stage = 'beating';
    const begun = this.#beat();
    if (!(begun instanceof Promise)) return;
    this.#starting = begun.finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  stop(): void {
    this.#stage = 'stopped';
    this.#alarm.set(Infinity);
  }

  #ring(): void {
    if (!this.#around.needed()) {
      this.#stage = 'off';
      return;
    }
    unawaited(this.#beat(), this.#around);
  }

  #beat(): Answer<void> {
    const { clock, store, node } = this.#around;
    const sentAt = clock.now();
    return after(store.beat({ node }), ({ living }) => {
      if (this.#stage !== 'beating') return;
      const silentMs = clock.now() - this.#sentAt;
      const isFirst = this.#sentAt === -Infinity;
      this.#sentAt = sentAt;
      this.#alarm.set(clock.now() + store.leaseMs / BEATS);
      // While the store could not be reached from here, others may not have reached it either.
      if (silentMs <= store.leaseMs / 2) this.#around.heard(new Set(living), sentAt);
      else if (silentMs >= store.leaseMs && !isFirst) this.#around.overslept();
    });
  }
}
