/**
 * Several connections on one WebSocket: each message of it begins with the number of the connection that it is for. What
 * stands behind that is nobody's business here. PROTOCOL.md, section 12.
 */
import type { WireData } from './ports.js';

/** Subprotocol of a WebSocket that carries several connections; each says by itself in which codec it speaks. */
export const SHARED_PROTOCOL = 'holdfast.v1.shared';

/** Most connections of one such WebSocket at a time: a client that needs more opens another one. */
export const MAX_SHARED = 64;

/** Most bytes that stand before a connection's own message. */
export const MAX_SHARED_PREFIX = 16;

/** Longest opening, in characters: a token of 8 KiB has its place. */
const MAX_OPENING = 16_384;
const MAX_PROTOCOLS = 16;
const MAX_REASON = 123;
/** Five times seven bits. */
const MAX_NUMBER = 2 ** 31 - 1;

export type SharedFrame =
  /** Something that a connection says. */
  | { readonly kind: 'message'; readonly index: number; readonly data: WireData }
  /** The client asks for a connection, with what it would offer at an upgrade. */
  | { readonly kind: 'open'; readonly index: number; readonly protocols: readonly string[] }
  /** The server has accepted it, with the subprotocol that it chose. */
  | { readonly kind: 'opened'; readonly index: number; readonly protocol: string }
  | { readonly kind: 'close'; readonly index: number; readonly code: number; readonly reason: string }
  /** So many more messages of this connection have reached whom they are for. */
  | { readonly kind: 'taken'; readonly index: number; readonly messages: number }
  /** The server takes no more connections on this WebSocket. */
  | { readonly kind: 'retire' }
  /** Nobody understands this. With a number, only that connection is to blame. */
  | { readonly kind: 'malformed'; readonly index: number | undefined; readonly why: string };

/** Before the text of a message; the bytes of one have `sharedBytes`. */
const MESSAGE = 'm';
const OPEN = 'o';
const CLOSE = 'c';
const TAKEN = 't';
const RETIRE = '0r';

/** A message of connection `index`, as it travels. */
export function sharedMessage(index: number, data: WireData): WireData {
  if (typeof data === 'string') return `${index}${MESSAGE}${data}`;
  const prefix = numberBytes(index);
  const bytes = new Uint8Array(prefix.length + data.length);
  bytes.set(prefix);
  bytes.set(data, prefix.length);
  return bytes;
}

export const sharedOpen = (index: number, protocols: readonly string[]): string =>
  `${index}${OPEN}${JSON.stringify(protocols)}`;
export const sharedOpened = (index: number, protocol: string): string =>
  `${index}${OPEN}${JSON.stringify(protocol)}`;
export const sharedClose = (index: number, code: number, reason: string): string =>
  `${index}${CLOSE}${JSON.stringify([code, reason.slice(0, MAX_REASON)])}`;
export const sharedTaken = (index: number, messages: number): string => `${index}${TAKEN}${messages}`;
export const sharedRetire = (): string => RETIRE;

/** Never throws. */
export function parseShared(data: WireData): SharedFrame {
  return typeof data === 'string' ? parseText(data) : parseBytes(data);
}

function parseText(text: string): SharedFrame {
  if (text === RETIRE) return { kind: 'retire' };
  const [number] = /^[1-9]\d{0,9}/.exec(text) ?? [];
  const index = Number(number);
  if (number === undefined || index > MAX_NUMBER) return malformed(undefined, 'no number of a connection');
  const rest = text.slice(number.length + 1);
  switch (text[number.length]) {
    case MESSAGE:
      return { kind: 'message', index, data: rest };
    case OPEN:
      return parseOpen(index, rest);
    case CLOSE:
      return parseClose(index, rest);
    case TAKEN:
      return parseTaken(index, rest);
    default:
      return malformed(index, 'neither a message nor a word of the shared socket');
  }
}

/** LEB128: seven bits in a byte, the lowest first; the eighth says that more follow. */
function parseBytes(bytes: Uint8Array): SharedFrame {
  let index = 0;
  for (let at = 0; at < Math.min(5, bytes.length); at++) {
    const byte = bytes[at] as number;
    index += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (index === 0 || index > MAX_NUMBER) break;
    return { kind: 'message', index, data: bytes.subarray(at + 1) };
  }
  return malformed(undefined, 'no number of a connection');
}

function numberBytes(index: number): number[] {
  const bytes: number[] = [];
  let rest = index;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

function parseOpen(index: number, text: string): SharedFrame {
  const said = text.length <= MAX_OPENING ? jsonOf(text) : undefined;
  if (typeof said === 'string') return { kind: 'opened', index, protocol: said };
  if (!Array.isArray(said) || said.length > MAX_PROTOCOLS || said.some((one) => typeof one !== 'string')) {
    return malformed(index, 'an opening names the subprotocols that are offered');
  }
  return { kind: 'open', index, protocols: said };
}

function parseClose(index: number, text: string): SharedFrame {
  const said = text.length <= 8 * MAX_REASON ? jsonOf(text) : undefined;
  const [code, reason]: unknown[] = Array.isArray(said) ? said : [];
  const isCode = Number.isInteger(code) && Number(code) >= 1000 && Number(code) <= 4999;
  if (!isCode || typeof reason !== 'string') return malformed(index, 'a close says a code and a reason');
  return { kind: 'close', index, code: Number(code), reason: reason.slice(0, MAX_REASON) };
}

function parseTaken(index: number, text: string): SharedFrame {
  const messages = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (messages === 0) return malformed(index, 'how many messages were taken is a number');
  return { kind: 'taken', index, messages };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const malformed = (index: number | undefined, why: string): SharedFrame => ({
  kind: 'malformed',
  index,
  why,
});
