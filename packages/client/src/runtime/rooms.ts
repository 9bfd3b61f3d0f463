import {
  type CallOptions,
  checkOptions,
  checkSignal,
  Deferred,
  type DeliveryError,
  holdfastError,
  type Item,
  isHoldfastError,
  JOIN,
  LEAVE,
  MAX_REPLACED,
  PRESENCE,
  parseJoinReply,
  prefixOf,
  type Receipt,
  type RoomSync,
  type Schema,
  type Sending,
  Type,
} from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import type { Exchange } from './exchange.js';
import { type JoinReply, Room, type RoomSurroundings, type Told } from './room.js';

/** Of what was published in several rooms at once: more than the rooms' logs hold of it, as a rule. */
const MAX_HEARD = 1_000;
const JOIN_OPTIONS = { timeoutMs: [30_000, 0], signal: checkSignal<AbortSignal | undefined> } as const;
/** Of the protocol's own requests: they are asked until they are answered. */
const FOR_EVER = { timeoutMs: Infinity, ttlMs: Infinity };

/** All rooms of a client: keeps what they want true on the connection of the moment. */
export class Rooms {
  readonly #ports: Pick<ClientPorts, 'clock' | 'random'>;
  readonly #exchange: Exchange;
  readonly #around: RoomSurroundings;
  readonly #rooms = new Map<string, Room>();
  /** By the server's numbers for them. */
  readonly #flowing = new Map<number, Room>();
  /** Those that the application may hold. */
  readonly #held = new Set<Room>();
  /** What was published in several rooms and has been heard, by its word; the oldest first. */
  readonly #heard = new Set<string>();
  /** Whoever waits for the answer to a `$leave`. */
  readonly #leavers = new Set<Deferred<void>>();
  /** How many connections have been lost. */
  #lost = 0;
  /** Our latest sessions, whether they were in a room or not: what they have said may still be published. */
  #replaced: readonly string[] | undefined;

  constructor(
    ports: Pick<ClientPorts, 'clock' | 'random'>,
    exchange: Exchange,
    around: Omit<RoomSurroundings, 'flowing' | 'isNew'>,
  ) {
    this.#ports = ports;
    this.#exchange = exchange;
    this.#around = { ...around, flowing: this.#flowing, isNew: (word) => this.#isNew(word) };
  }

  /** For the application. */
  get(name: string): Room {
    const room = this.#of(name);
    this.#held.add(room);
    return room;
  }

  join(room: Room, options?: CallOptions): Promise<void> {
    const group = `room('${room.name}').join(options)`;
    const { timeoutMs, signal } = checkOptions(options, group, JOIN_OPTIONS, '');
    const waiter = this.#wait(room, timeoutMs, signal);
    if (room.state.status === 'joined') {
      room.want();
      settle(room);
    } else if (this.#around.status() === 'closed') settle(room, clientClosed());
    else if (!room.wanted && !signal?.aborted) {
      room.want();
      this.#ask(room, false);
    }
    return waiter;
  }

  async leave(room: Room): Promise<void> {
    if (!room.wanted) return;
    // Who leaves a namespace leaves all its rooms.
    for (const other of this.#rooms.values()) {
      if (other !== room && prefixOf(other.name) === room.name) void this.leave(other);
    }
    room.out({ status: 'left' });
    room.asking = undefined;
    const text = `the room '${room.name}' was left before it was joined`;
    settle(room, holdfastError('ERR_NOT_JOINED', text, { delivery: 'unsent', messageId: '' }));
    const payload = { room: room.name };
    const asked = this.#exchange.submit({ kind: 'request', name: LEAVE, payload, options: FOR_EVER });
    room.leaving = asked;
    const leaver = new Deferred<void>('');
    // However the request ends, we are out: a session that is lost is in no room.
    const over = () => {
      if (room.leaving === asked) room.leaving = undefined;
      leaver.resolve();
      this.#leavers.delete(leaver);
    };
    asked.promise.then(over, over);
    // Without a connection it goes out with the next; nobody has to wait for that, since nothing is told of the room any more.
    if (this.#around.status() !== 'connected') return;
    this.#leavers.add(leaver);
    await leaver.promise;
  }

  /** It holds until we leave, also in sessions to come: they join with it. */
  setPresence(room: Room, presence: unknown, schema: Schema | undefined): Sending {
    const id = this.#ports.random.id();
    const deferred = new Deferred<Receipt>(id);
    const told: Told = { value: presence, said: this.#exchange.said.all, presence: room.presence };
    room.presence = told;
    this.#exchange.submit({
      kind: 'request',
      name: PRESENCE,
      room: room.name,
      payload: presence,
      schema,
      notJoined: room.notJoined(`setPresence()`),
      options: { id, timeoutMs: Infinity },
      outcome: {
        resolve: () => {
          told.presence = undefined;
          deferred.resolve({ id, outcome: 'acknowledged' });
        },
        reject: (error) => {
          // What was refused now would be refused with a join.
          const isLost = isHoldfastError(error, 'ERR_SESSION_LOST');
          for (let at: Room | Told | undefined = isLost ? undefined : room; at; at = at.presence) {
            if (at.presence === told) at.presence = told.presence;
          }
          deferred.reject(error);
        },
      },
    });
    return deferred.sending;
  }

  /** A session has begun: whatever is wanted and not asked for yet is asked for, before anything else goes out. */
  begin(): void {
    const wanted = [...this.#rooms.values()].filter((room) => room.wanted && !room.asking);
    // The last one asked for goes out first.
    for (const room of wanted.reverse()) this.#ask(room, true);
  }

  /** Somebody else uses this client now: what was told of the one before is not told of him. */
  disown(): void {
    const { ofUser } = this.#exchange.said;
    for (const room of this.#rooms.values()) {
      if (room.presence && room.presence.said < ofUser) room.presence = undefined;
    }
  }

  /** Where we stand in each room that we are in. */
  get positions(): RoomSync[] {
    return [...this.#rooms.values()].flatMap(({ position }) => (position ? [position] : []));
  }

  /** The connection is gone, and with `sessionId` its session, too. */
  detached(sessionId?: string): void {
    if (sessionId !== undefined) this.#replaced = [...(this.#replaced ?? []), sessionId].slice(-MAX_REPLACED);
    this.#lost++;
    for (const leaver of this.#leavers) leaver.resolve();
    for (const room of this.#rooms.values()) {
      room.detached(sessionId);
      this.#forget(room);
    }
  }

  /** Nothing more will be joined. */
  end(): void {
    for (const room of this.#rooms.values()) {
      settle(room, clientClosed());
      // What becomes of the room is no news to whoever has closed the client.
      room.listeners.clear();
      if (room.wanted) room.out({ status: 'left' });
    }
  }

  /** Takes what is about a room. */
  take(item: Item): void {
    switch (item[0]) {
      case Type.SYNC:
        for (const sync of item[1]) {
          const room = this.#of(sync[0]);
          room.sync(sync);
          this.#forget(room);
        }
        break;
      case Type.PUB:
        this.#flowing.get(item[1])?.take(item);
        break;
      case Type.GAP:
        this.#flowing.get(item[4] ?? 0)?.take(item);
        break;
      case Type.VOL:
        this.#rooms.get(item[3]?.r ?? '')?.take(item);
    }
  }

  #of(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room(name, this.#around);
    this.#rooms.set(name, room);
    return room;
  }

  /** One of the server's own, when it is over: there may be any number of them in the life of a page. */
  #forget(room: Room): void {
    if (!room.wanted && !room.leaving && !this.#held.has(room)) this.#rooms.delete(room.name);
  }

  #isNew(word: string): boolean {
    if (this.#heard.has(word)) return false;
    for (const oldest of this.#heard.add(word)) {
      if (this.#heard.size <= MAX_HEARD) break;
      this.#heard.delete(oldest);
    }
    return true;
  }

  #ask(room: Room, first: boolean): void {
    const lost = this.#lost;
    const outcome = {
      resolve: (reply: unknown) => {
        if (!answered()) return;
        room.joined(reply as JoinReply);
        // Answered on a later connection: we may have been taken out since, and the server does not know that we think so.
        if (lost < this.#lost && room.position) this.#exchange.control([Type.SYNC, [room.position]]);
        settle(room);
      },
      reject: (error: Error) => {
        if (!answered()) return;
        // A lost session takes its joins with it; the next one asks again.
        if (!isHoldfastError(error) || error.code === 'ERR_SESSION_LOST' || error.code === 'ERR_CLOSED')
          return;
        if (room.wanted) room.out({ status: 'refused', error });
        settle(room, error);
      },
    };
    // A join that was overtaken by a leave and another join has nothing to say any more.
    const answered = (): boolean => {
      const isOurs = room.asking === outcome;
      if (isOurs) room.asking = undefined;
      return isOurs;
    };
    // Known before it is asked: what cannot be asked is answered at once.
    room.asking = outcome;
    const payload = room.joinRequest(this.#replaced);
    const said = { kind: 'request', name: JOIN, room: room.name, payload, read: readJoin } as const;
    this.#exchange.submit({ ...said, options: FOR_EVER, outcome }, first);
  }

  #wait(room: Room, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const waiter = new Deferred<void>(this.#ports.random.id());
    const text = `the room '${room.name}' was not joined within ${timeoutMs} ms; it is joined as soon as possible`;
    const timedOut = () =>
      waiter.reject(holdfastError('ERR_TIMEOUT', text, { delivery: 'unknown', messageId: waiter.id }));
    const abort = () => waiter.reject(signal?.reason as Error);
    const cancelTimer =
      timeoutMs < Infinity ? this.#ports.clock.setTimer(timedOut, timeoutMs) : () => undefined;
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    const done = () => {
      cancelTimer();
      signal?.removeEventListener('abort', abort);
      room.waiters.delete(waiter);
    };
    room.waiters.add(waiter);
    waiter.promise.then(done, done);
    return waiter.sending;
  }
}

const readJoin = (reply: unknown) => ({ value: parseJoinReply(reply) });

/** Whoever waits to be in is: or, with an error, is not. */
function settle(room: Room, error?: Error): void {
  for (const waiter of room.waiters) {
    if (error) waiter.reject(error);
    else waiter.resolve();
  }
}

function clientClosed(): DeliveryError {
  return holdfastError('ERR_CLOSED', 'the client was closed', { delivery: 'unsent', messageId: '' });
}
