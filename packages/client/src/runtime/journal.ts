import type { Connection, ConnectionEvent } from '../core/connection.js';
import type { Transition } from '../types.js';

const LONGEST = 100;

/** The last transitions of a connection, each with its cause. */
export class Journal {
  readonly #transitions: Transition[] = [];

  note(before: Connection, event: ConnectionEvent, after: Connection, at: number): void {
    if (before.status === after.status && before.dial === after.dial) return;
    const cause = event.type === 'failed' ? event.error.code : event.type;
    const transition = { at: Math.floor(at), from: before.status, to: after.status, cause };
    this.#transitions.push(Object.freeze(transition));
    if (this.#transitions.length > LONGEST) this.#transitions.shift();
  }

  get transitions(): readonly Transition[] {
    return [...this.#transitions];
  }
}
