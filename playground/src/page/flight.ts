import type { OutboxState, Sending } from '@holdfast/client';

/**
 * Tells which sends are on the wire. The client says how many still wait, not which; since it writes them in the
 * order in which they were given to it, those that wait are the last ones.
 */
export class Flight {
  readonly #unsettled = new Set<string>();

  add(sending: Sending): void {
    this.#unsettled.add(sending.id);
    const settled = () => void this.#unsettled.delete(sending.id);
    sending.then(settled, settled);
  }

  /** Ids of what has been written and not yet settled. */
  written(outbox: OutboxState): readonly string[] {
    const ids = [...this.#unsettled];
    return ids.slice(0, Math.max(0, ids.length - outbox.messages));
  }
}
