import { Alarm, type Clock, type MemberChange } from '@holdfast/protocol';

/** In so many frames a second the members of one room are told of changes, all of them together. */
const FRAMES_PER_SECOND = 10_000;
/** But no change waits longer than this, ms. */
const MAX_WAIT_MS = 1_000;

export interface MemberChangesSurroundings {
  readonly clock: Clock;
  /** How many have to be told. */
  members(): number;
  /** By user, who has changed last stands last. */
  tell(changes: ReadonlyMap<string, MemberChange>): void;
}

/**
 * What has changed among those who are there in a room, and was not told yet: of each user the last word. A change after a
 * quiet time is told at the end of its task. Those that follow wait for each other, the longer the more have to be told: when
 * a thousand leave, each in a task of its own, the others are not told a thousand times.
 */
export class MemberChanges {
  readonly #around: MemberChangesSurroundings;
  readonly #alarm: Alarm;
  #changes = new Map<string, MemberChange>();
  #notBefore = 0;
  /** `asked`: for the next microtask, before what else this task has for its clients is written. */
  #stage: 'open' | 'asked' | 'over' = 'open';

  constructor(around: MemberChangesSurroundings) {
    this.#around = around;
    this.#alarm = new Alarm(around.clock, () => this.tell());
  }

  add(changes: readonly MemberChange[]): void {
    if (this.#stage === 'over') return;
    for (const change of changes) {
      const [userId] = change;
      this.#changes.delete(userId);
      this.#changes.set(userId, change);
    }
    const { clock } = this.#around;
    if (clock.now() < this.#notBefore) return this.#alarm.set(this.#notBefore);
    if (this.#stage === 'asked') return;
    this.#stage = 'asked';
    clock.defer(() => this.#atEnd());
  }

  #atEnd(): void {
    if (this.#stage !== 'asked') return;
    this.#stage = 'open';
    // What was told early puts off what came after it.
    if (this.#around.clock.now() < this.#notBefore && this.#changes.size > 0)
      this.#alarm.set(this.#notBefore);
    else this.tell();
  }

  /** Tells what there is: something is about to be told that comes after it. */
  tell(): void {
    if (this.#changes.size === 0) return;
    const changes = this.#changes;
    this.#changes = new Map();
    this.#alarm.set(Infinity);
    const { clock, members, tell } = this.#around;
    // Whole ms: in a small room nobody waits.
    const waitMs = Math.floor((members() * 1_000) / FRAMES_PER_SECOND);
    this.#notBefore = clock.now() + Math.min(waitMs, MAX_WAIT_MS);
    tell(changes);
  }

  /** Nobody is to be told any more. */
  stop(): void {
    this.#stage = 'over';
    this.#changes.clear();
    this.#alarm.set(Infinity);
  }
}
