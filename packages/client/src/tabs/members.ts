import type { Clock } from '@holdfast/protocol';
import type { TabLocks } from '../ports/tabs.js';
import type { Hub, HubMember } from './hub.js';
import { type HubWord, lockOf, type TabWord } from './words.js';

/** So long after its last word somebody looks whether a tab is still there; as long as it is, nothing is sent for that. */
const LOOK_MS = 5_000;

export interface MembersSurroundings {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly locks: Pick<TabLocks, 'held'>;
}

interface Member {
  readonly at: HubMember;
  readonly gone: () => void;
  heardAt: number;
}

/** The other tabs of a hub. One that is gone cannot say so: the lock that it held is free. */
export class Members {
  readonly #around: MembersSurroundings;
  readonly #members = new Map<string, Member>();
  #cancelLook: (() => void) | undefined;

  constructor(around: MembersSurroundings) {
    this.#around = around;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** `gone`: nobody will say anything more. Returns what is told each word of it. */
  add(name: string, tell: (word: HubWord) => void, gone: () => void): (word: TabWord) => void {
    const { clock, hub } = this.#around;
    const member: Member = { at: hub.join(tell), gone, heardAt: clock.now() };
    this.#members.set(name, member);
    this.#cancelLook ??= clock.setTimer(() => void this.#look(), LOOK_MS);
    return (word) => {
      member.heardAt = clock.now();
      member.at.hear(word);
    };
  }

  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    for (const { gone } of this.#members.values()) gone();
    this.#members.clear();
  }

  async #look(): Promise<void> {
    const { clock, locks } = this.#around;
    const held = await locks.held().catch(() => undefined);
    if (this.#cancelLook === undefined) return;
    for (const [name, member] of this.#members) {
      const isSilent = clock.now() - member.heardAt >= LOOK_MS;
      if (!held || held.has(lockOf(name)) || !isSilent) continue;
      this.#members.delete(name);
      member.at.leave();
      member.gone();
    }
    this.#cancelLook = this.#members.size > 0 ? clock.setTimer(() => void this.#look(), LOOK_MS) : undefined;
  }
}
