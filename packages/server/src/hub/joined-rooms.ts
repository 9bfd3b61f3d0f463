import { prefixOf } from '@holdfast/protocol';
import { dropOldest } from '../drop-oldest.js';
import type { Membership, PresenceState, RoomPosition } from '../ports/store.js';

/** Earlier sessions of a client that are known: it names 32 for a room, the same ones for each, as a rule. */
const MAX_KNOWN_REPLACED = 256;

const NOTHING: ReadonlySet<string> = new Set();
const NOWHERE: ReadonlyMap<string, RoomPosition> = new Map();

/** The rooms of a session: all of them by their whole names, and those of each scope as that calls them. */
export class JoinedRooms {
  #all: Set<string> | undefined;
  #positions: Map<string, RoomPosition> | undefined;
  #replaced: Set<string> | undefined;
  #states: Map<string, PresenceState> | undefined;
  /** Namespaces of which it has been told that it is out: an answer of the store that comes late may say that it is in. */
  #out: Set<string> | undefined;
  /** Of the scopes that have asked. */
  #byPrefix: Map<string, Set<string>> | undefined;

  /** Their whole names. */
  get all(): ReadonlySet<string> {
    return this.#all ?? NOTHING;
  }

  /** Where the session stood in each when it joined. */
  get positions(): ReadonlyMap<string, RoomPosition> {
    return this.#positions ?? NOWHERE;
  }

  /** Earlier sessions of its client: what they published is not for it. */
  get replaced(): ReadonlySet<string> {
    return this.#replaced ?? NOTHING;
  }

  /** Goes on saying what is so. Without the room of a namespace itself. */
  in(prefix: string): ReadonlySet<string> {
    const known = this.#byPrefix?.get(prefix);
    if (known) return known;
    const names = [...this.all].filter((name) => prefixOf(name) === prefix && name !== prefix);
    const made = new Set(names.map((name) => name.slice(prefix.length)));
    this.#byPrefix ??= new Map();
    this.#byPrefix.set(prefix, made);
    return made;
  }

  /** Whether it has to be told that it is out of this namespace: once, until it is told that it is in again. */
  tellsOut(home: string): boolean {
    if (this.#out?.has(home)) return false;
    this.#out ??= new Set();
    this.#out.add(home);
    return true;
  }

  tellsIn(home: string): void {
    this.#out?.delete(home);
  }

  /** What the session tells a room about itself. */
  stateIn(name: string): PresenceState | undefined {
    return this.#states?.get(name);
  }

  /** When it tells the room something else: the clock of the server where it told the last may be ahead of this one's. */
  tellsAt(name: string, now: number): number {
    return Math.max(now, this.stateIn(name)?.setAt ?? 0);
  }

  /** It tells it this. Of what comes late, the newest counts. */
  tells(name: string, state: PresenceState): void {
    if (state.setAt < (this.stateIn(name)?.setAt ?? 0)) return;
    this.#states ??= new Map();
    this.#states.set(name, state);
  }

  /** The store may not have heard yet of what this server has. */
  add(name: string, { position, replaced, presence }: Membership): void {
    this.#all ??= new Set();
    this.#all.add(name);
    this.#positions ??= new Map();
    this.#positions.set(name, position);
    if (replaced.length > 0) this.#replaces(replaced);
    if (presence) this.tells(name, presence);
    const prefix = prefixOf(name);
    if (name !== prefix) this.#byPrefix?.get(prefix)?.add(name.slice(prefix.length));
  }

  delete(name: string): void {
    this.#all?.delete(name);
    this.#positions?.delete(name);
    this.#states?.delete(name);
    const prefix = prefixOf(name);
    this.#byPrefix?.get(prefix)?.delete(name.slice(prefix.length));
  }

  #replaces(sids: readonly string[]): void {
    this.#replaced ??= new Set();
    for (const id of sids) this.#replaced.add(id);
    dropOldest(this.#replaced, MAX_KNOWN_REPLACED);
  }
}
