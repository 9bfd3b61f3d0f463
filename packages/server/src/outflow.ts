import {
  type Clock,
  CloseCode,
  type Control,
  control,
  EndOfTask,
  type Item,
  type Link,
  type Outgoing,
  type Transport,
  Type,
  type Window,
  type WireData,
} from '@holdfast/protocol';
import { after, type Job, Loop } from './answer.js';
import type { Aside } from './hub/aside.js';
import { NONE_HANDLED } from './none-handled.js';
import type { Observed } from './observe/observer.js';
import type { Answer, Handled, OutItem, Ownership, Read, SessionStore } from './ports/store.js';
import type { Session } from './session.js';
import { sizeOf } from './size-of.js';

/** A message wakes twice, by the store and by its handler: so these are some thirty, as many as are worth a frame. */
const MANY_WAKES = 64;
/** Only where a client does not read do so many wait: of its rooms there is less to say. */
const MOST_CONTROLS = 10_000;

/** Something of the store's on its way to the client. */
type Written = Outgoing & { readonly kind: 'written' };
export type ServerLink = Link<Written | Control>;

/** The same for all connections. */
export interface OutflowSurroundings {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly observe: Observed;
  /** What may wait in the socket until we stop writing. */
  readonly maxBufferedBytes: number;
}

/** Where it flows. */
export interface OutflowConnection {
  /** Another connection has the session, or the store has lost it. */
  noLongerOurs(status: 'fenced' | 'lost'): void;
  /** Something that the client has said has been handled: there is room for more. */
  finished(): void;
  /** All that was to be said before is on the wire: rooms may flow. */
  caughtUp(): void;
  drop(code: number, reason: string): void;
  failed(error: unknown): void;
}

/** The number of the room that it is about, if it is about one. */
type OfRoom = Control & { readonly room?: number | undefined };

/**
 * What goes out on one connection: reads from the store what waits for the client, numbers and frames it, and stops
 * while the socket is full.
 */
export class Outflow implements Job {
  readonly #session: Session;
  readonly #owner: Ownership;
  readonly #transport: Transport;
  readonly #link: ServerLink;
  readonly #around: OutflowSurroundings;
  readonly #connection: OutflowConnection;
  readonly #reading: Loop;
  /** Credit of the client. */
  window: Window;
  #stage: 'replaying' | 'live' | 'closed' = 'replaying';
  #controls: OfRoom[] = [];
  /** One PONG answers all that asked before it is written: who asks and does not read gets no pile of them. */
  #pong: 'none' | 'waits' = 'none';
  /** Highest number written. */
  #written: number;
  /** Numbers whose refusal lies in the store: they may be acknowledged when it has been read. */
  #refused: number[] = [];
  #handled: Handled = NONE_HANDLED;
  #handledTold: Handled = this.#handled;
  /** The store is to be read, and what is owed to be written. */
  #news = false;
  /** The store is being asked: its answer is still to come. */
  #asking = false;
  readonly #endOfTask: EndOfTask;
  /** Since when the socket has been full, and who waits for room in it or in the window. */
  congestedSince: number | undefined;
  #forRoom: (() => void)[] | undefined;

  constructor(
    session: Session,
    {
      owner,
      transport,
      link,
      window,
    }: { owner: Ownership; transport: Transport; link: ServerLink; window: Window },
    around: OutflowSurroundings,
    connection: OutflowConnection,
  ) {
    this.#session = session;
    this.#owner = owner;
    this.#transport = transport;
    this.#link = link;
    this.window = window;
    this.#written = link.written;
    this.#around = around;
    this.#connection = connection;
    this.#reading = new Loop(this);
    this.#endOfTask = new EndOfTask(around.clock, this);
  }

  /** True if a room's publication may be written now: all before it is on the wire, and the socket takes more. */
  get open(): boolean {
    // A control may still wait for the answer of the store: a SYNC comes before what flows in its room.
    const isNextToSay = !this.#news && this.#controls.length === 0;
    return this.#stage === 'live' && isNextToSay && this.congestedSince === undefined;
  }

  /** When an ack has to go out by itself. What is about to be written, or fits into the socket again, takes it along. */
  get ackDueAt(): number {
    const isAbout = this.#asking || (this.#news && this.#endOfTask.asked > 0);
    const isHeldUp = this.#stage === 'closed' || this.congestedSince !== undefined;
    return isAbout || isHeldUp ? Infinity : this.#link.ackDueAt;
  }

  /** Writes again what the client lacks, then whatever else waits. */
  start(): void {
    this.#news = true;
    this.#reading.run();
  }

  close(): void {
    this.#stage = 'closed';
    this.#news = false;
    this.#hasRoom();
  }

  /** The store has something for this client, or an ack is owed. */
  wake(): void {
    this.#news = true;
    this.#flushLater();
  }

  /** An item without a number: goes out after what the store has. `room`: the number of the room that it is about. */
  control(item: Item, room?: number): void {
    if (this.#stage === 'closed') return;
    if (item[0] === Type.PONG) {
      if (this.#pong === 'waits') return;
      this.#pong = 'waits';
    }
    this.#say(Object.assign(control(this.#session.codec, item), { room }));
  }

  /**
   * What is to be said about this room is not said. Where a join and a leave are answered in one frame, a SYNC behind the
   * answers would put the client in again.
   */
  unsay(room: number): void {
    this.#controls = this.#controls.filter((item) => item.room !== room);
  }

  #say(item: OfRoom): void {
    this.#controls.push(item);
    if (this.#controls.length > MOST_CONTROLS) {
      return this.#connection.drop(CloseCode.SLOW_CONSUMER, 'reads too slowly');
    }
    this.wake();
  }

  /** This message was refused; an ack may cover it once its refusal has been read from the store. */
  refused(seq: number): void {
    this.#refused.push(seq);
    this.wake();
  }

  /** Writes what there is, at once if the store answers at once. */
  flush(): void {
    if (this.#stage === 'closed' || this.congestedSince !== undefined) return;
    if (this.#news || this.#around.clock.now() >= this.#link.ackDueAt) this.#reading.run();
  }

  /**
   * When what is there is written: also what waits for room in the socket, or for the window, unless the connection goes
   * before.
   */
  written(): Answer<void> {
    this.flush();
    return after(this.#reading.over(), () => {
      const isFull = this.#news && this.congestedSince !== undefined;
      if (this.#stage === 'closed' || !(isFull || this.#session.sends?.waits)) return;
      return new Promise<void>((resolve) => {
        this.#forRoom ??= [];
        this.#forRoom.push(resolve);
      }).then(() => this.written());
    });
  }

  /** A frame of a room, with so many messages, the same bytes for every member. Only when `open`. */
  publication(frame: WireData, messages: number): void {
    this.#send(frame);
    this.#around.observe.messages('out', messages);
  }

  /** What is told beside a room's log: the same frames for all, or, where something waits, behind it. */
  aside(said: Aside): void {
    const { codec } = this.#session;
    if (this.open) for (const frame of said.frames(codec)) this.#send(frame);
    else if (this.#stage !== 'closed') for (const item of said.items(codec)) this.#say(unnumbered(item));
  }

  /** The socket takes more. */
  drained(): void {
    if (this.congestedSince === undefined) return;
    this.congestedSince = undefined;
    this.wake();
    this.#hasRoom();
  }

  #hasRoom(): void {
    const waiting = this.#forRoom ?? [];
    this.#forRoom = undefined;
    for (const resolve of waiting) resolve();
  }

  /** At the end of this task: what one task says shares frames. Of much, some goes before: the client works on it meanwhile. */
  #flushLater(): void {
    if (this.#stage !== 'live') return;
    this.#endOfTask.ask();
    if (this.#endOfTask.asked % MANY_WAKES === 0) this.flush();
  }

  failed(error: unknown): void {
    this.#connection.failed(error);
  }

  /** Reads what the store has, and writes it. */
  round(): Answer<void> {
    if (this.#stage === 'closed') return;
    const refused = this.#refused;
    this.#refused = [];
    this.#news = false;
    const rooms = this.#session.asksForRooms();
    const { sid, epoch, gen } = this.#owner;
    const call = { sid, epoch, gen, after: this.#written, window: this.window, rooms };
    this.#asking = true;
    return after(this.#around.store.read(call), (read) => this.#got(read, refused));
  }

  #got(read: Read, refused: readonly number[]): void {
    this.#asking = false;
    if (this.#stage === 'closed') return;
    if (read.status !== 'ok') {
      // An ack that is owed here stays owed: while this is open, the store would be asked again for that, for ever.
      this.close();
      return this.#connection.noLongerOurs(read.status);
    }
    for (const seq of refused) this.#link.accept({ seq, last: seq });
    const hasMoved = !isSame(this.#handled, read.handled);
    this.#handled = read.handled;
    this.#handledElsewhere(read.handled);
    this.#session.handled(read.handled, read.rooms);
    // If another server has handled it, nothing else tells this one that the store has room, or that a claim is over.
    if (hasMoved) {
      this.#connection.finished();
      this.#session.runner.freed();
    }
    const entries = read.items.map((item) => this.#entry(item));
    this.#write(entries);
    // What came while the store was being read.
    if (this.#news) this.#flushLater();
    this.#connection.caughtUp();
  }

  /** What another server has handled has been accepted, too; its refusals have been read with this. */
  #handledElsewhere({ low, above }: Handled): void {
    const { accepted } = this.#link;
    for (let seq = accepted + 1; seq <= low; seq++) this.#link.accept({ seq, last: seq });
    for (const seq of above) this.#link.accept({ seq, last: seq });
  }

  #entry(item: OutItem): Written {
    if (item.seq !== this.#written + 1) {
      throw new Error(`the store gave number ${item.seq} where ${this.#written + 1} was due`);
    }
    const hole = 'why' in item;
    const encoded = hole ? this.#session.codec.encode([Type.GAP, item.seq, item.last, item.why]) : item.data;
    this.#written = hole ? item.last : item.seq;
    const receipt = hole ? undefined : this.#session.numbered(item.seq, item.written);
    const numbers = this.#written - item.seq + 1;
    return {
      kind: 'written',
      encoded,
      bytes: sizeOf(encoded),
      numbers,
      seq: 0,
      writtenAt: undefined,
      receipt,
    };
  }

  #write(entries: readonly Written[]): void {
    const now = this.#around.clock.now();
    const frames: WireData[] = [];
    let going: readonly (Written | Control)[] = entries;
    if (this.#stage === 'replaying') {
      // Without an ack: the first one follows the last item that is written again.
      frames.push(...this.#link.replayed(entries, now));
      this.#stage = 'live';
      going = [];
    }
    const controls = this.#controls;
    this.#controls = [];
    this.#pong = 'none';
    const all = [
      ...this.#done(going.length + controls.length > 0 || now >= this.#link.ackDueAt),
      ...going,
      ...controls,
    ];
    frames.push(...this.#link.frames(all, now));
    for (const frame of frames) this.#send(frame);
    if (entries.length === 0) return;
    this.#around.observe.messages('out', entries.length);
    this.#hasRoom();
  }

  /** What has been handled goes along with what is written anyway. */
  #done(writing: boolean): Control[] {
    const { low, above } = this.#handled;
    if (!writing || isSame(this.#handled, this.#handledTold)) return [];
    this.#handledTold = this.#handled;
    return [control(this.#session.codec, [Type.DONE, low, above])];
  }

  #send(frame: WireData): void {
    this.#transport.send(frame);
    if (this.#transport.bufferedBytes > this.#around.maxBufferedBytes) {
      this.congestedSince ??= this.#around.clock.now();
    }
  }
}

const unnumbered = (encoded: WireData): Control => ({
  kind: 'control',
  encoded,
  bytes: sizeOf(encoded),
  numbers: 0,
  seq: 0,
  writtenAt: undefined,
});

function isSame(one: Handled, other: Handled): boolean {
  const { low, above } = other;
  return (
    one.low === low && one.above.length === above.length && one.above.every((seq, at) => seq === above[at])
  );
}
