import { MemoryOutbox, type OpenOutbox } from '@holdfast/client/storage';
import type { Ground, Life } from './ground.js';

type Change = (right: OpenOutbox, userId: string, store: MemoryOutbox) => OpenOutbox;

/** Programs in this one. `change`: to make its outboxes wrong. */
export class MemoryGround implements Ground {
  readonly #places = new Map<string, MemoryOutbox>();
  readonly #change: Change;

  constructor(change: Change = (right) => right) {
    this.#change = change;
  }

  async begin(): Promise<Life> {
    const opened: OpenOutbox[] = [];
    return {
      open: async (place, userId) => {
        const store = this.#places.get(place) ?? new MemoryOutbox();
        this.#places.set(place, store);
        const outbox = this.#change(await store.open(userId), userId, store);
        opened.push(outbox);
        return outbox;
      },
      // Its close() writes nothing: all that it does is what the end of a program would do.
      crash: async () => {
        for (const outbox of opened) await outbox.close();
      },
    };
  }
}
