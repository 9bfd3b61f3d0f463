import type { Codec, WireData } from '@holdfast/protocol';
import type { LoggedPublication, RoomPosition } from '../ports/store.js';
import { sizeOf } from '../size-of.js';
import type { NumberedRoom } from './room.js';

/** So many publications go into one frame at most, and so many bytes, unless a single one has more. */
const MAX_TOGETHER = 32;
const MAX_BYTES = 65_536;

/** What was published in a room, on its way to the members: for all that are up to date, the same frame. */
export class RoomNews {
  readonly room: NumberedRoom;
  /** For whoever has been told everything up to here. */
  readonly after: RoomPosition;
  readonly #publications: LoggedPublication[] = [];
  #to: RoomPosition;
  #bytes = 0;
  /** Whether somebody is not to get one of them. */
  #forAll: 'all' | 'some' = 'all';
  /** By the names of their codecs. */
  readonly #frames = new Map<string, WireData>();

  constructor(room: NumberedRoom, after: RoomPosition) {
    this.room = room;
    this.after = after;
    this.#to = after;
  }

  get publications(): readonly LoggedPublication[] {
    return this.#publications;
  }

  /** Where somebody stands who has been told all of them. */
  get to(): RoomPosition {
    return this.#to;
  }

  get isForAll(): boolean {
    return this.#forAll === 'all';
  }

  /** Everything between the last one and this one is for nobody any more. False if it has no place. */
  add(publication: LoggedPublication): boolean {
    const bytes = sizeOf(publication.event);
    const { length } = this.#publications;
    if (length > 0 && (length >= MAX_TOGETHER || this.#bytes + bytes > MAX_BYTES)) return false;
    this.#publications.push(publication);
    this.#bytes += bytes;
    this.#to = { epoch: this.after.epoch, offset: publication.offset };
    if (publication.except.size > 0) this.#forAll = 'some';
    this.#frames.clear();
    return true;
  }

  /** All of them: the same bytes for every member with that codec. */
  frame(codec: Codec): WireData {
    const known = this.#frames.get(codec.name);
    if (known !== undefined) return known;
    const data = this.room.frame(this.#publications, codec);
    this.#frames.set(codec.name, data);
    return data;
  }
}

/** Publications of one room, in order, as news that follow on each other. */
export function newsOf(
  room: NumberedRoom,
  after: RoomPosition,
  publications: readonly LoggedPublication[],
): RoomNews[] {
  const all: RoomNews[] = [];
  for (const publication of publications) {
    const last = all.at(-1);
    if (last?.add(publication)) continue;
    const next = new RoomNews(room, last?.to ?? after);
    next.add(publication);
    all.push(next);
  }
  return all;
}
