import { type Codec, type Item, type RoomSync, Type, type WireData } from '@holdfast/protocol';
import { after, type Job, Loop } from './answer.js';
import type { Aside } from './hub/aside.js';
import type { NumberedRoom } from './hub/room.js';
import { newsOf, type RoomNews } from './hub/room-news.js';
import type { Observed } from './observe/observer.js';
import type { Outflow } from './outflow.js';
import type { Answer, RoomPart, RoomPosition, SessionStore } from './ports/store.js';
import type { Session } from './session.js';
import type { RoomLanes } from './session-connection.js';

interface Lane {
  readonly room: NumberedRoom;
  /** Everything up to here has been written, or is not for this client. */
  position: RoomPosition;
  /** `behind`: reads on from the log when the socket takes more. */
  state: 'live' | 'behind';
}

/** The same for all connections. */
export interface LanesSurroundings {
  readonly store: SessionStore;
  readonly observe: Observed;
}

/**
 * The rooms that flow on one connection, each from its own position in the room's log. Who publishes never waits: a
 * connection that is slow, or that was away, reads on from the log.
 */
export class Lanes implements RoomLanes, Job {
  readonly #session: Session;
  readonly #outflow: Outflow;
  readonly #around: LanesSurroundings;
  readonly #connection: Pick<Job, 'failed'>;
  readonly #lanes = new Map<string, Lane>();
  /** Rooms about which the store is being asked, and the question of the moment. */
  readonly #opening = new Map<string, object>();
  readonly #catchingUp: Loop;

  constructor(
    session: Session,
    outflow: Outflow,
    around: LanesSurroundings,
    connection: Pick<Job, 'failed'>,
  ) {
    this.#session = session;
    this.#outflow = outflow;
    this.#around = around;
    this.#connection = connection;
    this.#catchingUp = new Loop(this);
  }

  failed(error: unknown): void {
    this.#connection.failed(error);
  }

  has(room: string): boolean {
    return this.#lanes.has(room);
  }

  /** Lets a room flow, from `wanted` on, and says so first. Reads where that is from what the store has. */
  open(room: NumberedRoom, wanted: RoomPosition): Answer<void> {
    // A client's SYNC and the end of a join may ask for the same room.
    if (this.#lanes.has(room.name) || this.#opening.has(room.name)) return;
    // The same room, and even from the same position, may be asked for again before this is answered.
    const question = {};
    this.#opening.set(room.name, question);
    const { name, bounds } = room;
    return after(this.#around.store.readRoom({ room: name, after: wanted, bounds }), (part) => {
      // Left meanwhile.
      if (this.#opening.get(room.name) !== question) return;
      this.#opening.delete(room.name);
      const { gap, top } = part;
      const from = gap ? gap.from - 1 : wanted.offset;
      const sync: RoomSync = [room.name, top.epoch, from, room.number];
      this.#outflow.control([Type.SYNC, [sync]], room.number);
      const lane: Lane = { room, position: { epoch: top.epoch, offset: from }, state: 'behind' };
      this.#lanes.set(room.name, lane);
      if (gap) {
        this.#missing(gap);
        this.#outflow.control([Type.GAP, gap.from, gap.to, gap.why, room.number], room.number);
        lane.position = { epoch: top.epoch, offset: Math.max(from, gap.to) };
      }
    });
  }

  /** Where this connection stands in a room that flows on it. */
  positionIn(room: string): RoomPosition | undefined {
    return this.#lanes.get(room)?.position;
  }

  close(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane) this.#outflow.unsay(lane.room.number);
    this.#opening.delete(name);
    this.#lanes.delete(name);
  }

  /** The session is not in this room, or not any more: its client is told so. */
  shut(room: string): void {
    this.close(room);
    this.#outflow.control([Type.SYNC, [[room, '', 0, 0]]]);
  }

  /** Something was published: the same frame for every member that is up to date. */
  news(news: RoomNews): void {
    const lane = this.#lanes.get(news.room.name);
    if (!lane) return;
    this.#outflow.flush();
    const { epoch, offset } = lane.position;
    const isNext = offset === news.after.offset && epoch === news.after.epoch;
    if (lane.state !== 'live' || !isNext || !this.#outflow.open) {
      lane.state = 'behind';
      return this.flow();
    }
    this.#writeNews(lane, news);
  }

  #writeNews(lane: Lane, news: RoomNews): void {
    const { codec } = this.#session;
    lane.position = news.to;
    const { publications } = news;
    if (news.isForAll) return this.#outflow.publication(news.frame(codec), publications.length);
    const others = publications.filter(({ except }) => !this.#isOurs(except));
    if (others.length === publications.length)
      this.#outflow.publication(news.frame(codec), publications.length);
    else if (others.length > 0) this.#outflow.publication(lane.room.frame(others, codec), others.length);
  }

  /** Something that is not part of the log, such as a change of the members. */
  aside(room: string, said: Aside): void {
    if (this.#lanes.has(room)) this.#outflow.aside(said);
  }

  /** Something without a place in the log: goes out now or not at all. */
  cast(room: string, except: ReadonlySet<string>, frame: (codec: Codec) => WireData | undefined): void {
    if (!this.#lanes.has(room) || this.#isOurs(except)) return;
    this.#outflow.flush();
    const data = this.#outflow.open ? frame(this.#session.codec) : undefined;
    if (data !== undefined) this.#outflow.publication(data, 1);
    else this.#dropped('volatile', 1);
  }

  /** The connection takes more: whoever is behind reads on. */
  flow(): void {
    this.#catchingUp.run();
  }

  /** Reads on for one that is behind. */
  round(): Answer<void> {
    if (!this.#outflow.open) return;
    for (const lane of this.#lanes.values()) {
      if (lane.state === 'live') continue;
      const { name, bounds } = lane.room;
      const { id: member } = this.#session;
      const part = this.#around.store.readRoom({ room: name, after: lane.position, bounds, member });
      return after(part, (read) => {
        this.#write(lane, read);
        // Until all are up to date, or the socket is full.
        this.#catchingUp.run();
      });
    }
  }

  #write(lane: Lane, { gap, items, top }: RoomPart): void {
    const { codec } = this.#session;
    const { number } = lane.room;
    if (!this.#outflow.open || this.#lanes.get(lane.room.name) !== lane) return;
    if (gap) {
      this.#missing(gap);
      const items: Item[] = [[Type.GAP, gap.from, gap.to, gap.why, number]];
      // A room made anew says so first, or the client would take the new offsets for old ones.
      if (top.epoch !== lane.position.epoch) {
        items.unshift([Type.SYNC, [[lane.room.name, top.epoch, gap.from - 1, number]]]);
      }
      const encoded = items.map((item) => codec.encode(item));
      this.#outflow.publication(codec.frame(0, 0, encoded), 1);
      lane.position = { epoch: top.epoch, offset: Math.max(gap.from - 1, gap.to) };
    }
    for (const news of newsOf(lane.room, lane.position, items)) {
      if (!this.#outflow.open) return;
      this.#writeNews(lane, news);
    }
    lane.state = 'live';
  }

  /** What a log that was lost has held is not known. */
  #missing({ from, to }: NonNullable<RoomPart['gap']>): void {
    if (to >= from) this.#dropped('room-log', to - from + 1);
  }

  #dropped(reason: 'volatile' | 'room-log', messages: number): void {
    this.#around.observe.dropped({ sessionId: this.#session.id, reason, messages });
  }

  /** Published by this client, perhaps in an earlier session. */
  #isOurs(except: ReadonlySet<string>): boolean {
    const { id, joined } = this.#session;
    const { replaced } = joined;
    if (except.has(id)) return true;
    if (except.size === 0 || replaced.size === 0) return false;
    // By the smaller set: `except` is nearly always the publisher alone, but a client may have replaced hundreds of sessions.
    if (except.size > replaced.size) return [...replaced].some((sid) => except.has(sid));
    for (const sid of except) if (replaced.has(sid)) return true;
    return false;
  }
}
