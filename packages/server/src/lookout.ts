import type { Clock } from '@holdfast/protocol';
import { after } from './answer.js';
import type { Answer, FoundSession, SessionStore } from './ports/store.js';
import type { Session } from './session.js';

/** So many sessions are asked about in one go. */
const BATCH = 500;

export interface LookoutSurroundings {
  readonly clock: Clock;
  readonly store: SessionStore;
  /** The sessions of this server that live, as far as it knows. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** The store does not have it, and nobody has said how it ended. */
  gone(session: Session): void;
  /** It is not in this room any more. */
  left(session: Session, room: string): void;
  failed(error: unknown): void;
}

/**
 * Looks after the sessions that have no connection here. What becomes of them elsewhere is told by notes, which may be
 * missing; a connection would ask by itself. The store is asked about each once in its time to live, not more often.
 */
export class Lookout {
  readonly #around: LookoutSurroundings;
  /** When something was known of a session last, or when it was first seen without a connection. */
  #knownAt = new Map<Session, number>();
  /** The store did not have it when it was asked last: the note of its end may be on its way. */
  readonly #missing = new Set<Session>();
  #state: 'idle' | 'asking' = 'idle';

  constructor(around: LookoutSurroundings) {
    this.#around = around;
  }

  /** Asks about those of whom nothing has been known for so long, and again about those that were missing. */
  look(idleMs: number): void {
    const due = this.#due(idleMs);
    if (this.#state === 'asking' || due.length === 0) return;
    this.#state = 'asking';
    const over = (): void => {
      this.#state = 'idle';
    };
    const asked = after(this.#ask(due), over);
    if (asked instanceof Promise) asked.catch(this.#around.failed).finally(over);
  }

  #due(idleMs: number): Session[] {
    const now = this.#around.clock.now();
    const known = new Map<Session, number>();
    for (const session of this.#around.sessions.values()) {
      if (!session.attachment) known.set(session, this.#knownAt.get(session) ?? now);
    }
    this.#knownAt = known;
    for (const session of this.#missing) if (!known.has(session)) this.#missing.delete(session);
    return [...known.keys()].filter(
      (session) => this.#missing.has(session) || now - (known.get(session) ?? now) >= idleMs,
    );
  }

  #ask(due: readonly Session[]): Answer<void> {
    const batch = due.slice(0, BATCH);
    if (batch.length === 0) return;
    const gens = new Map(batch.map((session) => [session, session.gen]));
    return after(this.#around.store.find({ sids: batch.map(({ id }) => id) }), (found) => {
      const there = new Map(found.map((one) => [one.sid, one]));
      for (const [session, gen] of gens) {
        // Somebody has come to it meanwhile, or it has ended.
        const isAsItWas = this.#around.sessions.get(session.id) === session && session.gen === gen;
        if (isAsItWas && !session.attachment) this.#told(session, there.get(session.id));
        else this.#missing.delete(session);
      }
      return this.#ask(due.slice(BATCH));
    });
  }

  #told(session: Session, found: FoundSession | undefined): void {
    if (found) {
      this.#missing.delete(session);
      this.#knownAt.set(session, this.#around.clock.now());
      // While something of its own runs here, a join may be under way.
      if (session.busy) return;
      for (const room of [...session.rooms])
        if (!found.rooms.includes(room)) this.#around.left(session, room);
    } else if (this.#missing.delete(session)) this.#around.gone(session);
    else this.#missing.add(session);
  }
}
