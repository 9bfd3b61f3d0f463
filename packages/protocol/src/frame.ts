/**
 * What stands on the wire: a WebSocket message is one array, `[ack, firstSeq, item, item, …]`.
 * PROTOCOL.md is the reference; `parse-frame.ts` checks what comes in.
 */

import type { ContractVersions } from './contract-version.js';

/** Version of the protocol; its major number stands in the subprotocol, too. */
export const PROTOCOL_VERSION = 1;

/** Largest first frame of a client, bytes; every server takes messages of this size. */
export const MAX_HELLO_BYTES = 8_192;

/** Most items in one frame. */
export const MAX_ITEMS = 256;

/** What came over the wire breaks the protocol. The connection ends with 4400; the process goes on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** First element of each item. PROTOCOL.md says which of them are spoken today and which are reserved. */
export const Type = {
  HELLO: 0,
  WELCOME: 1,
  EVT: 2,
  REQ: 3,
  RES: 4,
  ERR: 5,
  PUB: 6,
  PING: 7,
  PONG: 8,
  CREDIT: 9,
  AUTH: 10,
  GOAWAY: 11,
  GAP: 12,
  BYE: 13,
  CANCEL: 14,
  SYNC: 15,
  DONE: 16,
  STREAM_ITEM: 17,
  STREAM_END: 18,
  STREAM_CREDIT: 19,
  VOL: 20,
  ACK_NOW: 21,
} as const;

/** Types below this are the protocol's; an unknown one closes 4400. From here on an unknown one is ignored. */
export const FIRST_EXTENSION = 32;

/** What goes with a payload; left out when empty. */
export interface WireMeta {
  /** Message id, made by the sender. */
  readonly i?: string | undefined;
  /** Server's clock at acceptance, ms since 1970. */
  readonly t?: number | undefined;
  /** Sender's clock when it was sent, ms since 1970; nobody vouches for it. */
  readonly s?: number | undefined;
  /** Room: up, and in a VOL. */
  readonly r?: string | undefined;
  /** User id of the sender; set by the server, never believed from a client. */
  readonly f?: string | undefined;
  /** W3C traceparent (Trace Context, section 3.2); what is none is ignored. */
  readonly c?: string | undefined;
  /** Of a durable message: the outbox from which it comes, and its number there. */
  readonly o?: OutboxPlace | undefined;
  /** 1 if the payload is `undefined`, for which JSON has no word. */
  readonly u?: 1 | undefined;
  /** Of what was published in several rooms at once: the same word in each of them, and in nothing else. */
  readonly m?: string | undefined;
  /** Of a request: it is to be answered with a stream, of which so many items may come at first. */
  readonly q?: number | undefined;
}

/** A durable message beyond its session: which outbox of its user, and its number there, which rises. */
export type OutboxPlace = readonly [outbox: string, n: number];

/** How much may be on the wire and not yet acknowledged: messages, bytes. */
export type Window = readonly [messages: number, bytes: number];

/** First frame of a client. */
export interface Hello {
  readonly v: number;
  /** Nonce: names the session to be made. */
  readonly c: string;
  /** Attach number: rises with each dial. */
  readonly n: number;
  /** Window of the client. */
  readonly w: Window;
  /** Token. */
  readonly a?: string | undefined;
  /** Version of the contract and the oldest one of the other end that it is understood by; absent: no contract. */
  readonly cv?: ContractVersions | undefined;
  /** Features, none of which exist yet. */
  readonly f?: readonly string[] | undefined;
  /** Session to come back to; the four below belong to it. */
  readonly s?: string | undefined;
  /** Resume key. */
  readonly k?: string | undefined;
  /** Epoch of the session. */
  readonly e?: string | undefined;
  /** Highest number that has been dispatched here. */
  readonly x?: number | undefined;
  /** Highest ack that has been seen here. */
  readonly y?: number | undefined;
  /** Most requests of the server's that the client has open at once; absent: `MAX_OPEN_REQUESTS`. */
  readonly q?: number | undefined;
}

/** Most requests of the server's without an answer, of a client that does not say how many it takes. */
export const MAX_OPEN_REQUESTS = 100;

/** What became of the session that a HELLO asked for. */
export const Verdict = { NEW: 0, RESUMED: 1, LOST: 2 } as const;

/** First frame of the server. */
export interface Welcome {
  readonly v: number;
  /** Session id. */
  readonly s: string;
  readonly q: (typeof Verdict)[keyof typeof Verdict];
  /** User id. */
  readonly u: string;
  /** Interval of the server's pings, ms. */
  readonly h: number;
  /** Window of the server. */
  readonly w: Window;
  /** Largest WebSocket message, bytes. */
  readonly m: number;
  /** Most requests without an answer. */
  readonly o: number;
  /** How long the session waits for its client, ms. */
  readonly ttl: number;
  /** What an acknowledged message survives: `memory`, `node` or `disk`. */
  readonly d: string;
  /** Resume key, for the next HELLO; with a verdict of 0 or 1. */
  readonly k?: string | undefined;
  /** Epoch; with a verdict of 0 or 1. */
  readonly e?: string | undefined;
  /** Highest number that was accepted; with a verdict of 1. */
  readonly x?: number | undefined;
  /** What was handled of a lost session: everything up to the first, and these above it. */
  readonly p?: readonly [low: number, above: readonly number[]] | undefined;
  /** Refusals of a lost session that were never acknowledged. */
  readonly lost?: readonly ErrorItem[] | undefined;
  /** Over how long clients are to spread their first attempt after a loss, ms; absent: as they like. */
  readonly r?: number | undefined;
  /** Server's clock, ms since 1970. */
  readonly t?: number | undefined;
  /** How long it took the server to answer the HELLO, ms. */
  readonly took?: number | undefined;
  /** How long the server knows what durable outboxes have had accepted, ms; absent: not beyond the session. */
  readonly dw?: number | undefined;
  /** In how many ms the token expires; absent: never, as far as the server knows. */
  readonly exp?: number | undefined;
  /** As in HELLO. */
  readonly cv?: ContractVersions | undefined;
  /** Features of both ends. */
  readonly f?: readonly string[] | undefined;
}

export type HelloItem = readonly [typeof Type.HELLO, Hello];
export type WelcomeItem = readonly [typeof Type.WELCOME, Welcome];
export type EventItem = readonly [typeof Type.EVT, name: string, data: unknown, meta?: WireMeta | undefined];
export type RequestItem = readonly [
  typeof Type.REQ,
  method: string,
  data: unknown,
  meta?: WireMeta | undefined,
];
export type ResponseItem = readonly [typeof Type.RES, seq: number, result: unknown];
export type ErrorItem = readonly [typeof Type.ERR, seq: number, code: string, message: string, data: unknown];
export type PublicationItem = readonly [
  typeof Type.PUB,
  room: number,
  offset: number,
  name: string,
  data: unknown,
  meta?: WireMeta | undefined,
];
export type PingItem = readonly [typeof Type.PING];
export type PongItem = readonly [typeof Type.PONG];
/** A hole: numbers that will not come, in the direct lane or, with a room's number, in the room's. */
export type GapItem = readonly [typeof Type.GAP, from: number, to: number, why: string, room?: number];
/** `version`: of the server's contract, where that is the reason. */
export type ByeItem = readonly [typeof Type.BYE, code: string, message: string, version?: number];
export type CancelItem = readonly [typeof Type.CANCEL, seq: number];
export type SyncItem = readonly [typeof Type.SYNC, readonly RoomSync[]];
/**
 * Up: where the client stands in a room. Down: from where it flows on this connection, and its number there; 0: the
 * session is not in the room, or not any more.
 */
export type RoomSync = readonly [room: string, epoch: string, offset: number, number?: number];
export type CreditItem = readonly [typeof Type.CREDIT, messages: number, bytes: number];
export type DoneItem = readonly [typeof Type.DONE, upTo: number, above: readonly number[]];
/** Up: a fresh token. Down: accepted; the token expires in so many ms, never if that is absent. */
export type AuthItem =
  | readonly [typeof Type.AUTH, token: string]
  | readonly [typeof Type.AUTH, expiresInMs?: number];
/** The server asks for a connection elsewhere, after so many ms; until then this one is good. */
export type GoawayItem = readonly [typeof Type.GOAWAY, reason: string, afterMs: number];
/** An event that is worth something now or never: without a number, without an ack. */
export type VolatileItem = readonly [
  typeof Type.VOL,
  name: string,
  data: unknown,
  meta?: WireMeta | undefined,
];
/** Somebody waits for the ack of what this frame holds, and of what came before. */
export type AckNowItem = readonly [typeof Type.ACK_NOW];
/** The next one of a stream; `seq`: number of the request that opened it. */
export type StreamItem = readonly [typeof Type.STREAM_ITEM, seq: number, data: unknown];
/** The stream is over; with a code: it broke off. */
export type StreamEndItem =
  | readonly [typeof Type.STREAM_END, seq: number]
  | readonly [typeof Type.STREAM_END, seq: number, code: string, message: string, data: unknown];
/** How many items of a stream the server may have written, from its beginning on. */
export type StreamCreditItem = readonly [typeof Type.STREAM_CREDIT, seq: number, total: number];

export type Item =
  | HelloItem
  | WelcomeItem
  | EventItem
  | RequestItem
  | ResponseItem
  | ErrorItem
  | PublicationItem
  | PingItem
  | PongItem
  | GapItem
  | ByeItem
  | CancelItem
  | SyncItem
  | CreditItem
  | AuthItem
  | GoawayItem
  | DoneItem
  | VolatileItem
  | AckNowItem
  | StreamItem
  | StreamEndItem
  | StreamCreditItem;

export interface Frame {
  /** Highest number that the sender of this frame has accepted, without a hole; 0: no news. */
  readonly ack: number;
  /** Number of the first sequenced item in this frame; 0 where there is none. */
  readonly firstSeq: number;
  readonly items: readonly Item[];
}

/** Items that carry a number of the session's direct lane. */
export function isSequenced(item: Item): boolean {
  switch (item[0]) {
    case Type.EVT:
    case Type.REQ:
    case Type.RES:
    case Type.ERR:
    case Type.CANCEL:
    case Type.STREAM_ITEM:
    case Type.STREAM_END:
      return true;
    case Type.GAP:
      return item[4] === undefined;
    default:
      return false;
  }
}

/** Requests by which the protocol itself works; what they say stands in PROTOCOL.md. */
export const JOIN = '$join';
export const LEAVE = '$leave';
export const PRESENCE = '$presence';
/** Publication that tells of a change of a room's members. */
export const MEMBER = '$member';
/** Publication that tells all members of a room, to one who comes back to it. */
export const MEMBERS = '$members';

/** Payload of `$join`: the room, and where this client stood in it before, if it did. */
export interface JoinRequest {
  readonly room: string;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  /** Ids of this client's earlier sessions: what they published is not delivered to it. */
  readonly replaced?: readonly string[] | undefined;
  /** What this client tells the room about itself. */
  readonly presence?: unknown;
  /** Of a namespace: the versions of its contract that this client understands. */
  readonly cv?: ContractVersions | undefined;
}
/** Payload of `$presence`: what this client tells the room about itself from now on. */
export interface PresenceRequest {
  readonly room: string;
  readonly presence?: unknown;
}
/** Reply to `$join`. */
export interface JoinReply {
  readonly epoch: string;
  /** From where on the room is for one who is new: as a rule, its newest offset. */
  readonly offset: number;
  /** Who is there; absent where the room's rule has no presence. */
  readonly members?: readonly MemberChange[] | undefined;
}
/** Payload of `$leave`. */
export interface LeaveRequest {
  readonly room: string;
}
/** Payload of a `$member` publication; 0 sessions: this user is gone. `presence`: what it tells about itself, as JSON. */
export type MemberChange = readonly [userId: string, sessions: number, presence?: string | undefined];
