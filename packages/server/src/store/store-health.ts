import { Alarm, type Clock } from '@holdfast/protocol';
import type { Observed } from '../observe/observer.js';
import type { Answer, SessionStore } from '../ports/store.js';

/** What a store is asked, or `notes`: that they come and go. Bounded. */
export type StoreOperation =
  | Exclude<keyof SessionStore, 'durability' | 'leaseMs' | 'heldBytes' | 'listen'>
  | 'notes';

/** An answer that takes so long is slow: whoever waits for an acknowledgement feels it. */
const SLOW_MS = 1_000;
/** It is well again when it has been for so long: longer than the longest pause before it is asked again. */
const WELL_MS = 3_000;
/** While it is not well: how often to look. */
const LOOK_MS = 1_000;

export interface StoreHealthSurroundings {
  readonly clock: Clock;
  readonly observe: Pick<Observed, 'storeAsked' | 'storeChanged'>;
  /** It has begun to fail. Told once, until it is well again. */
  failed(error: unknown): void;
  /** Asks it something that changes nothing. */
  probe(): Answer<unknown>;
}

interface Asked {
  readonly operation: StoreOperation;
  readonly begun: number;
  /** As `begun`, or when this process has woken up since. */
  since: number;
}

type State =
  | { readonly name: 'well' }
  | { readonly name: 'degraded'; readonly reason: 'failing' | 'slow'; readonly since: number };

/**
 * Whether the store does what it is asked, and in time. One that answers at once, in memory, is well. It looks as long as
 * something is asked that is not answered, or something was wrong a moment ago.
 */
export class StoreHealth {
  readonly #around: StoreHealthSurroundings;
  /** Without an answer, the oldest first. */
  readonly #asked = new Set<Asked>();
  readonly #alarm: Alarm;
  #dueAt = Infinity;
  #state: State = { name: 'well' };
  #troubleAt = 0;
  #answeredAt = 0;
  /** When this process was last found to have been asleep. */
  #awakeAt = -Infinity;
  #stage: 'open' | 'stopped' = 'open';

  constructor(around: StoreHealthSurroundings) {
    this.#around = around;
    this.#alarm = new Alarm(around.clock, () => this.#ring());
  }

  get degraded(): boolean {
    return this.#state.name === 'degraded';
  }

  /** What comes of it is what came of `answer`. */
  async watch<T>(operation: StoreOperation, answer: PromiseLike<T>): Promise<T> {
    const now = this.#around.clock.now();
    const asked = { operation, begun: now, since: now };
    this.#asked.add(asked);
    this.#arm(now + SLOW_MS);
    try {
      const value = await answer;
      this.#over(asked, 'answered');
      return value;
    } catch (error) {
      this.#over(asked, 'failed', error);
      throw error;
    }
  }

  /** Notes do not come and go until then, whatever the store says. */
  away(error: unknown, back: Promise<void>): void {
    this.#trouble('failing', 'notes', error);
    void this.watch('notes', back);
  }

  /** Somebody wants to know, and nobody may have asked it for long. */
  look(): void {
    const { clock } = this.#around;
    if (this.#asked.size === 0 && clock.now() - this.#answeredAt >= LOOK_MS) this.#probe();
  }

  stop(): void {
    this.#stage = 'stopped';
    this.#alarm.set(Infinity);
  }

  #over(asked: Asked, outcome: 'answered' | 'failed', error?: unknown): void {
    this.#asked.delete(asked);
    const { operation, begun, since } = asked;
    const now = this.#around.clock.now();
    this.#around.observe.storeAsked({ operation, ms: now - begun, outcome });
    if (outcome === 'failed') {
      // Whose time ran out while this process was asleep may have been answered, and so did the connection's own time.
      if (since === begun && now - this.#awakeAt >= SLOW_MS) this.#trouble('failing', operation, error);
      return;
    }
    this.#answeredAt = now;
    if (now - since >= SLOW_MS) this.#trouble('slow', operation);
  }

  #trouble(reason: 'failing' | 'slow', operation: StoreOperation, error?: unknown): void {
    if (this.#stage === 'stopped') return;
    const now = this.#around.clock.now();
    this.#troubleAt = now;
    const before = this.#state;
    const isWorse = before.name === 'well' || (before.reason === 'slow' && reason === 'failing');
    if (isWorse) {
      this.#state = { name: 'degraded', reason, since: before.name === 'well' ? now : before.since };
      if (before.name === 'well') this.#around.observe.storeChanged({ state: 'degraded', reason, operation });
      if (reason === 'failing') this.#around.failed(error);
    }
    this.#arm(now + LOOK_MS);
  }

  #arm(at: number): void {
    if (this.#stage === 'stopped' || this.#dueAt <= at) return;
    this.#dueAt = at;
    this.#alarm.set(at);
  }

  #ring(): void {
    const now = this.#around.clock.now();
    // It is this process that was asleep, or busy: what has been answered meanwhile is about to be read.
    const wasAsleep = now - this.#dueAt >= SLOW_MS;
    this.#dueAt = Infinity;
    if (wasAsleep) {
      this.#awakeAt = now;
      for (const asked of this.#asked) asked.since = now;
    }
    const [oldest] = this.#asked;
    if (oldest && now - oldest.since >= SLOW_MS) this.#trouble('slow', oldest.operation);
    else if (this.#state.name === 'degraded') this.#convalesce(this.#state.since, now);
    else if (oldest) this.#arm(oldest.since + SLOW_MS);
  }

  #convalesce(since: number, now: number): void {
    if (now - this.#troubleAt >= WELL_MS && this.#answeredAt > this.#troubleAt) {
      this.#state = { name: 'well' };
      this.#around.observe.storeChanged({ state: 'well', ms: now - since });
      const [oldest] = this.#asked;
      if (oldest) this.#arm(oldest.since + SLOW_MS);
      return;
    }
    // Those who ask again make their pauses, and there may be nobody.
    if (this.#asked.size === 0) this.#probe();
    this.#arm(now + LOOK_MS);
  }

  #probe(): void {
    const answer = this.#around.probe();
    // What comes of it, we have heard.
    if (answer instanceof Promise) answer.catch(() => undefined);
  }
}
