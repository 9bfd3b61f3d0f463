import type { Codec, WireData } from '@holdfast/protocol';
import type { Refusal } from './gateway/token.js';
import type { Aside } from './hub/aside.js';
import type { NumberedRoom } from './hub/room.js';
import type { RoomNews } from './hub/room-news.js';
import type { Answer, RoomPosition } from './ports/store.js';
import type { Handshake } from './types.js';

/** The rooms that flow on a connection. */
export interface RoomLanes {
  open(room: NumberedRoom, wanted: RoomPosition): Answer<void>;
  close(room: string): void;
  /** As `close`; the client is told that it is out. */
  shut(room: string): void;
  news(news: RoomNews): void;
  aside(room: string, said: Aside): void;
  cast(room: string, except: ReadonlySet<string>, frame: (codec: Codec) => WireData | undefined): void;
  positionIn(room: string): RoomPosition | undefined;
}

/** The connection of a session, as the rest of the server uses it. */
export interface SessionConnection {
  readonly gen: number;
  /** What its HTTP request said. */
  readonly handshake: Handshake;
  readonly live: boolean;
  /** Also: its client has said where it stands in its rooms. Before, it would not know that it was out of one meanwhile. */
  readonly flowing: boolean;
  readonly lanes: RoomLanes;
  /** The handlers of this message have been started. */
  started(seq: number): void;
  /** They have refused it. */
  refused(seq: number): void;
  /** One of its messages has been handled: what came behind it may have waited for that. */
  finished(): void;
  /** The store has something for this client. */
  wake(): void;
  /** Writes what the store has, at once if the store answers at once and the socket takes it. */
  written(): Answer<void>;
  /** Writes this frame now, or not at all: says which. */
  cast(frame: WireData): boolean;
  /** Asks the client to connect elsewhere after so many ms. */
  goAway(reason: string, afterMs: number): void;
  /** The session is over: says why, and lets the connection go. */
  end(reason: string): void;
  /** Another connection has the session: this one counts no more, and is closed in a moment. */
  retire(): void;
  /** Says why the client is not let in any more, and closes. */
  refuse(refusal: Refusal): void;
  drop(code: number, reason: string): void;
}
