import type { MemberChange } from '@holdfast/protocol';
import type { PresenceState } from '../ports/store.js';
import type { User } from '../types.js';

/**
 * Of so many users the members are told: a list of them, each with a state, is to fit a message, and each change goes to
 * everybody.
 */
export const MAX_SHOWN = 256;

/**
 * Who is there in a room, by user, and what they tell about themselves. Of several sessions of a user, what was told
 * last counts. Whoever is there when there are too many is shown when another one goes.
 */
export class RoomPresence<M extends { readonly user: User }> {
  /** By user. Who has told something last stands last. */
  readonly #there = new Map<string, Set<M>>();
  /** Of members, there or not. */
  readonly #states = new Map<M, PresenceState>();
  /** Users whom the members are told of. */
  readonly #shown = new Set<string>();
  /** Users who are there as well; who has been for the longest time stands first. */
  readonly #hidden = new Set<string>();

  /** All that the members are told of. */
  get list(): readonly MemberChange[] {
    return [...this.#shown].map((userId) => this.#entry(userId));
  }

  /** What the members have to be told if a session is there now, or is not. */
  setThere(session: M, isThere: boolean): readonly MemberChange[] {
    const { id } = session.user;
    const sessions = this.#there.get(id) ?? new Set<M>();
    if (sessions.has(session) === isThere) return [];
    if (!isThere) {
      sessions.delete(session);
      return sessions.size > 0 ? this.#told(id) : this.#gone(id);
    }
    this.#there.set(id, sessions.add(session));
    if (sessions.size === 1) (this.#shown.size < MAX_SHOWN ? this.#shown : this.#hidden).add(id);
    return this.#told(id);
  }

  /** What the members have to be told if a session tells this about itself. */
  setState(session: M, state: PresenceState | undefined): readonly MemberChange[] {
    const { id } = session.user;
    const [, , before] = this.#entry(id);
    if (state?.json === undefined) this.#states.delete(session);
    else this.#states.set(session, state);
    const sessions = this.#there.get(id);
    if (sessions?.delete(session)) sessions.add(session);
    const [, , now] = this.#entry(id);
    return now === before ? [] : this.#told(id);
  }

  /** As the store says, which may not have heard yet of what this server has. */
  restoreState(session: M, state: PresenceState | undefined): readonly MemberChange[] {
    if (!state || state.setAt < (this.#states.get(session)?.setAt ?? 0)) return [];
    return this.setState(session, state);
  }

  stateOf(session: M): PresenceState | undefined {
    return this.#states.get(session);
  }

  /** A session is no member any more. */
  remove(session: M): readonly MemberChange[] {
    this.#states.delete(session);
    return this.setThere(session, false);
  }

  #gone(userId: string): readonly MemberChange[] {
    this.#there.delete(userId);
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

  #entry(userId: string): MemberChange {
    const sessions = this.#there.get(userId) ?? new Set<M>();
    let newest: PresenceState | undefined;
    for (const session of sessions) {
      const state = this.#states.get(session);
      if (state && state.setAt >= (newest?.setAt ?? 0)) newest = state;
    }
    return newest?.json === undefined ? [userId, sessions.size] : [userId, sessions.size, newest.json];
  }
}
