import type { IncomingMessage } from 'node:http';
import { MAX_HELLO_BYTES } from '@holdfast/protocol';
import { parseCookie } from 'cookie';
import { bearerOf } from './bearer.js';
import type { HttpRefusal } from './refuse.js';

/** Where a token of an upgrade may stand, beside the subprotocols. */
export interface TokenPlaces {
  /** Name of a cookie. */
  readonly cookie: string | undefined;
  /** Name of a parameter in the query of the URL. */
  readonly query: string | undefined;
}

export type UpgradeToken =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'token'; readonly token: string }
  | { readonly outcome: 'refused'; readonly refusal: HttpRefusal };

/**
 * The token that an upgrade brings: in a subprotocol, else in the query, else in a cookie. What a page says counts more than
 * what its browser adds by itself.
 */
export function upgradeTokenOf(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  offered: readonly string[],
  { cookie, query }: TokenPlaces,
): UpgradeToken {
  const bearer = bearerOf(offered);
  if (bearer.outcome === 'malformed') return refused(400, bearer.why);
  if (bearer.outcome === 'token') return bearer;
  const asked = query === undefined ? [] : new URLSearchParams(queryOf(url)).getAll(query);
  if (asked.length > 1) return refused(400, `more than one ${query} in the query`);
  if (asked[0] !== undefined) return checked(asked[0], `${query} in the query`);
  const kept = cookie === undefined ? undefined : parseCookie(headers.cookie ?? '')[cookie];
  if (kept === undefined) return { outcome: 'none' };
  // A browser sends its cookies with whatever any page asks: only the origin says which page it was (CWE-1385).
  if (headers.origin === undefined) return refused(403, 'a cookie counts only with an Origin');
  return checked(kept, `the cookie ${cookie}`);
}

/** The subprotocols of an upgrade, tokens among them. */
export const offersOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string[] =>
  (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

/** True if a cookie of this request would count as a token: whoever is signed in may be another one a minute later. */
export const hasCookieToken = (
  { headers }: Pick<IncomingMessage, 'headers'>,
  { cookie }: TokenPlaces,
): boolean => cookie !== undefined && parseCookie(headers.cookie ?? '')[cookie] !== undefined;

/** The token in the query of the URL, if there is one and it is well-formed. */
export function queryTokenOf(
  { url }: Pick<IncomingMessage, 'url'>,
  { query }: TokenPlaces,
): string | undefined {
  if (query === undefined) return undefined;
  const asked = upgradeTokenOf({ url, headers: {} }, [], { query, cookie: undefined });
  return asked.outcome === 'token' ? asked.token : undefined;
}

/** The URL without the token in its query: this one may stand in logs. */
export function redactedUrl(url: string, query: string): string {
  const [before] = url.split('?', 1);
  const parts = queryOf(url).split('&');
  // As it was decoded above, so that no spelling of the name gets by.
  const isToken = (part: string): boolean => new URLSearchParams(part).has(query);
  if (!parts.some(isToken)) return url;
  return `${before}?${parts.map((part) => (isToken(part) ? `${query}=redacted` : part)).join('&')}`;
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

function checked(token: string, where: string): UpgradeToken {
  if (token === '') return refused(400, `${where} is empty`);
  // What is no UTF-8 is decoded to U+FFFD.
  if (token.includes('\ufffd')) return refused(400, `${where} is no UTF-8`);
  // In a HELLO it would have no more room either.
  if (Buffer.byteLength(token) > MAX_HELLO_BYTES)
    return refused(400, `a token may have ${MAX_HELLO_BYTES} bytes`);
  return { outcome: 'token', token };
}

function refused(status: 400 | 403, text: string): UpgradeToken {
  return { outcome: 'refused', refusal: { status, text } };
}
