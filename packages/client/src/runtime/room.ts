import {
  type ContractVersions,
  type Deferred,
  type GapItem,
  type JoinRequest,
  Listeners,
  MEMBER,
  MEMBERS,
  type Member,
  type PublicationItem,
  type parseJoinReply,
  parseMember,
  parseMembers,
  prefixOf,
  type RoomSync,
  Type,
  type VolatileItem,
  type WireMeta,
} from '@holdfast/protocol';
import type { Connection } from '../core/connection.js';
import type { JoinState } from '../types.js';
import type { Dispatcher } from './dispatcher.js';
import { eventMeta } from './event-meta.js';

/** What a room needs of its client. */
export interface RoomSurroundings {
  readonly dispatcher: Pick<Dispatcher, 'deliver' | 'failed' | 'gap'>;
  /** The rooms that flow on this connection, by the server's numbers for them. */
  readonly flowing: Map<number, Room>;
  status(): Connection['status'];
  /** Runs `run` in the next task. */
  nextTask(run: () => void): void;
  /** Tells the application, after all that is being told already. */
  tell(run: () => void): void;
  /** Whether what was published in several rooms has not been heard in another one. */
  isNew(word: string): boolean;
}

/** What a session tells the others about itself. */
export interface Told {
  readonly value: unknown;
  /** How many messages of the client there were before. */
  readonly said: number;
  /** What counts if this one is refused. */
  presence: Told | undefined;
}

export type JoinReply = ReturnType<typeof parseJoinReply>;
type Lane = PublicationItem | VolatileItem | GapItem;

/**
 * One room as this client knows it: whether it wants to be in, where it stands in the room's log, and who is there.
 * The wish outlives connections and sessions; the position decides what is new.
 */
export class Room {
  readonly name: string;
  readonly listeners: Listeners;
  /** Whoever waits to be in. */
  readonly waiters = new Set<Deferred<void>>();
  /** As its namespace calls it; undefined for the namespace itself. */
  readonly #localName: string | undefined;
  readonly #around: RoomSurroundings;
  /** Of the contract, if it is a namespace with one. */
  versions: ContractVersions | undefined;
  state: JoinState = { status: 'idle' };
  members: readonly Member[] = Object.freeze([]);
  /** What we tell the others about ourselves; goes with the next join, too. */
  presence: Told | undefined;
  /** The `$join` without an answer yet. */
  asking: object | undefined;
  /** The `$leave` without an answer yet. */
  leaving: object | undefined;
  /** The server's number for this room on this connection; 0 while it does not flow. */
  #number = 0;
  /** Whose wish it is that we are in. */
  #wish: 'ours' | 'server' = 'ours';
  /** Where we stand in the log; undefined before the first join and after leaving. */
  #position: { readonly epoch: string; offset: number } | undefined;
  /**
   * What came in the task in which the join was answered, and before the next: told in that one, to whoever listens by
   * then. Also that we are out, behind what was said before.
   */
  #held: (() => void)[] | undefined;

  constructor(name: string, around: RoomSurroundings) {
    this.name = name;
    this.#localName = name.slice(prefixOf(name).length) || undefined;
    this.#around = around;
    this.listeners = new Listeners((error, event) => around.dispatcher.failed(error, event));
  }

  /** True from `join()` to `leave()` or a refusal, whatever the connection does. */
  get wanted(): boolean {
    return this.state.status === 'joining' || this.state.status === 'joined';
  }

  /** Where we stand, for a server that goes on with our session; undefined while we are not in. */
  get position(): RoomSync | undefined {
    if (this.state.status !== 'joined' || !this.#position) return undefined;
    return [this.name, this.#position.epoch, this.#position.offset];
  }

  /** Why this cannot be done; undefined if it can. */
  notJoined(call: string): string | undefined {
    if (this.wanted) return undefined;
    return `${call} to '${this.name}', which is ${this.state.status}: call join() first`;
  }

  /** What to ask the server, from where we stand. `replaced`: what these sessions have published is not for us. */
  joinRequest(replaced: readonly string[] | undefined): JoinRequest {
    const { name: room, versions: cv } = this;
    return { room, ...this.#position, replaced, presence: this.presence?.value, cv };
  }

  /** The application wants in. */
  want(): void {
    this.#wish = 'ours';
    if (!this.wanted) this.#enter({ status: 'joining' });
  }

  /** The server has let us in; `sync` follows in the same frame. */
  joined({ members, ...position }: JoinReply): void {
    if (!this.wanted) return;
    // Until SYNC says otherwise; a connection that breaks before it is to find us here.
    this.#position ??= position;
    this.#setMembers(members);
    this.#held = [];
    this.#around.nextTask(() => this.#release());
    this.#enter({ status: 'joined' });
  }

  /** We are out, for the reason that `state` says. */
  out(state: JoinState): void {
    this.#position = undefined;
    this.#flow();
    this.#held = undefined;
    this.presence = undefined;
    if (this.members.length > 0) this.#setMembers([]);
    this.#enter(state);
  }

  /** The server says from where the room flows on this connection, or, without a number, that we are out. */
  sync(sync: RoomSync): void {
    const [, epoch, offset, number] = sync;
    const { status } = this.state;
    // What we have asked for is answered first; and what comes of a join before we left is no wish of the server.
    if (status === 'joining' || (status !== 'joined' && this.leaving)) return;
    if (this.#held?.length) {
      this.#flow(number);
      this.#held.push(() => this.sync(sync));
      return;
    }
    if (!number) {
      if (status === 'joined') this.out({ status: 'left' });
      return;
    }
    this.#position = { epoch, offset };
    this.#flow(number);
    if (status === 'joined') return;
    this.#wish = 'server';
    this.#enter({ status: 'joined' });
  }

  /** The connection or its session is gone; the wish stays. */
  detached(sessionId: string | undefined): void {
    this.#release();
    this.#flow();
    if (sessionId === undefined || this.state.status !== 'joined') return;
    if (this.#wish === 'server') this.out({ status: 'left' });
    else this.#enter({ status: 'joining' });
  }

  /** The next thing said in the room, whether in its log or not. Before we are in, it is dropped. */
  take(item: Lane): void {
    if (this.#held) this.#held.push(() => this.take(item));
    else if (this.state.status === 'joined') this.#apply(item);
  }

  #flow(number = 0): void {
    const { flowing } = this.#around;
    flowing.delete(this.#number);
    this.#number = number;
    if (number) flowing.set(number, this);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) tell();
  }

  #apply(item: Lane): void {
    const position = this.#position;
    if (!position) return;
    // What is volatile has no place in the log.
    if (item[0] === Type.VOL) return this.#deliver(item[1], item[2], item[3], 0);
    if (item[0] === Type.GAP) {
      const [, from, to, reason] = item;
      position.offset = Math.max(position.offset, to);
      const messages = Math.max(0, to - from + 1);
      return this.#around.dispatcher.gap({ messages, reason, room: this.name });
    }
    const [, , offset, name, payload, meta] = item;
    // Not in the log: who joins is told the members as they are, and then each change.
    if (name === MEMBER) return this.#memberChanged(parseMember(payload));
    if (name === MEMBERS) return this.#setMembers(parseMembers(payload));
    if (offset <= position.offset) return;
    position.offset = offset;
    if (meta?.m && !this.#around.isNew(meta.m)) return;
    this.#deliver(name, payload, meta, offset);
  }

  #deliver(name: string, payload: unknown, meta: WireMeta | undefined, seq: number): void {
    const told = eventMeta(meta, seq, this.#localName);
    this.#around.dispatcher.deliver(name, meta?.u ? undefined : payload, told, this.listeners);
  }

  #memberChanged(changed: Member): void {
    const others = this.members.filter(({ userId }) => userId !== changed.userId);
    this.#setMembers(changed.sessions > 0 ? [...others, changed] : others);
  }

  #setMembers(members: Member[]): void {
    this.members = Object.freeze(members);
    this.#tell('$members', members);
  }

  #enter(state: JoinState): void {
    this.state = Object.freeze(state);
    this.#tell('$state', state);
  }

  #tell(event: '$members' | '$state', value: unknown): void {
    this.#around.tell(() => this.listeners.emit(event, value));
  }
}
