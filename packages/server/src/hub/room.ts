import {
  type Codec,
  decodePayload,
  type EventItem,
  encodePayload,
  type PublicationItem,
  Type,
  type WireData,
} from '@holdfast/protocol';
import type { LogBounds, LoggedPublication, RoomPosition } from '../ports/store.js';
import type { User } from '../types.js';
import { RoomPresence } from './room-presence.js';

/** A publication on its way to the members of a room. */
export interface RoomNews {
  readonly room: string;
  readonly epoch: string;
  readonly publication: LoggedPublication;
  /** A frame of its own: the same bytes for every member with that codec. */
  frame(codec: Codec): WireData;
}

/** A room, as it stands in publications. */
export interface NumberedRoom {
  readonly name: string;
  /** Stands for the name in publications. */
  readonly number: number;
  /** Of its log. */
  readonly bounds: LogBounds;
  /** An event of the log as a frame for a connection. */
  frame(event: WireData, offset: number, codec: Codec): WireData;
}

/**
 * A room on this server: its number in publications, the sessions in it, and who of them is there. What was said in it
 * stands in the store; where a member stands in it is the member's own business.
 */
export class LiveRoom<M extends { readonly user: User }> implements NumberedRoom {
  readonly name: string;
  /** Stands for the name in publications. */
  readonly number: number;
  /** Attached or not. */
  readonly members = new Set<M>();
  /** Which of them are there. */
  readonly presence = new RoomPresence<M>();
  /** Up to where the members have been told; undefined before anybody was in. */
  told: RoomPosition | undefined;
  /** In which the log is written. */
  readonly #codec: Codec;
  readonly #bounds: () => LogBounds;

  constructor(name: string, number: number, codec: Codec, bounds: () => LogBounds) {
    this.name = name;
    this.number = number;
    this.#codec = codec;
    this.#bounds = bounds;
  }

  get bounds(): LogBounds {
    return this.#bounds();
  }

  news(epoch: string, publication: LoggedPublication): RoomNews {
    const frames = new Map<Codec, WireData>();
    const frame = (codec: Codec): WireData => {
      const known = frames.get(codec);
      if (known !== undefined) return known;
      const data = this.frame(publication.event, publication.offset, codec);
      frames.set(codec, data);
      return data;
    };
    return { room: this.name, epoch, publication, frame };
  }

  /** An event of the log as a frame for a connection. */
  frame(event: WireData, offset: number, codec: Codec): WireData {
    if (codec.name === this.#codec.name) {
      return codec.frame(0, 0, [codec.publication(event, this.number, offset)]);
    }
    return codec.frame(0, 0, [this.#otherwise(event, offset, codec)]);
  }

  /** What one codec can say and another cannot is a hole for who speaks the other. */
  #otherwise(event: WireData, offset: number, codec: Codec): WireData {
    try {
      const [, , item] = this.#codec.decode(this.#codec.frame(0, 1, [event])) as [number, number, EventItem];
      const [, name, data, meta] = item;
      const info = { kind: 'event', name, from: 'server' } as const;
      const payload = meta?.u ? undefined : decodePayload(this.#codec, data, info);
      return codec.encode([Type.PUB, this.number, offset, name, encodePayload(codec, payload, info), meta]);
    } catch {
      return codec.encode([Type.GAP, offset, offset, 'codec', this.number]);
    }
  }

  /** Something about the room that is no part of its log: no position moves. */
  aside(name: string, data: unknown, at: number): PublicationItem {
    return [Type.PUB, this.number, this.told?.offset ?? 0, name, data, { t: at }];
  }
}
