import type { Attendance, Presence, Present, PresentNote } from '../ports/store.js';

/** So many sessions are listed as there in a room: the list is read as a whole. Whoever comes then waits for a place. */
export const MAX_PRESENT = 1_024;

/** A change of a room's list. */
export type Attending = Pick<PresentNote, 'before' | 'version' | 'presence'>;

/** Who is there in a room, of its members. */
export class AttendanceList {
  #version = 0;
  /** Who was said to be there last stands last. */
  readonly #present = new Map<string, Presence>();

  get now(): Attendance {
    return { version: this.#version, present: [...this.#present.values()] };
  }

  /** `tell` is given the change, if it is one. */
  say(presence: Presence, now: number, tell: (change: Attending) => void): Present {
    const { sid, there } = presence;
    const known = this.#present.get(sid);
    const isFull = !known && this.#present.size >= MAX_PRESENT;
    if (there && isFull) return { status: 'full' };
    if (there ? known && !isLater(presence, known) : !known || isLater(known, presence))
      return { status: 'ok' };
    this.#present.delete(sid);
    if (there) this.#present.set(sid, presence);
    tell(this.#changed(presence, now));
    return { status: 'ok' };
  }

  /** No member any more. */
  leave(sid: string, now: number, tell: (change: Attending) => void): void {
    const known = this.#present.get(sid);
    if (!known) return;
    this.#present.delete(sid);
    const { gen, w } = known;
    tell(this.#changed({ sid, gen, w }, now));
  }

  /** By the clock: a room that is made anew does not come back to versions that it had. */
  #changed(presence: Presence, now: number): Attending {
    const before = this.#version;
    this.#version = Math.max(before + 1, Math.floor(now));
    return { before, version: this.#version, presence };
  }
}

function isLater(one: Presence, other: Presence): boolean {
  return one.gen === other.gen ? one.w > other.w : one.gen > other.gen;
}
