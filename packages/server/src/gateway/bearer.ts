import { MAX_HELLO_BYTES } from '@holdfast/protocol';

/** A subprotocol that begins so is none: it brings a token, for gateways that want to see one at the upgrade. */
const PREFIX = 'holdfast.bearer.';

export type Bearer =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'token'; readonly token: string }
  /** `why` never shows the token: it ends up in logs. */
  | { readonly outcome: 'malformed'; readonly why: string };

export const isBearer = (protocol: string): boolean => protocol.startsWith(PREFIX);

/** The token among the subprotocols that a client offers: base64url of its UTF-8. */
export function bearerOf(offered: readonly string[]): Bearer {
  const [entry, ...more] = offered.filter(isBearer);
  if (entry === undefined) return { outcome: 'none' };
  if (more.length > 0) return { outcome: 'malformed', why: `more than one ${PREFIX}<token>` };
  const text = entry.slice(PREFIX.length);
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what is no base64url: what it has made of it must say the same again.
  const isWhole = bytes.length > 0 && bytes.toString('base64url') === text;
  const token = bytes.toString('utf8');
  if (!isWhole || !Buffer.from(token, 'utf8').equals(bytes)) {
    return { outcome: 'malformed', why: `${PREFIX}<token> must be base64url of UTF-8` };
  }
  // In a HELLO it would have no more room either.
  if (bytes.length > MAX_HELLO_BYTES) {
    return { outcome: 'malformed', why: `a token may have ${MAX_HELLO_BYTES} bytes` };
  }
  return { outcome: 'token', token };
}
