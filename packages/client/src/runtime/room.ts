import {
  type ContractVersions,
  type EventMeta,
  type GapItem,
  type JoinReply,
  type JoinRequest,
  Listeners,
  MEMBER,
  MEMBERS,
  type Member,
  type PublicationItem,
  parseMember,
  parseMembers,
  prefixOf,
  type RoomSync,
  Type,
  type VolatileItem,
} from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';
import type { Gap, JoinState } from '../types.js';
import { eventMeta } from './event-meta.js';

/** What a room needs of its client. */
export interface RoomSurroundings {
  status(): Connection['status'];
  /** Our latest sessions: what they have published, or may still publish, is not for us. */
  replaced(): readonly string[];
  /** Runs `run` in the next task. */
  nextTask(run: () => void): void;
  /** Tells the application, after all that is being told already. */
  tell(run: () => void): void;
  /** A listener of the application threw. */
  failed(error: unknown, name: string): void;
  gap(gap: Gap): void;
  /** Whether what was published in several rooms has not been heard in another one. */
  isNew(word: string): boolean;
  /** A publication for the application, in order and not seen before. */
  deliver(room: Room, name: string, payload: unknown, meta: EventMeta): void;
}

type Lane = PublicationItem | VolatileItem | GapItem;

/**
 * One room as this client knows it: whether it wants to be in, where it stands in the room's log, and who is there.
 * The wish outlives connections and sessions; the position decides what is new.
 */
export class Room {
  readonly name: string;
  readonly listeners: Listeners;
  /** As its namespace calls it; undefined for the namespace itself. */
  readonly #localName: string | undefined;
  /** Of the contract, if it is a namespace with one. */
  versions: ContractVersions | undefined;
  readonly #around: RoomSurroundings;
  #state: JoinState = { status: 'idle' };
  /** Whose wish it is that we are in. */
  #wish: 'ours' | 'server' = 'ours';
  /** What we tell the others about ourselves; goes with the next join, too. */
  presence: { readonly value: unknown } | undefined;
  #members: readonly Member[] = Object.freeze([]);
  /** Where we stand in the log; undefined before the first join and after leaving. */
  #position: { readonly epoch: string; readonly offset: number } | undefined;
  /** The server's number for this room on this connection; undefined while it does not flow. */
  #number: number | undefined;
  /** What came in the task in which the join was answered: told in the next one, to whoever listens by then. */
  #held: Lane[] | undefined;

  constructor(name: string, around: RoomSurroundings) {
    this.name = name;
    this.#localName = name.slice(prefixOf(name).length) || undefined;
    this.#around = around;
    this.listeners = new Listeners((error, event) => around.failed(error, event));
  }

  get state(): JoinState {
    return this.#state;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get number(): number | undefined {
    return this.#number;
  }

  /** True from `join()` to `leave()` or a refusal, whatever the connection does. */
  get wanted(): boolean {
    return this.#state.status === 'joining' || this.#state.status === 'joined';
  }

  /** Where we stand, for a server that goes on with our session; undefined while we are not in. */
  get position(): RoomSync | undefined {
    if (this.#state.status !== 'joined' || !this.#position) return undefined;
    return [this.name, this.#position.epoch, this.#position.offset];
  }

  /** Why this cannot be done; undefined if it can. */
  notJoined(call: string): string | undefined {
    if (this.wanted) return undefined;
    return `${call} to '${this.name}', which is ${this.#state.status}: call join() first`;
  }

  /** What to ask the server, from where we stand. */
  get joinRequest(): JoinRequest {
    const { name: room, versions: cv } = this;
    const presence = this.presence?.value;
    const replaced = this.#around.replaced();
    return replaced.length > 0 || this.#position
      ? { room, ...this.#position, replaced, presence, cv }
      : { room, presence, cv };
  }

  /** The application wants in. */
  want(): void {
    this.#wish = 'ours';
    if (!this.wanted) this.#enter({ status: 'joining' });
  }

  /** The server has let us in; `sync` follows in the same frame. */
  joined({ members = [], epoch, offset }: JoinReply): void {
    if (!this.wanted) return;
    // Until SYNC says otherwise; a connection that breaks before it is to find us here.
    this.#position ??= { epoch, offset };
    this.#setMembers(parseMembers(members));
    this.#held = [];
    this.#around.nextTask(() => this.#release());
    this.#enter({ status: 'joined' });
  }

  refused(state: JoinState): void {
    if (this.wanted) this.#out(state);
  }

  left(): void {
    this.#out({ status: 'left' });
  }

  /** The server says from where the room flows on this connection, or, without a number, that we are out. */
  sync([, epoch, offset, number]: RoomSync, leaving: boolean): void {
    const { status } = this.#state;
    // What we have asked for is answered first; and what comes of a join before we left is no wish of the server.
    if (status === 'joining' || (status !== 'joined' && leaving)) return;
    if (!number) {
      if (status === 'joined') this.left();
      return;
    }
    this.#position = { epoch, offset };
    this.#number = number;
    if (status === 'joined') return;
    this.#wish = 'server';
    this.#enter({ status: 'joined' });
  }

  /** The connection or its session is gone; the wish stays. */
  detached(sessionId: string | undefined): void {
    this.#number = undefined;
    this.#release();
    if (sessionId === undefined || this.#state.status !== 'joined') return;
    if (this.#wish === 'server') this.left();
    else this.#enter({ status: 'joining' });
  }

  /** The next thing said in the room, whether in its log or not. Before we are in, it is dropped. */
  take(item: Lane): void {
    if (this.#held) this.#held.push(item);
    else this.#apply(item);
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const item of held ?? []) this.#apply(item);
  }

  #apply(item: Lane): void {
    if (!this.#position) return;
    if (item[0] === Type.GAP) return this.#skip(item);
    if (item[0] === Type.VOL) return this.#hear(item);
    const [, , offset, name, payload, meta] = item;
    // Not in the log: who joins is told the members as they are, and then each change.
    if (name === MEMBER) return this.#memberChanged(parseMember(payload));
    if (name === MEMBERS) return this.#setMembers(parseMembers(payload));
    if (offset <= this.#position.offset) return;
    this.#position = { epoch: this.#position.epoch, offset };
    if (meta?.m && !this.#around.isNew(meta.m)) return;
    this.#around.deliver(this, name, meta?.u ? undefined : payload, eventMeta(meta, offset, this.#localName));
  }

  /** Said in the room, without a place in its log. */
  #hear([, name, payload, meta]: VolatileItem): void {
    if (this.#state.status !== 'joined') return;
    this.#around.deliver(this, name, meta?.u ? undefined : payload, eventMeta(meta, 0, this.#localName));
  }

  #skip([, from, to, reason]: GapItem): void {
    if (!this.#position) return;
    const offset = Math.max(this.#position.offset, to);
    this.#position = { epoch: this.#position.epoch, offset };
    this.#around.gap({ messages: Math.max(0, to - from + 1), reason, room: this.name });
  }

  #memberChanged(changed: Member): void {
    const others = this.#members.filter(({ userId }) => userId !== changed.userId);
    this.#setMembers(changed.sessions > 0 ? [...others, changed] : others);
  }

  #setMembers(members: Member[]): void {
    this.#members = Object.freeze(members);
    const told = this.#members;
    this.#around.tell(() => this.listeners.emit('$members', told));
  }

  #enter(state: JoinState): void {
    this.#state = Object.freeze(state);
    const told = this.#state;
    this.#around.tell(() => this.listeners.emit('$state', told));
  }

  #out(state: JoinState): void {
    this.#position = undefined;
    this.#number = undefined;
    this.#held = undefined;
    this.presence = undefined;
    if (this.#members.length > 0) this.#setMembers([]);
    this.#enter(state);
  }
}
