import type { OutboxPlace, Random } from '@holdfast/protocol';

/**
 * The places of this life's messages. The server takes those of one outbox in the order of their numbers only, so what
 * cannot go holds back the rest of its outbox: there is one for the server and one for each room, as only what is said
 * in a room has to wait for it.
 */
export class Places {
  readonly #random: Random;
  /** By room; names each outbox, and tells how many have a place there. */
  readonly #outboxes = new Map<string | undefined, OutboxPlace>();

  constructor(random: Random) {
    this.#random = random;
  }

  next(room: string | undefined): OutboxPlace {
    const [outbox, count] = this.#outboxes.get(room) ?? [this.#random.id(), 0];
    const place: OutboxPlace = [outbox, count + 1];
    this.#outboxes.set(room, place);
    return place;
  }

  /** What is said from here on may come to the server before what is behind. */
  beginAnew(): void {
    this.#outboxes.clear();
  }
}
