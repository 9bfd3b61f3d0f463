import type { Clock } from '@holdfast/protocol';
import { after, Loop } from '../answer.js';
import type { Answer, LoggedPublication, RoomPosition, SessionStore } from '../ports/store.js';
import type { Session } from '../session.js';
import type { LiveRoom } from './room.js';
import { RoomNews } from './room-news.js';

export interface TellingSurroundings {
  readonly store: Pick<SessionStore, 'readRoom'>;
  readonly clock: Pick<Clock, 'defer'>;
  failed(error: unknown): void;
}

/**
 * Tells the members of rooms what was published. What one task publishes in a room goes out at its end, in frames that
 * all members share: with a thousand of them, what is said eight times is written a thousand times, not eight thousand.
 */
export class Telling {
  readonly #around: TellingSurroundings;
  readonly #reading = new Map<LiveRoom<Session>, Loop>();
  /** Read, and not told yet. */
  readonly #news = new Map<LiveRoom<Session>, RoomNews>();

  constructor(around: TellingSurroundings) {
    this.#around = around;
  }

  /** The log of this room has grown. */
  grown(room: LiveRoom<Session>): void {
    let loop = this.#reading.get(room);
    if (!loop) {
      loop = new Loop({ round: () => this.#read(room), failed: this.#around.failed });
      this.#reading.set(room, loop);
    }
    loop.run();
  }

  /** Tells what there is: something is about to happen that comes after it. */
  now(): void {
    for (const room of this.#news.keys()) this.#tell(room);
  }

  /** Nobody is in it any more. */
  forget(room: LiveRoom<Session>): void {
    this.#reading.delete(room);
    this.#news.delete(room);
  }

  #read(room: LiveRoom<Session>): Answer<void> {
    const { name, told, bounds } = room;
    if (!told) return;
    return after(this.#around.store.readRoom({ room: name, after: told, bounds }), ({ top, items, gap }) => {
      room.told = top;
      // Part of the log is gone. What follows does not fit to what members were told: each reads on from where it stands.
      if (gap) this.#tell(room);
      const from = gap ? { epoch: top.epoch, offset: gap.to } : told;
      for (const publication of items) this.#add(room, from, publication);
    });
  }

  #add(room: LiveRoom<Session>, from: RoomPosition, publication: LoggedPublication): void {
    // Changes of the members that came before it are told before it.
    room.untold?.tell();
    const known = this.#news.get(room);
    if (known?.add(publication)) return;
    this.#tell(room);
    const news = new RoomNews(room, known?.to ?? from);
    news.add(publication);
    this.#news.set(room, news);
    this.#around.clock.defer(() => this.#tell(room, news));
  }

  /** `only`: unless it has been told already. */
  #tell(room: LiveRoom<Session>, only?: RoomNews): void {
    const news = this.#news.get(room);
    if (!news || (only && only !== news)) return;
    this.#news.delete(room);
    for (const { attachment } of room.members) {
      try {
        attachment?.lanes.news(news);
      } catch (error) {
        // It concerns one connection: all others are told. At the end of a task nobody else would catch it.
        this.#around.failed(error);
      }
    }
  }
}
