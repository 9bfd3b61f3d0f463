import {
  FIRST_EXTENSION,
  type Frame,
  type Item,
  isSequenced,
  type JoinReply,
  type JoinRequest,
  type LeaveRequest,
  type MemberChange,
  Type,
  type WireMeta,
} from './frame.js';

/** Most items in one frame. */
export const MAX_ITEMS = 256;
/** Most earlier sessions that a `$join` names: more reconnects than that within one room's log do not happen. */
export const MAX_REPLACED = 32;

/** What came over the wire breaks the protocol. The connection ends with 4400; the process goes on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Checks what a codec has decoded. Throws a `FrameError` that names what is wrong; never anything else. */
export function parseFrame(value: unknown): Frame {
  if (!Array.isArray(value)) throw new FrameError(`a frame must be an array, not ${kindOf(value)}`);
  const [ack, firstSeq, ...rawItems] = value as unknown[];
  if (rawItems.length > MAX_ITEMS) {
    throw new FrameError(`a frame may hold ${MAX_ITEMS} items, not ${rawItems.length}`);
  }
  const items: Item[] = [];
  for (const raw of rawItems) {
    const item = parseItem(raw);
    if (item) items.push(item);
  }
  const frame = { ack: counter(ack, 'ack'), firstSeq: counter(firstSeq, 'firstSeq'), items };
  if (items.some(isSequenced) !== frame.firstSeq > 0) {
    throw new FrameError('firstSeq must be 0 exactly where no item is sequenced');
  }
  return frame;
}

function parseItem(raw: unknown): Item | undefined {
  if (!Array.isArray(raw)) throw new FrameError(`an item must be an array, not ${kindOf(raw)}`);
  const [type, a, b, c, d, e] = raw as unknown[];
  switch (counter(type, 'type')) {
    case Type.HELLO:
      return [Type.HELLO, parseHello(a)];
    case Type.WELCOME:
      return [Type.WELCOME, parseWelcome(a)];
    case Type.EVT: {
      const meta = parseMeta(c);
      return [Type.EVT, text(a, 'event name'), meta.u ? undefined : b, meta];
    }
    case Type.REQ:
      return [Type.REQ, text(a, 'method'), b];
    case Type.RES:
      return [Type.RES, seq(a), b];
    case Type.ERR:
      return [Type.ERR, seq(a), text(b, 'error code'), text(c, 'error message'), d];
    case Type.PUB: {
      const meta = parseMeta(e);
      const name = text(c, 'event name');
      return [Type.PUB, seq(a), seq(b), name, meta.u ? undefined : d, meta];
    }
    case Type.PING:
      return [Type.PING];
    case Type.PONG:
      return [Type.PONG];
    case Type.GAP:
      return [Type.GAP, counter(a, 'from'), counter(b, 'to'), text(c, 'reason'), seq(d)];
    case Type.BYE:
      return [Type.BYE, text(a, 'code'), text(b, 'message')];
    case Type.CANCEL:
      return [Type.CANCEL, seq(a)];
    case Type.SYNC:
      return [Type.SYNC, list(a, 'rooms').map(parseRoomSync)];
    default:
      if ((type as number) >= FIRST_EXTENSION) return undefined;
      throw new FrameError(`unknown item type ${type}`);
  }
}

function parseHello(value: unknown) {
  const { v, c, n, a, s } = record(value, 'HELLO');
  return {
    v: counter(v, 'HELLO.v'),
    c: text(c, 'HELLO.c'),
    n: seq(n),
    ...(a === undefined ? {} : { a: text(a, 'HELLO.a', 8192) }),
    ...(s === undefined ? {} : { s: text(s, 'HELLO.s') }),
  };
}

function parseWelcome(value: unknown) {
  const { v, s, q, u, h, w, m } = record(value, 'WELCOME');
  if (q !== 0 && q !== 2) throw new FrameError('WELCOME.q must be 0 or 2');
  const [messages, bytes] = list(w, 'WELCOME.w');
  return {
    v: counter(v, 'WELCOME.v'),
    s: text(s, 'WELCOME.s'),
    q: q as 0 | 2,
    u: text(u, 'WELCOME.u', 256),
    h: seq(h),
    w: [seq(messages), seq(bytes)] as const,
    m: seq(m),
  };
}

function parseMeta(value: unknown): WireMeta {
  if (value === undefined || value === null) return {};
  const { i, t, r, f, u } = record(value, 'meta');
  return {
    ...(i === undefined ? {} : { i: text(i, 'meta.i') }),
    ...(t === undefined ? {} : { t: counter(t, 'meta.t') }),
    ...(r === undefined ? {} : { r: text(r, 'meta.r') }),
    ...(f === undefined ? {} : { f: text(f, 'meta.f', 256) }),
    ...(u === 1 ? { u } : {}),
  };
}

function parseRoomSync(value: unknown) {
  const [room, epoch, offset, number] = list(value, 'room');
  return [text(room, 'room'), text(epoch, 'epoch'), counter(offset, 'offset'), seq(number)] as const;
}

/** The payload of `$join`. */
export function parseJoinRequest(value: unknown): JoinRequest {
  const { room, epoch, offset, replaced } = record(value, '$join');
  const name = text(room, '$join room');
  if (epoch === undefined) return { room: name };
  const sessions = replaced === undefined ? [] : list(replaced, '$join replaced').slice(-MAX_REPLACED);
  return {
    room: name,
    epoch: text(epoch, '$join epoch'),
    offset: counter(offset, '$join offset'),
    replaced: sessions.map((id) => text(id, '$join replaced')),
  };
}

/** The reply to `$join`. */
export function parseJoinReply(value: unknown): JoinReply {
  const { epoch, offset, members } = record(value, '$join reply');
  const at = { epoch: text(epoch, 'epoch'), offset: counter(offset, 'offset') };
  return members === undefined ? at : { ...at, members: list(members, 'members').map(parseMemberChange) };
}

/** The payload of `$leave`. */
export function parseLeaveRequest(value: unknown): LeaveRequest {
  return { room: text(record(value, '$leave').room, '$leave room') };
}

/** The payload of a `$member` publication, and an entry of a join's reply. */
export function parseMemberChange(value: unknown): MemberChange {
  const [userId, sessions] = list(value, 'member');
  return [text(userId, 'user id', 256), counter(sessions, 'sessions')];
}

/** A whole number from 0 to 2⁵³−1. */
function counter(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new FrameError(`${what} must be a whole number, not ${kindOf(value)}`);
  }
  return value as number;
}

/** A counter that starts at 1. */
function seq(value: unknown): number {
  if (counter(value, 'number') === 0) throw new FrameError('numbers start at 1');
  return value as number;
}

function text(value: unknown, what: string, maxLength = 128): string {
  if (typeof value !== 'string') throw new FrameError(`${what} must be a string, not ${kindOf(value)}`);
  if (value.length > maxLength) {
    throw new FrameError(`${what} may have ${maxLength} characters, not ${value.length}`);
  }
  return value;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new FrameError(`${what} must be an array, not ${kindOf(value)}`);
  return value;
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError(`${what} must be an object, not ${kindOf(value)}`);
  }
  return value as Record<string, unknown>;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value === 'number' ? String(value) : typeof value;
}
