import type { MemberChange } from '@holdfast/protocol';
import type { Presence, There } from '../ports/store.js';

/**
 * Of so many users the members are told: a list of them, each with a state, is to fit a message, and each change goes to
 * everybody.
 */
export const MAX_SHOWN = 256;

interface Listed extends Presence {
  readonly there: There;
  /** When this server heard of it. */
  readonly heardAt: number;
}

/**
 * Who is there in a room, by user, and what they tell about themselves: the store's list, as its members are shown it.
 * Of several sessions of a user, what was told last counts. Whoever is there when there are too many is shown when
 * another one goes.
 */
export class RoomPresence {
  /** By session. */
  readonly #present = new Map<string, Listed>();
  /** Sessions by user; who was said to be there last stands last. */
  readonly #users = new Map<string, Set<string>>();
  /** How many sessions each server has there. */
  readonly #nodes = new Map<string, number>();
  /** Users whom the members are told of. */
  readonly #shown = new Set<string>();
  /** Users who are there as well; who has been for the longest time stands first. */
  readonly #hidden = new Set<string>();

  /** How many sessions are there. */
  get size(): number {
    return this.#present.size;
  }

  /** All that the members are told of. */
  get list(): readonly MemberChange[] {
    return [...this.#shown].map((userId) => this.#entry(userId));
  }

  get present(): Iterable<Presence> {
    return this.#present.values();
  }

  get(sid: string): Presence | undefined {
    return this.#present.get(sid);
  }

  /** How the list would tell of a user if this session were there, too; undefined: it would not. */
  with(sid: string, there: There): MemberChange | undefined {
    const isShown = this.#shown.has(there.userId) || this.#shown.size < MAX_SHOWN;
    return isShown && !this.#present.has(sid) ? this.#entry(there.userId, there) : undefined;
  }

  /** What the members have to be told if this is so now. */
  set(presence: Presence, heardAt: number): readonly MemberChange[] {
    const { sid, there } = presence;
    const known = this.#present.get(sid);
    const userId = (there ?? known?.there)?.userId;
    if (userId === undefined) return [];
    const before = this.#entry(userId);
    const sessions = this.#users.get(userId) ?? new Set<string>();
    sessions.delete(sid);
    if (known) this.#count(known.there.node, -1);
    this.#present.delete(sid);
    if (there) {
      this.#present.set(sid, { ...presence, there, heardAt });
      this.#count(there.node, 1);
      this.#users.set(userId, sessions.add(sid));
    }
    if (sessions.size === 0) return this.#gone(userId);
    const isNew = before[1] === 0;
    if (isNew) (this.#shown.size < MAX_SHOWN ? this.#shown : this.#hidden).add(userId);
    const [, count, json] = this.#entry(userId);
    return count === before[1] && json === before[2] ? [] : this.#told(userId);
  }

  /** As `set`, for the whole list. */
  replace(present: readonly Presence[], heardAt: number): readonly MemberChange[] {
    const staying = new Set(present.map(({ sid }) => sid));
    const changes = new Map<string, MemberChange>();
    const note = (told: readonly MemberChange[]): void => {
      for (const change of told) changes.set(change[0], change);
    };
    for (const presence of present) note(this.set(presence, heardAt));
    for (const { sid, gen, w } of [...this.#present.values()])
      if (!staying.has(sid)) note(this.set({ sid, gen, w }, heardAt));
    return [...changes.values()];
  }

  /** What servers other than these say, as far as it was heard before then. */
  ofOthers(living: ReadonlySet<string>, before: number): readonly Presence[] {
    if ([...this.#nodes.keys()].every((node) => living.has(node))) return [];
    return [...this.#present.values()].filter(
      ({ there, heardAt }) => heardAt < before && !living.has(there.node),
    );
  }

  #count(node: string, by: 1 | -1): void {
    const count = (this.#nodes.get(node) ?? 0) + by;
    if (count > 0) this.#nodes.set(node, count);
    else this.#nodes.delete(node);
  }

  #gone(userId: string): readonly MemberChange[] {
    this.#users.delete(userId);
    this.#hidden.delete(userId);
    if (!this.#shown.delete(userId)) return [];
    const [next] = this.#hidden;
    if (next === undefined) return [[userId, 0]];
    this.#hidden.delete(next);
    this.#shown.add(next);
    return [[userId, 0], this.#entry(next)];
  }

  #told(userId: string): readonly MemberChange[] {
    return this.#shown.has(userId) ? [this.#entry(userId)] : [];
  }

  #entry(userId: string, more?: There): MemberChange {
    const all = [...(this.#users.get(userId) ?? [])].map((sid) => this.#present.get(sid)?.there);
    if (more) all.push(more);
    let newest: There['state'];
    for (const one of all) {
      const state = one?.state;
      if (state?.json !== undefined && state.setAt >= (newest?.setAt ?? 0)) newest = state;
    }
    return newest?.json === undefined ? [userId, all.length] : [userId, all.length, newest.json];
  }
}
