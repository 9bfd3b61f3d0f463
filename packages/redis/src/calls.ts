import type {
  AcceptCall,
  AcceptedItem,
  AppendCall,
  Appended,
  AttachCall,
  Attached,
  Attendance,
  Bounds,
  ClaimCall,
  Claimed,
  FoundSession,
  Handled,
  Life,
  LogBounds,
  LoggedPublication,
  Membership,
  Move,
  Orphan,
  OutItem,
  Presence,
  PresenceState,
  PublishCall,
  Read,
  Reply as ReplyOut,
  RoomPart,
} from '@holdfast/server/ports';
import { thereOf, writingsOf } from './notes.js';
import { bytesOf, groupsOf, listOf, numberOf, type Reply, textOf, textsOf } from './replies.js';
import { fromData, fromValue, toData, toValue } from './values.js';

// Calls as the arguments of their scripts, and answers as what scripts say. The order is that of the scripts.

export type Argument = string | number | Buffer;
const flag = (value: boolean | undefined): string => (value ? '1' : '');

// ── Connections ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface AttachSurroundings {
  readonly bounds: Bounds;
  readonly outboxWindowMs: number;
  /** Of the entry in the register, if one was made. */
  readonly stamp: string;
  /** An incarnation for the sessions of a user who has none yet, on disk. */
  readonly epoch: string;
}

export function attachArguments(call: AttachCall, around: AttachSurroundings): Argument[] {
  const { fresh, user, n, key = '', newKey, epoch = '', received, acked, maxRequests } = call;
  const { bounds: [messages, bytes] = around.bounds, overflow = 'reject' } = call.outbox ?? {};
  return [
    ...[flag(fresh), user.id, fromValue(user), n, key, newKey],
    ...[epoch, received, acked, maxRequests],
    ...[messages, bytes, overflow, call.codec, call.node],
    ...[around.outboxWindowMs, around.stamp, around.epoch],
  ];
}

export function attached(reply: Reply): Attached {
  const [first, ...rest] = listOf(reply);
  const status = textOf(first);
  if (status === 'stale') return { status };
  if (status === 'lost') return lost(rest);
  const [epoch, gen, previous, accepted, base, marks, lastMove, outboxWindowMs, codec, rooms, data] = rest;
  return {
    status: status === 'new' ? 'new' : 'resumed',
    epoch: textOf(epoch),
    gen: numberOf(gen),
    previous: numberOf(previous),
    accepted: numberOf(accepted),
    base: numberOf(base),
    handled: handled(marks),
    lastMove: numberOf(lastMove),
    outboxWindowMs: Math.floor(numberOf(outboxWindowMs)),
    codec: textOf(codec),
    rooms: memberships(rooms),
    data: textsOf(data)[0],
  };
}

function lost([ended, marks, refused]: readonly Reply[]): Attached {
  if (ended === undefined) return { status: 'lost' };
  return {
    status: 'lost',
    ended: textOf(ended) || undefined,
    handled: handled(marks),
    refused: textsOf(refused).map((text) => toValue(text)) as NonNullable<
      Extract<Attached, { status: 'lost' }>['refused']
    >,
  };
}

function handled(reply: Reply | undefined): Handled {
  const [low, above] = listOf(reply);
  return { low: numberOf(low), above: listOf(above).map(numberOf).reverse() };
}

function memberships(reply: Reply | undefined): ReadonlyMap<string, Membership> {
  return new Map(
    groupsOf(listOf(reply), 3).map(([room, membership, presence]) => {
      const text = textOf(presence);
      const state = text ? { presence: toValue(text) as PresenceState } : {};
      return [textOf(room), { ...(toValue(textOf(membership)) as Membership), ...state }];
    }),
  );
}

export function acceptArguments(call: AcceptCall, inbox: Bounds, outboxWindowMs: number): Argument[] {
  const { epoch, gen, ack, items, answers = [], cancels = [] } = call;
  return [
    ...[epoch, gen, ack, outboxWindowMs, ...inbox],
    ...[answers.length, ...answers.flatMap((answer) => [answer[1], fromValue(answer)])],
    ...[cancels.length, ...cancels],
    ...[items.length, ...items.flatMap(itemArguments)],
  ];
}

function itemArguments({ seq, item, bytes = 0, moves, outbox, refusal }: AcceptedItem): Argument[] {
  const [name, n] = outbox ?? [];
  return [
    ...[seq, item ? fromValue(item) : '', bytes, flag(moves)],
    ...[name === undefined ? '' : `o${name}`, n ?? 0],
    ...(refusal ? replyArguments(refusal) : ['', '']),
  ];
}

export function replyArguments({ data, refusal }: ReplyOut): Argument[] {
  return [fromData(data), refusal ? fromValue(refusal) : ''];
}

export function read(reply: Reply, wantsRooms: boolean | undefined): Read {
  const [first, items, marks, rooms] = listOf(reply);
  const status = textOf(first);
  if (status !== 'ok') return { status: status as 'fenced' | 'lost' };
  const answer = { status, items: listOf(items).map(outItem), handled: handled(marks) } as const;
  return { ...answer, rooms: wantsRooms ? memberships(rooms) : undefined };
}

function outItem(reply: Reply): OutItem {
  const [seq, second, third, w] = listOf(reply);
  if (w === undefined) return { seq: numberOf(seq), last: numberOf(second), why: textOf(third) };
  const writer = textOf(third);
  const written = writer === '' ? undefined : { writer, w: numberOf(w) };
  return { seq: numberOf(seq), data: toData(bytesOf(second)), written };
}

// ── What goes out ────────────────────────────────────────────────────────────────────────────────────────────────

/** As scripts take it: nothing where whatever session has the id is meant. */
export const lifeArguments = (life: Life | undefined): Argument[] => [life?.epoch ?? '', life?.gen ?? 0];

export function appendArguments(call: AppendCall): Argument[] {
  const { life, writer, w, data, place, receipt, asks, cancels, part } = call;
  const event = receipt ? 'awaited' : 'event';
  const kind = cancels !== undefined ? 'cancel' : asks ? 'request' : part ? 'part' : event;
  const said = [writer, w, kind, fromData(data), place === undefined ? '' : `w${place}`, cancels ?? 0];
  return [...lifeArguments(life), ...said];
}

export function appended(reply: Reply): Appended {
  const [first, writer, w, ...dropped] = listOf(reply);
  const status = textOf(first);
  if (status !== 'ok') return { status: status as 'full' | 'lost' };
  const by = textOf(writer);
  if (by !== '') return { status, superseded: { writer: by, w: numberOf(w) } };
  if (dropped.length === 0) return { status };
  return { status, dropped: writingsOf(dropped.map(textOf)) };
}

// ── Handlers ─────────────────────────────────────────────────────────────────────────────────────────────────────

export function claimArguments({ life, holder, running, serial, max, token }: ClaimCall): Argument[] {
  return [...lifeArguments(life), holder, flag(serial), max, token, running.length, ...running];
}

export function claimed(reply: Reply, token: string): Claimed {
  const [items, blocked] = listOf(reply);
  return {
    items: listOf(items).map((one) => {
      const [seq, item, redelivered, expired] = listOf(one);
      return {
        seq: numberOf(seq),
        item: toValue(textOf(item)) as Claimed['items'][number]['item'],
        token,
        redelivered: numberOf(redelivered) === 1,
        expired: numberOf(expired),
      };
    }),
    blocked: numberOf(blocked) === 1,
  };
}

/** As scripts take it: what it is, the room, the membership, what it says about itself. */
export function moveArguments(move: Move | undefined): Argument[] {
  if (!move) return ['', '', '', ''];
  const { name, membership, presence } = move;
  if (presence) return ['tell', name, '', fromValue(presence)];
  if (!membership) return ['out', name, '', ''];
  const { presence: state, ...rest } = membership;
  return ['in', name, fromValue(rest), state ? fromValue(state) : ''];
}

// ── Who is there ─────────────────────────────────────────────────────────────────────────────────────────────────

export function found(sid: string, reply: Reply): FoundSession | undefined {
  const [user, codec, attachedNow, data, rooms] = listOf(reply);
  if (user === undefined) return undefined;
  return {
    sid,
    user: toValue(textOf(user)) as FoundSession['user'],
    codec: textOf(codec),
    rooms: textsOf(rooms),
    attached: numberOf(attachedNow) === 1,
    data: textsOf(data)[0],
  };
}

export function orphan(sid: string, [user, codec, unhandled, ended, data]: readonly Reply[]): Orphan {
  return {
    sid,
    user: toValue(textOf(user)) as Orphan['user'],
    codec: textOf(codec),
    unhandled: numberOf(unhandled),
    data: textsOf(data)[0],
    ended: numberOf(ended) === 1,
  };
}

// ── Rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function boundsArguments(standard: LogBounds, named: LogBounds | undefined): Argument[] {
  const three = (bounds: LogBounds | undefined): Argument[] =>
    bounds ? [bounds.maxMessages, bounds.maxBytes, bounds.ttlMs] : ['', '', ''];
  return [...three(standard), ...three(named)];
}

export function publishArguments({ writer, w, message, publication }: PublishCall): Argument[] {
  const { id, at, place, event, except } = publication;
  return [
    ...[writer, w, message === undefined ? '' : `m${message}`],
    ...[id, at, place === undefined ? '' : `w${place}`, fromData(event)],
    ...[except.size, ...except],
  ];
}

export function roomPart(reply: Reply): RoomPart {
  const [epoch, offset, base, gap, entries] = listOf(reply);
  const [from, to, why] = listOf(gap);
  const part = {
    top: { epoch: textOf(epoch), offset: numberOf(offset) },
    base: numberOf(base),
    items: listOf(entries).map((entry) => logged(listOf(entry))),
  };
  if (from === undefined) return part;
  return {
    ...part,
    gap: { from: numberOf(from), to: numberOf(to), why: textOf(why) as 'trimmed' | 'new-epoch' },
  };
}

function logged([offset, , , id, at, word, data, ...except]: readonly Reply[]): LoggedPublication {
  const place = textOf(word);
  return {
    id: textOf(id),
    at: Number(textOf(at)),
    except: new Set(except.map(textOf)),
    event: toData(bytesOf(data)),
    offset: numberOf(offset),
    ...(place ? { place: place.slice(1) } : {}),
  };
}

export function presentArguments({ sid, gen, w, there }: Presence): Argument[] {
  if (!there) return [sid, gen, w, '', '', ''];
  const { userId, node, state } = there;
  return [sid, gen, w, userId, node, state ? fromValue(state) : ''];
}

/** Who was said to be there last comes last. */
export function attendance(reply: Reply): Attendance {
  const [version, entries] = listOf(reply);
  const listed = listOf(entries).map((entry) => {
    const [sid, at, gen, w, ...there] = listOf(entry);
    const presence = { sid: textOf(sid), gen: numberOf(gen), w: numberOf(w), ...thereOf(there.map(textOf)) };
    return { at: numberOf(at), presence };
  });
  const present = listed.sort((one, other) => one.at - other.at).map(({ presence }) => presence);
  return { version: numberOf(version), present };
}
