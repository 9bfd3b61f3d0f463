import type { Note } from '../ports/store.js';

/**
 * Tells what happens to whoever listens, once it has happened: a step collects its notes and tells them at its end.
 * A listener may ask the store again: what that brings about is told after what is being told, to everybody in the
 * same order.
 */
export class Notes {
  readonly #listeners = new Set<{ readonly tell: (note: Note) => void }>();
  readonly #pending: Note[] = [];
  #telling = false;

  listen(tell: (note: Note) => void): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(note: Note): void {
    this.#pending.push(note);
  }

  tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let note = this.#pending.shift(); note; note = this.#pending.shift()) {
      // Whoever begins or ceases to listen meanwhile: a set that is walked through is right about both.
      for (const listener of this.#listeners) {
        try {
          listener.tell(note);
        } catch {
          // A note is a hint. The failure is the listener's own: it has a place to report it, the store has none.
        }
      }
    }
    this.#telling = false;
  }
}
