import {
  Deferred,
  type HoldfastError,
  type Item,
  JOIN,
  LEAVE,
  MAX_REPLACED,
  type RoomSync,
  Type,
  type WireMeta,
} from '@holdfast/protocol';
import type { JoinState } from '../types.js';
import { Ears } from './ears.js';
import type { Messages, Outcome } from './messages.js';

/** Of what was published in several rooms at once: more than the rooms' logs hold of it, as a rule. */
const MAX_HEARD = 1_000;

/** One room as this client knows it. The wish outlives connections and sessions; the position decides what is new. */
export interface Room {
  readonly name: string;
  readonly ears: Ears;
  state: JoinState;
  /** Where we stand in its log; undefined while we are not in. */
  position: { epoch: string; offset: number } | undefined;
  /** The `$join` without an answer yet, and the `$leave`. */
  asking: Outcome | undefined;
  leaving: Outcome | undefined;
  /** Who has put us in. */
  wish: 'ours' | 'server';
}

/** The session, as its rooms see it. */
interface Around {
  readonly isUp: boolean;
  readonly messages: Pick<Messages, 'control' | 'say'>;
  failed(error: unknown, name: string): void;
  gap(messages: number, reason: string, room: string): void;
  hear(name: string, data: unknown, meta: WireMeta | undefined, seq: number, room: Room): void;
}

/** All rooms of a client: keeps what they want true on the connection of the moment. PROTOCOL.md, section 5. */
export class Rooms {
  readonly #session: Around;
  readonly #rooms = new Map<string, Room>();
  /** Those that flow on this connection, by number. */
  readonly #flowing = new Map<number, Room>();
  /** Of what was published in several rooms and has been heard, its words; the oldest first. */
  readonly #heard = new Set<string>();
  /** Our latest sessions: what they have said is not for us. */
  #replaced: readonly string[] = [];
  /** Whoever waits for the answer to a `$leave`. */
  readonly #leavers = new Set<Deferred<void>>();
  /** How many connections have been lost. */
  #lost = 0;

  constructor(session: Around) {
    this.#session = session;
  }

  get(name: string): Room {
    const room: Room = this.#rooms.get(name) ?? {
      ...{ name, ears: new Ears(this.#session), state: { status: 'idle' }, position: undefined },
      ...{ asking: undefined, leaving: undefined, wish: 'ours' },
    };
    this.#rooms.set(name, room);
    return room;
  }

  join(room: Room): void {
    room.wish = 'ours';
    if (isWanted(room)) return;
    this.#enter(room, 'joining');
    this.#ask(room);
  }

  /** Resolves when the server has answered; without a connection at once, since nothing is told of the room any more. */
  async leave(room: Room): Promise<void> {
    if (!isWanted(room)) return;
    const leaver = new Deferred<void>('');
    const over = (): void => {
      if (room.leaving === outcome) room.leaving = undefined;
      leaver.resolve();
      this.#leavers.delete(leaver);
    };
    const outcome = new Deferred<unknown>('');
    // Not at once: in the frame of the answer there may be the SYNC of a join before it.
    outcome.promise.then(over, over);
    this.#out(room, 'left');
    room.leaving = outcome;
    const { name } = room;
    this.#session.messages.say({ kind: 'request', event: LEAVE, payload: { room: name } }, {}, outcome);
    if (!this.#session.isUp) return;
    this.#leavers.add(leaver);
    await leaver.promise;
  }

  /** A session has begun: whatever is wanted is asked for, before anything else goes out. */
  begin(): void {
    const wanted = [...this.#rooms.values()].filter((room) => isWanted(room) && !room.asking);
    // The last one asked for goes out first.
    for (const room of wanted.reverse()) this.#ask(room, true);
  }

  /** Where we stand in each room that we are in. */
  get positions(): RoomSync[] {
    return [...this.#rooms.values()].flatMap(positionOf);
  }

  /** The connection is gone, and with `sessionId` its session, too. */
  detached(sessionId?: string): void {
    this.#lost++;
    for (const leaver of this.#leavers) leaver.resolve();
    this.#flowing.clear();
    if (sessionId === undefined) return;
    this.#replaced = [...this.#replaced, sessionId].slice(-MAX_REPLACED);
    for (const room of this.#rooms.values()) {
      if (room.state.status !== 'joined') continue;
      if (room.wish === 'ours') this.#enter(room, 'joining');
      else this.#out(room, 'left');
    }
  }

  /** Nothing more will be joined. */
  end(): void {
    for (const room of this.#rooms.values()) if (isWanted(room)) this.#out(room, 'left');
  }

  /** Takes what is about a room. */
  take(item: Item): void {
    if (item[0] === Type.SYNC) for (const sync of item[1]) this.#sync(this.get(sync[0]), sync);
    if (item[0] === Type.VOL) {
      const [, name, data, meta] = item;
      const room = this.#rooms.get(meta?.r ?? '');
      if (room?.state.status === 'joined') this.#session.hear(name, data, meta, 0, room);
    }
    const room = this.#flowing.get(Number(item[0] === Type.PUB ? item[1] : item[4]));
    const position = room?.position;
    if (!position) return;
    if (item[0] === Type.GAP) {
      const [, from, to, reason] = item;
      position.offset = Math.max(position.offset, to);
      this.#session.gap(Math.max(0, to - from + 1), reason, room.name);
    } else if (item[0] === Type.PUB) {
      const [, , offset, name, data, meta] = item;
      // Who is there is not of the log, and nothing to this client.
      if (name.startsWith('$') || offset <= position.offset) return;
      position.offset = offset;
      if (!meta?.m || this.#isNew(meta.m)) this.#session.hear(name, data, meta, offset, room);
    }
  }

  /** The server says from where the room flows on this connection, or, without a number, that we are out. */
  #sync(room: Room, [, epoch, offset, number]: RoomSync): void {
    const isIn = room.state.status === 'joined';
    // What we have asked for is answered first; and what comes of a join before we left is no wish of the server.
    if (room.state.status === 'joining' || (!isIn && room.leaving)) return;
    this.#stop(room);
    if (number) {
      room.position = { epoch, offset };
      this.#flowing.set(number, room);
      if (isIn) return;
      room.wish = 'server';
      this.#enter(room, 'joined');
    } else if (isIn) this.#out(room, 'left');
  }

  #stop(room: Room): void {
    for (const [number, one] of this.#flowing) if (one === room) this.#flowing.delete(number);
  }

  #isNew(word: string): boolean {
    if (this.#heard.has(word)) return false;
    this.#heard.add(word);
    const [oldest = ''] = this.#heard;
    if (this.#heard.size > MAX_HEARD) this.#heard.delete(oldest);
    return true;
  }

  #ask(room: Room, first = false): void {
    const lost = this.#lost;
    // A join that was overtaken by a leave and another join has nothing to say any more.
    const isOurs = (): boolean => {
      const isIt = room.asking === outcome;
      if (isIt) room.asking = undefined;
      return isIt;
    };
    const outcome: Outcome = {
      resolve: (reply) => {
        if (!isOurs()) return;
        const { epoch, offset } = reply as { epoch: string; offset: number };
        // Until SYNC says otherwise; a connection that breaks before it is to find us here.
        room.position ??= { epoch, offset };
        this.#enter(room, 'joined');
        // Answered on a later connection: we may have been taken out since, and the server does not know that we think so.
        if (lost < this.#lost) this.#session.messages.control([Type.SYNC, positionOf(room)]);
      },
      reject: (error) => {
        // A lost session takes its joins with it, and so does a user; the next one asks again.
        if (isOurs() && !/LOST|CLOSED/.test((error as HoldfastError).code)) this.#out(room, 'refused', error);
      },
    };
    room.asking = outcome;
    const { name } = room;
    const payload = { room: name, ...room.position, replaced: this.#replaced };
    this.#session.messages.say({ kind: 'request', event: JOIN, payload }, {}, outcome, first);
  }

  #out(room: Room, status: 'left' | 'refused', why?: Error): void {
    this.#stop(room);
    room.position = undefined;
    room.asking = undefined;
    this.#enter(room, status, why);
  }

  #enter(room: Room, status: JoinState['status'], error?: Error): void {
    room.state = status === 'refused' ? { status, error: error as HoldfastError } : { status };
    room.ears.emit('$state', room.state);
  }
}

const isWanted = ({ state: { status } }: Room): boolean => status === 'joining' || status === 'joined';

function positionOf({ name, position, state }: Room): RoomSync[] {
  return position && state.status === 'joined' ? [[name, position.epoch, position.offset]] : [];
}
