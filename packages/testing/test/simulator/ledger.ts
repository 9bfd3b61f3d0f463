import type { Delivery, Receipt } from '@holdfast/client';
import type { SimProcess } from './sim-process.js';

/** What an application asks the handlers of the server to do with a message. */
export type Wish =
  /** Nothing more. */
  | 'plain'
  | 'throw'
  /** Refuse it at once. */
  | 'refuse'
  /** Go to nobody: there is no handler, so it is refused before it is accepted. */
  | 'unheard'
  /** Take a while. */
  | 'slow'
  /** Send something back and go on. */
  | 'answer'
  /** Send something back and wait until it has been acknowledged. */
  | 'wait-for-answer'
  /** Publish in a room. */
  | 'announce'
  /** Ask the client something that makes it ask the server something, and wait. */
  | 'consult';

/** What a server asks the handler of a client to do. */
export type AskWish =
  | 'plain'
  | 'refuse'
  | 'throw'
  /** There is no handler. */
  | 'unheard'
  | 'slow'
  /** Until nobody waits any more. */
  | 'hang'
  /** Ask the server, and wait for its answer. */
  | 'ask-back';

/** Something that a server has asked one client. */
export interface Asked {
  readonly index: number;
  readonly sid: string;
  readonly wish: AskWish;
  readonly ms: number;
  /** Of who asked. */
  readonly process: SimProcess;
  /** Of its handler, at the client. */
  readonly runs: { readonly process: SimProcess; state: 'running' | 'over' | 'aborted' }[];
  /** `ok`, or code and delivery of the error. */
  outcome: string | undefined;
}

/** How a stream ends: by itself, not at all, by a refusal or a fault of its handler, or before it has begun. */
export type StreamWish = 'count' | 'endless' | 'refuse' | 'throw' | 'unheard';

/** A stream that a client has opened. */
export interface Streamed {
  readonly index: number;
  readonly wish: StreamWish;
  readonly length: number;
  readonly yieldMs: number;
  readonly readMs: number;
  readonly leaveAfter: number;
  readonly filler: string | undefined;
  /** Of who reads. */
  readonly process: SimProcess;
  /** Of its handler, at a server. */
  readonly runs: { readonly process: SimProcess; state: 'running' | 'over' }[];
  /** How many items have been read. */
  read: number;
  /** `done`, `left`, or code and delivery of the error. */
  outcome: string | undefined;
}

/** As it stands in a message of a client; publications have the same. */
export interface Words {
  readonly by: number;
  readonly k: number;
  readonly wish: Wish;
  readonly ms: number;
  readonly filler?: string | undefined;
}

/** A handler was started for a message. */
export interface Start {
  readonly process: SimProcess;
  readonly sid: string;
  readonly at: number;
  readonly redelivered: boolean;
  /** The handler has come to its end. */
  finished: boolean;
}

/** Something that a client has sent. */
export interface Said {
  readonly by: number;
  /** Who used that client then. */
  readonly user: string;
  readonly k: number;
  readonly kind: 'event' | 'request' | 'publication';
  readonly room: string | undefined;
  readonly delivery: Delivery;
  /** The one before it under the same key: if it gives way, its place becomes this one's. */
  readonly before: Said | undefined;
  readonly sentAt: number;
  /** Session and number, of each session in which it was on the wire. */
  readonly places: string[];
  readonly starts: Start[];
  /** `ok` if it was acknowledged, another way to end well, or code and delivery of the error. */
  outcome: string | undefined;
  outcomeAt: number;
  /** A lost session has named it among those of which nobody knows, after it had been acknowledged. */
  toldUnknown: boolean;
}

/** Something that a server has sent to one session. */
export interface Down {
  /** Who sent it: a life of a server. */
  readonly writer: string;
  readonly sid: string;
  readonly k: number;
  readonly process: SimProcess;
  outcome: string | undefined;
  /** How often a client has heard it. */
  heard: number;
}

/** All that was ever said by anybody, and what became of it. */
export class Ledger {
  readonly #said = new Map<number, Said[]>();
  readonly #downs = new Map<string, Down[]>();
  /** How often a reply came to each request. */
  publicationsOfServers = 0;
  readonly asked: Asked[] = [];
  readonly streams: Streamed[] = [];
  readonly #classes: 'all' | 'reliable';

  /** `classes`: which classes of delivery clients have. */
  constructor(classes: 'all' | 'reliable') {
    this.#classes = classes;
  }

  saidBy(app: number): Said[] {
    let said = this.#said.get(app);
    if (!said) {
      said = [];
      this.#said.set(app, said);
    }
    return said;
  }

  downs(writer: string, sid: string): Down[] {
    const key = `${writer} ${sid}`;
    let downs = this.#downs.get(key);
    if (!downs) {
      downs = [];
      this.#downs.set(key, downs);
    }
    return downs;
  }

  /** Something that a client is about to say; which events are of another class than usual depends on their number. */
  say(said: Pick<Said, 'by' | 'user' | 'kind' | 'room' | 'sentAt'>): Said {
    const all = this.saidBy(said.by);
    const k = all.length;
    const delivery = said.kind === 'event' && this.#classes === 'all' ? deliveryOf(k) : 'reliable';
    // Each namespace has keys of its own.
    const isAlike = (one: Said): boolean => one.delivery === 'latest' && one.room === said.room;
    const before = delivery === 'latest' ? all.findLast(isAlike) : undefined;
    const open = { outcome: undefined, outcomeAt: Infinity, toldUnknown: false };
    const entry: Said = { ...said, ...open, k, delivery, before, places: [], starts: [] };
    all.push(entry);
    return entry;
  }

  /** What a client has said that has no outcome yet: what waits, and what is on the wire. */
  open(app: number): { readonly messages: number; readonly inflight: number } {
    const open = this.saidBy(app).filter(({ outcome }) => outcome === undefined);
    const written = open.filter(({ places }) => places.length > 0);
    // An answer may take its time, long after the ack.
    const inflight = written.filter(({ kind }) => kind !== 'request').length;
    return { messages: open.length - written.length, inflight };
  }

  *allSaid(): Generator<Said> {
    for (const said of this.#said.values()) yield* said;
  }

  *allDowns(): Generator<Down> {
    for (const downs of this.#downs.values()) yield* downs;
  }
}

function deliveryOf(k: number): Delivery {
  if (k % 13 === 7) return 'volatile';
  return k % 11 === 5 ? 'latest' : 'reliable';
}

/** Where it stands among what its client says: a `latest` one takes the place of the one that gave way to it. */
export function placeOf({ k, before }: Said): number {
  const gaveWay = lastTaken(before);
  return gaveWay?.outcome === 'superseded' ? placeOf(gaveWay) : k;
}

/** What was said for a room that its client was not in has had no place, so nothing can have taken it. */
const lastTaken = (said: Said | undefined): Said | undefined =>
  said?.outcome === 'ERR_NOT_JOINED unsent' ? lastTaken(said.before) : said;

/** How it was rejected, as one word or two. */
export function outcomeOf(error: unknown): string {
  const { code, delivery, name } = error as { code?: string; delivery?: string; name?: string };
  return [code ?? name ?? String(error), delivery].filter((part) => part !== undefined).join(' ');
}

/** How it ended where it did not fail; of a request, any answer. */
export function endOf(receipt: unknown): string {
  const { outcome = 'acknowledged' } = (receipt ?? {}) as Partial<Receipt>;
  return outcome === 'acknowledged' ? 'ok' : outcome;
}
