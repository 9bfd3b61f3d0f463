import type { OutboxPlace } from '@holdfast/protocol';
import { ByAge } from '../by-age.js';

/** What a client's durable outbox has had accepted: its messages come in the order of their numbers. */
interface Mark {
  /** Highest number that was accepted. */
  readonly top: number;
  readonly at: number;
}

/** Of all users together; whoever is dropped before its time is told of it by a shorter window. */
const MAX_OUTBOXES = 100_000;

/**
 * How far each durable outbox of a user has come, beyond its sessions: a message that was accepted in one of them is not
 * accepted again in another. Kept for a window that the client is told, and counts with.
 */
export class OutboxMarks {
  readonly #windowMs: number;
  readonly #max: number;
  /** By user and outbox; the longest unused first. */
  readonly #marks = new ByAge<string, Mark>();
  /** When the newest of those was used that had to go before their time. */
  #forgottenUpTo = -Infinity;

  constructor(windowMs: number, max = MAX_OUTBOXES) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  /** How far back it is known what was accepted; ms. */
  window(now: number): number {
    return Math.max(0, Math.min(this.#windowMs, now - this.#forgottenUpTo));
  }

  /** True if this number, or a later one, was accepted. */
  has(userId: string, [outbox, n]: OutboxPlace): boolean {
    return n <= (this.#marks.get(keyOf(userId, outbox))?.top ?? 0);
  }

  /** It is accepted now. */
  note(userId: string, [outbox, n]: OutboxPlace, now: number): void {
    this.#marks.set(keyOf(userId, outbox), { top: n, at: now });
    this.#trim(now);
  }

  #trim(now: number): void {
    for (let { oldest } = this.#marks; oldest; oldest = this.#marks.oldest) {
      const { at } = oldest.value;
      const isOld = at < now - this.#windowMs;
      if (!isOld && this.#marks.size <= this.#max) return;
      if (!isOld) this.#forgottenUpTo = at;
      this.#marks.delete(oldest.key);
    }
  }
}

const keyOf = (userId: string, outbox: string): string => JSON.stringify([userId, outbox]);
