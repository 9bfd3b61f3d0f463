import { CloseCode, isRejectError } from '@holdfast/protocol';
import { after } from '../answer.js';
import type { Identity } from '../ports/ports.js';
import type { Answer } from '../ports/store.js';
import type { Authenticate, Handshake, User } from '../types.js';

/** `auth` has so long to make up its mind. */
export const AUTH_TIMEOUT_MS = 10_000;
/** A connection outlives its token by so much: a renewal that is a little late is no outage. */
export const GRACE_MS = 25_000;

/** Why a connection ends, as BYE says it and as the close says it. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
  readonly closeCode: number;
}

/** The session waits for its client to come back with another token. */
export const EXPIRED: Refusal = {
  code: 'ERR_AUTH_EXPIRED',
  text: 'the token has expired',
  closeCode: CloseCode.UNAUTHORIZED,
};
/** Who it is does not change within a session: what waits in it is for the user who began it. */
export const ANOTHER_USER: Refusal = {
  code: 'ERR_SESSION_LOST',
  text: 'the token names another user: begin another session',
  closeCode: CloseCode.SESSION_LOST,
};

/** A server has ended the session: its client does not come back by itself. */
export const endedByServer = (reason: string): Refusal => ({
  code: 'ERR_SESSION_ENDED',
  text: reason,
  closeCode: CloseCode.SESSION_LOST,
});

/** Asks the application whom a token names; throws or rejects with what `auth` does, or if its answer is none. */
export function identify(
  auth: Authenticate<User>,
  token: string | undefined,
  handshake: Handshake,
): Answer<Identity> {
  const answer = auth(token, handshake) as Answer<Partial<Identity> | undefined>;
  return after(answer, (given) => {
    const { user, expiresAt, tokenId, issuedAt } = given ?? {};
    if (typeof user?.id !== 'string' || user.id === '' || user.id.length > 256) {
      throw new TypeError('auth must return { user: { id } } with an id of 1 to 256 characters');
    }
    if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
      throw new TypeError(`auth: expiresAt must be ms since 1970, not ${String(expiresAt)}`);
    }
    return { user, expiresAt: expiresAt ?? Infinity, tokenId, issuedAt };
  });
}

/** What `auth` has thrown, if that was its answer; undefined: it has failed. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isRejectError(error)) return undefined;
  if (error.reason === 'expired') return EXPIRED;
  return { code: 'ERR_AUTH_REFUSED', text: error.reason, closeCode: CloseCode.FORBIDDEN };
}

/** How long a token counts from now on, as it stands on the wire; undefined: for ever. */
export function expiresIn(expiresAt: number, now: number): number | undefined {
  if (expiresAt === Infinity) return undefined;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(expiresAt - now)));
}
