import { type Codec, type MemberChange, type PublicationItem, Type, type WireData } from '@holdfast/protocol';
import type { LogBounds, LoggedPublication, RoomPosition } from '../ports/store.js';
import type { MemberChanges } from './member-changes.js';
import type { Roll } from './roll.js';
import { translated } from './translated.js';

/** A room, as it stands in publications. */
export interface NumberedRoom {
  readonly name: string;
  /** Stands for the name in publications. */
  readonly number: number;
  /** Of its log. */
  readonly bounds: LogBounds;
  /** Events of the log as a frame for a connection. */
  frame(publications: readonly LoggedPublication[], codec: Codec): WireData;
}

/**
 * A room on this server: its number in publications, the sessions in it, and who is there. What was said in it
 * stands in the store; where a member stands in it is the member's own business.
 */
export class LiveRoom<M> implements NumberedRoom {
  readonly name: string;
  /** Stands for the name in publications. */
  readonly number: number;
  /** Attached or not. */
  readonly members = new Set<M>();
  /** Who is there, on whatever server; undefined: nobody here has to know. */
  roll: Roll | undefined;
  /** What has changed in that, and the members have not been told. */
  untold: MemberChanges | undefined;
  /** Members that were told how their users stand with them, before the store has said it; and what they were told. */
  readonly promised = new Map<M, MemberChange>();
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

  /** Events of the log as a frame for a connection. */
  frame(publications: readonly LoggedPublication[], codec: Codec): WireData {
    const isOurs = codec.name === this.#codec.name;
    const items = publications.map(({ event, offset }) =>
      isOurs ? codec.publication(event, this.number, offset) : this.#translated(event, offset, codec),
    );
    return codec.frame(0, 0, items);
  }

  /** What one codec can say and another cannot is a hole for who speaks the other. */
  #translated(event: WireData, offset: number, codec: Codec): WireData {
    try {
      const [, name, data, meta] = translated(event, this.#codec, codec);
      return codec.encode([Type.PUB, this.number, offset, name, data, meta]);
    } catch {
      return codec.encode([Type.GAP, offset, offset, 'codec', this.number]);
    }
  }

  /** Something about the room that is no part of its log: no position moves. */
  aside(name: string, data: unknown, at: number): PublicationItem {
    return [Type.PUB, this.number, this.told?.offset ?? 0, name, data, { t: at }];
  }
}
