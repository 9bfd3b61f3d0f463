import type { OutboxPlace } from '@holdfast/protocol';
import type { OpenOutbox, OutboxStore, StoredMessage } from '../ports/storage.js';

interface Kept {
  readonly userId: string;
  readonly message: StoredMessage;
  owner: object;
}

const keyOf = ([outbox, n]: OutboxPlace): string => `${n} ${outbox}`;

/** In the memory of this program: outlives a client, not the program. For tests, and as a model of the others. */
export class MemoryOutbox implements OutboxStore {
  readonly name = 'memory';
  readonly #messages = new Map<string, Kept>();
  readonly #owners = new Set<object>();

  async open(userId: string): Promise<OpenOutbox> {
    const owner = {};
    this.#owners.add(owner);
    return {
      adopt: async () => {
        const left = [...this.#messages.values()].filter(
          (kept) => kept.userId === userId && !this.#owners.has(kept.owner),
        );
        for (const kept of left) kept.owner = owner;
        return left.map(({ message }) => message);
      },
      put: async (messages) => {
        for (const message of messages) this.#messages.set(keyOf(message.place), { userId, message, owner });
      },
      remove: async (places) => {
        for (const place of places) this.#messages.delete(keyOf(place));
      },
      close: async () => {
        this.#owners.delete(owner);
      },
    };
  }

  /** As if the programs that have it open had ended without a word. */
  abandon(): void {
    this.#owners.clear();
  }

  /** All that lies here, in the order in which it came. */
  get messages(): readonly StoredMessage[] {
    return [...this.#messages.values()].map(({ message }) => message);
  }
}
