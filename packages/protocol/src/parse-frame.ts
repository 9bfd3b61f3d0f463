import {
  FIRST_EXTENSION,
  type Frame,
  type Item,
  isSequenced,
  type JoinReply,
  type JoinRequest,
  type LeaveRequest,
  type MemberChange,
  PROTOCOL_VERSION,
  type PresenceRequest,
  Type,
  Verdict,
} from './frame.js';
import type { Member } from './messages.js';

/** Most items in one frame. */
export const MAX_ITEMS = 256;

/** Most earlier sessions that a `$join` names. */
export const MAX_REPLACED = 32;

/** What came over the wire breaks the protocol. The connection ends with 4400; the process goes on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** What is wrong with a value, and where in it. */
interface Flaw {
  readonly path: string;
  readonly text: string;
}
/** Undefined: the value is what it should be. Where it stands is put together only for one that is not. */
type Check = (value: unknown) => Flaw | undefined;

function flaw(expected: string, value: unknown): Flaw {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
  return { path: '', text: `must be ${expected}, not ${typeof value === 'number' ? value : kind}` };
}
const inside = (step: string, { path, text }: Flaw): Flaw => ({ path: step + path, text });

/** Throws a `FrameError` that names what stands at `where` unless it is as it should be. */
function demand(check: Check, value: unknown, where: string): void {
  const wrong = check(value);
  if (wrong) throw new FrameError(`${where}${wrong.path} ${wrong.text}`);
}

const anything: Check = () => undefined;

/** A whole number from `min` to 2⁵³−1. */
const wholeFrom =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? undefined
      : flaw(`a whole number from ${min}`, value);
const counter = wholeFrom(0);
const number = wholeFrom(1);

const textUpTo =
  (maxLength: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxLength
      ? undefined
      : flaw(`a text of up to ${maxLength}`, value);
const text = textUpTo(128);
const longText = textUpTo(8192);

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

/** Up it is a token, down a time. */
const tokenOrMs: Check = (value) => (typeof value === 'string' ? longText : counter)(value);

const verdict: Check = (value) =>
  value === Verdict.NEW || value === Verdict.RESUMED || value === Verdict.LOST
    ? undefined
    : flaw('a verdict', value);

/** An array that begins so; what follows is left for later versions. */
const tuple =
  (...checks: readonly Check[]): Check =>
  (value) => {
    if (!Array.isArray(value)) return flaw('an array', value);
    for (let index = 0; index < checks.length; index++) {
      const wrong = checks[index]?.(value[index]);
      if (wrong) return inside(`[${index}]`, wrong);
    }
    return undefined;
  };

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return flaw('an array', value);
    for (let index = 0; index < value.length; index++) {
      const wrong = check(value[index]);
      if (wrong) return inside(`[${index}]`, wrong);
    }
    return undefined;
  };

/** An object with these fields; others are left for later versions. */
const record = (checks: { readonly [field: string]: Check }): Check => {
  const fields = Object.entries(checks);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return flaw('an object', value);
    for (const [field, check] of fields) {
      const wrong = check((value as Record<string, unknown>)[field]);
      if (wrong) return inside(`.${field}`, wrong);
    }
    return undefined;
  };
};

/** Another version may look as it likes: it is told apart by its number, not by its fields. */
const versioned = (check: Check): Check => {
  const hasVersion = record({ v: counter });
  return (value) =>
    hasVersion(value) ?? ((value as { v: number }).v === PROTOCOL_VERSION ? check(value) : undefined);
};

const meta = optional(
  record({
    i: optional(text),
    t: optional(counter),
    s: optional(counter),
    r: optional(text),
    m: optional(text),
    f: optional(longText),
    o: optional(tuple(text, number)),
    q: optional(number),
  }),
);
const member = tuple(longText, counter, optional(longText));

const window = tuple(number, number);
const versions = optional(window);
const error = tuple(counter, number, text, longText);

/** What stands after the type of each item: PROTOCOL.md, the table of frames. */
const ITEMS: { readonly [type: number]: Check } = {
  [Type.HELLO]: tuple(
    counter,
    versioned(
      record({
        v: counter,
        c: text,
        n: number,
        w: window,
        a: optional(longText),
        cv: versions,
        f: optional(listOf(text)),
        s: optional(text),
        k: optional(text),
        e: optional(text),
        x: optional(counter),
        y: optional(counter),
        q: optional(counter),
      }),
    ),
  ),
  [Type.WELCOME]: tuple(
    counter,
    versioned(
      record({
        v: counter,
        s: text,
        q: verdict,
        u: longText,
        h: number,
        w: window,
        m: number,
        o: number,
        ttl: counter,
        d: text,
        k: optional(text),
        e: optional(text),
        x: optional(counter),
        p: optional(tuple(counter, listOf(number))),
        lost: optional(listOf(error)),
        r: optional(counter),
        t: optional(counter),
        dw: optional(counter),
        exp: optional(counter),
        cv: versions,
        f: optional(listOf(text)),
      }),
    ),
  ),
  [Type.EVT]: tuple(counter, text, anything, meta),
  [Type.REQ]: tuple(counter, text, anything, meta),
  [Type.RES]: tuple(counter, number),
  [Type.ERR]: error,
  [Type.PUB]: tuple(counter, number, counter, text, anything, meta),
  [Type.PING]: anything,
  [Type.PONG]: anything,
  [Type.CREDIT]: tuple(counter, counter, counter),
  [Type.AUTH]: tuple(counter, optional(tokenOrMs)),
  [Type.GOAWAY]: tuple(counter, text, counter, optional(longText)),
  [Type.GAP]: tuple(counter, counter, counter, text, optional(number)),
  [Type.BYE]: tuple(counter, text, longText, optional(counter)),
  [Type.CANCEL]: tuple(counter, number),
  [Type.SYNC]: tuple(counter, listOf(tuple(text, text, counter, optional(counter)))),
  [Type.DONE]: tuple(counter, counter, listOf(number)),
  [Type.STREAM_ITEM]: tuple(counter, number),
  [Type.STREAM_END]: tuple(counter, number, optional(text), optional(longText)),
  [Type.STREAM_CREDIT]: tuple(counter, number, number),
  [Type.VOL]: tuple(counter, text, anything, meta),
};

const HEAD = tuple(counter, counter);
const ITEM = tuple(counter);

/** Checks what a codec has decoded. Throws a `FrameError` that names what is wrong; never anything else. */
export function parseFrame(value: unknown): Frame {
  demand(HEAD, value, 'frame');
  const [ack, firstSeq, ...raw] = value as [number, number, ...unknown[]];
  if (raw.length > MAX_ITEMS) throw new FrameError(`a frame may hold ${MAX_ITEMS} items, not ${raw.length}`);
  const items = raw.filter(isKnown);
  if (items.some(isSequenced) !== firstSeq > 0) {
    throw new FrameError('firstSeq must be 0 exactly where no item is sequenced');
  }
  return { ack, firstSeq, items };
}

/** True for an item of this version, false for an extension that may be ignored. */
function isKnown(item: unknown, index: number): item is Item {
  const wrong = ITEM(item);
  if (wrong) throw new FrameError(`item ${index}${wrong.path} ${wrong.text}`);
  const [type] = item as [number];
  if (type >= FIRST_EXTENSION) return false;
  const check = ITEMS[type];
  if (!check) throw new FrameError(`item ${index} has the unknown type ${type}`);
  const unfit = check(item);
  if (unfit) throw new FrameError(`item ${index}${unfit.path} ${unfit.text}`);
  return true;
}

/** The payload of `$join`. */
export function parseJoinRequest(value: unknown): JoinRequest {
  const { replaced } = (value ?? {}) as JoinRequest;
  if (Array.isArray(replaced) && replaced.length > MAX_REPLACED) {
    throw new FrameError(`$join may name ${MAX_REPLACED} replaced sessions, not ${replaced.length}`);
  }
  const checks = { epoch: optional(text), offset: optional(counter), replaced: optional(listOf(text)) };
  demand(record({ room: text, cv: versions, ...checks }), value, '$join');
  return value as JoinRequest;
}

/** The payload of `$leave`. */
export function parseLeaveRequest(value: unknown): LeaveRequest {
  demand(record({ room: text }), value, '$leave');
  return value as LeaveRequest;
}

/** The reply to `$join`. */
export function parseJoinReply(value: unknown): JoinReply {
  demand(record({ epoch: text, offset: counter, members: optional(listOf(member)) }), value, '$join reply');
  return value as JoinReply;
}

/** The payload of `$presence`. */
export function parsePresenceRequest(value: unknown): PresenceRequest {
  demand(record({ room: text }), value, '$presence');
  return value as PresenceRequest;
}

/** The payload of a `$members` publication. */
export function parseMembers(value: unknown): Member[] {
  demand(listOf(member), value, '$members');
  return (value as readonly MemberChange[]).map(parseMember);
}

/** The payload of a `$member` publication. */
export function parseMember(value: unknown): Member {
  demand(member, value, '$member');
  const [userId, sessions, presence] = value as MemberChange;
  if (presence === undefined) return { userId, sessions };
  try {
    return { userId, sessions, presence: JSON.parse(presence) };
  } catch {
    throw new FrameError('the presence of a member must be JSON');
  }
}
