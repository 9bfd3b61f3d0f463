import {
  FIRST_EXTENSION,
  type Frame,
  FrameError,
  type Item,
  isSequenced,
  type JoinReply,
  type JoinRequest,
  type LeaveRequest,
  MAX_ITEMS,
  type MemberChange,
  PROTOCOL_VERSION,
  type PresenceRequest,
  Type,
  Verdict,
} from './frame.js';
import type { Member } from './messages.js';

/** Most earlier sessions that a `$join` names. */
export const MAX_REPLACED = 32;

/** What is wrong with a value, behind where in it that is; undefined: nothing. Put together only for what is wrong. */
type Check = (value: unknown) => string | undefined;

function flaw(expected: string, value: unknown): string {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
  return ` must be ${expected}, not ${typeof value === 'number' ? value : kind}`;
}

/** Throws a `FrameError` that names what stands at `where` unless it is as it should be. */
function demand(check: Check, value: unknown, where: string): void {
  const wrong = check(value);
  if (wrong) throw new FrameError(where + wrong);
}

const anything: Check = () => undefined;

/** A whole number from `min` to 2⁵³−1. */
const wholeFrom =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? undefined
      : flaw(`a whole number from ${min}`, value);
const counter = /* @__PURE__ */ wholeFrom(0);
const number = /* @__PURE__ */ wholeFrom(1);

const textUpTo =
  (maxLength: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxLength
      ? undefined
      : flaw(`a text of up to ${maxLength}`, value);
const text = /* @__PURE__ */ textUpTo(128);
const longText = /* @__PURE__ */ textUpTo(8192);

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

/** An array that begins so; those behind it pass `more` or, without that, are left for later versions. */
const array =
  (checks: readonly Check[], more?: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return flaw('an array', value);
    const length = more ? value.length : checks.length;
    for (let index = 0; index < length; index++) {
      const wrong = (checks[index] ?? more)?.(value[index]);
      if (wrong) return `[${index}]${wrong}`;
    }
    return undefined;
  };
const tuple = (...checks: readonly Check[]): Check => array(checks);
const listOf = (check: Check): Check => array([], check);

type Fields = { readonly [field: string]: Check };

/** An object with the fields of `must`; if it has one of `may`, it is as it says. Others are left for later versions. */
const record = (must: Fields, may: Fields = {}): Check => {
  const required = Object.entries(must);
  const possible = new Map(Object.entries(may));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return flaw('an object', value);
    const fields = value as Record<string, unknown>;
    for (const [field, check] of required) {
      const wrong = check(fields[field]);
      if (wrong) return `.${field}${wrong}`;
    }
    // Of many that could be there, most messages have two.
    for (const field in fields) {
      const said = fields[field];
      const wrong = said === undefined ? undefined : possible.get(field)?.(said);
      if (wrong) return `.${field}${wrong}`;
    }
    return undefined;
  };
};

/** Another version may look as it likes: it is told apart by its number, not by its fields. */
const versioned = (must: Fields, may: Fields): Check => {
  const hasVersion = record({ v: counter });
  const fits = record(must, may);
  return (value) =>
    hasVersion(value) ?? ((value as { v: number }).v === PROTOCOL_VERSION ? fits(value) : undefined);
};

const pair = /* @__PURE__ */ tuple(number, number);
const place = /* @__PURE__ */ tuple(text, number);
const meta = /* @__PURE__ */ optional(
  /* @__PURE__ */ record(
    {},
    { i: text, t: counter, s: counter, r: text, m: text, f: longText, o: place, q: number },
  ),
);
const event = /* @__PURE__ */ tuple(counter, text, anything, meta);
const error = /* @__PURE__ */ tuple(counter, number, text, longText);
const aboutNumber = /* @__PURE__ */ tuple(counter, number);

/** What each item is, its type included: PROTOCOL.md, the table of frames. */
const ITEMS: { readonly [type: number]: Check } = /* @__PURE__ */ (() => ({
  [Type.HELLO]: tuple(
    counter,
    versioned(
      { c: text, n: number, w: pair },
      {
        a: longText,
        cv: pair,
        f: listOf(text),
        s: text,
        k: text,
        e: text,
        x: counter,
        y: counter,
        q: counter,
      },
    ),
  ),
  [Type.WELCOME]: tuple(
    counter,
    versioned(
      { s: text, q: verdict, u: longText, h: number, w: pair, m: number, o: number, ttl: counter, d: text },
      {
        ...{ k: text, e: text, x: counter, p: tuple(counter, listOf(number)), lost: listOf(error) },
        ...{ r: counter, t: counter, took: counter, dw: counter, exp: counter, cv: pair, f: listOf(text) },
      },
    ),
  ),
  [Type.EVT]: event,
  [Type.REQ]: event,
  [Type.RES]: aboutNumber,
  [Type.ERR]: error,
  [Type.PUB]: tuple(counter, number, counter, text, anything, meta),
  [Type.PING]: anything,
  [Type.PONG]: anything,
  [Type.CREDIT]: tuple(counter, counter, counter),
  [Type.AUTH]: tuple(counter, optional(tokenOrMs)),
  [Type.GOAWAY]: tuple(counter, text, counter, optional(longText)),
  [Type.GAP]: tuple(counter, counter, counter, text, optional(number)),
  [Type.BYE]: tuple(counter, text, longText, optional(counter)),
  [Type.CANCEL]: aboutNumber,
  [Type.SYNC]: tuple(counter, listOf(tuple(text, text, counter, optional(counter)))),
  [Type.DONE]: tuple(counter, counter, listOf(number)),
  [Type.STREAM_ITEM]: aboutNumber,
  [Type.STREAM_END]: tuple(counter, number, optional(text), optional(longText)),
  [Type.STREAM_CREDIT]: tuple(counter, number, number),
  [Type.VOL]: event,
  [Type.ACK_NOW]: anything,
}))();

const typed = /* @__PURE__ */ tuple(counter);

/** An item of this version, or an extension, which may be ignored. */
const known: Check = (item) => {
  const wrong = typed(item);
  if (wrong) return wrong;
  const [type] = item as [number];
  if (type >= FIRST_EXTENSION) return undefined;
  return ITEMS[type] ? ITEMS[type](item) : ` has the unknown type ${type}`;
};
const head = /* @__PURE__ */ tuple(counter, counter);

/** Checks what a codec has decoded. Throws a `FrameError` that names what is wrong; never anything else. */
export function parseFrame(value: unknown): Frame {
  demand(head, value, 'frame');
  const [ack, firstSeq, ...all] = value as [number, number, ...Item[]];
  if (all.length > MAX_ITEMS) throw new FrameError(`a frame may hold ${MAX_ITEMS} items, not ${all.length}`);
  const items = all.filter((item, index) => {
    const wrong = known(item);
    if (wrong) throw new FrameError(`item ${index}${wrong}`);
    return item[0] < FIRST_EXTENSION;
  });
  if (items.some(isSequenced) !== firstSeq > 0) {
    throw new FrameError('firstSeq must be 0 exactly where no item is sequenced');
  }
  return { ack, firstSeq, items };
}

/** The payload of `$join`. */
export function parseJoinRequest(value: unknown): JoinRequest {
  const { replaced } = (value ?? {}) as JoinRequest;
  if (Array.isArray(replaced) && replaced.length > MAX_REPLACED) {
    throw new FrameError(`$join may name ${MAX_REPLACED} replaced sessions, not ${replaced.length}`);
  }
  const may = { cv: pair, epoch: text, offset: counter, replaced: listOf(text) };
  demand(record({ room: text }, may), value, '$join');
  return value as JoinRequest;
}

/** The payload of `$leave`. */
export function parseLeaveRequest(value: unknown): LeaveRequest {
  demand(record({ room: text }), value, '$leave');
  return value as LeaveRequest;
}

/** The reply to `$join`. */
export function parseJoinReply(value: unknown): { epoch: string; offset: number; members: Member[] } {
  demand(record({ epoch: text, offset: counter }), value, '$join reply');
  const { epoch, offset, members = [] } = value as JoinReply;
  return { epoch, offset, members: parseMembers(members) };
}

/** The payload of `$presence`. */
export function parsePresenceRequest(value: unknown): PresenceRequest {
  demand(record({ room: text }), value, '$presence');
  return value as PresenceRequest;
}

/** The payload of a `$members` publication. */
export function parseMembers(value: unknown): Member[] {
  demand(listOf(anything), value, '$members');
  return (value as readonly MemberChange[]).map(parseMember);
}

/** The payload of a `$member` publication. */
export function parseMember(value: unknown): Member {
  demand(tuple(longText, counter, optional(longText)), value, '$member');
  const [userId, sessions, presence] = value as MemberChange;
  if (presence === undefined) return { userId, sessions };
  try {
    return { userId, sessions, presence: JSON.parse(presence) };
  } catch {
    throw new FrameError('the presence of a member must be JSON');
  }
}
