import { type Clock, CloseCode, checkKeys, checkType, numberOption } from '@holdfast/protocol';
import type { Identity } from '../ports/ports.js';
import type { Revocation } from '../types.js';
import type { Refusal } from './token.js';

/** The session has ended; a fresh token begins another. */
export const REVOKED: Refusal = {
  code: 'ERR_AUTH_REFUSED',
  text: 'token-revoked',
  closeCode: CloseCode.FORBIDDEN,
};

/** A session, as far as its token is concerned. */
interface Holder {
  readonly id: string;
  readonly user: Identity['user'];
  readonly tokenId: string | undefined;
  readonly attachment: { refuse(refusal: Refusal): void } | undefined;
}

export interface RevocationsSurroundings {
  readonly clock: Clock;
  /** Those that this server knows, by id. */
  readonly sessions: ReadonlyMap<string, Holder>;
  /** Tells everybody what was published before. */
  tellNow(): void;
  /** Ends a session for good. */
  end(sid: string): void;
}

/** How often those are looked for that have had their time; ms. */
const SWEEP_MS = 1_000;

/**
 * Tokens that count no more before their time, and what becomes of the sessions that they have begun. Each is remembered until
 * it would have expired, and no longer. Of this server: where several share a store each has to be told, and `revoke` is what
 * a bus between them calls.
 */
export class Revocations {
  readonly #around: RevocationsSurroundings;
  /** By token id: until when. */
  readonly #tokens = new Map<string, number>();
  /** By user: what was issued up to `at`, until when. */
  readonly #users = new Map<string, { readonly at: number; readonly until: number }>();
  #sweepAt = -Infinity;

  constructor(around: RevocationsSurroundings) {
    this.#around = around;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#tokens.size + this.#users.size;
  }

  /** Throws a `TypeError` that names the field and the rule. */
  revoke(revocation: Revocation): void {
    const { userId, tokenId, expiresAt } = checked(revocation);
    const now = this.#around.clock.now();
    this.#sweep(now);
    if (tokenId !== undefined) {
      this.#tokens.set(tokenId, Math.max(expiresAt, this.#tokens.get(tokenId) ?? 0));
    } else if (userId !== undefined) {
      this.#users.set(userId, { at: now, until: Math.max(expiresAt, this.#users.get(userId)?.until ?? 0) });
    }
    this.#around.tellNow();
    for (const session of [...this.#around.sessions.values()]) {
      if (session.user.id !== userId && (tokenId === undefined || session.tokenId !== tokenId)) continue;
      session.attachment?.refuse(REVOKED);
      this.#around.end(session.id);
    }
  }

  /** Whether a token counts no more. One that does not say when it was issued may be as old as any. */
  includes({ user, tokenId, issuedAt = -Infinity }: Identity): boolean {
    const now = this.#around.clock.now();
    if (tokenId !== undefined && (this.#tokens.get(tokenId) ?? 0) > now) return true;
    const all = this.#users.get(user.id);
    return all !== undefined && all.until > now && issuedAt <= all.at;
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (const [tokenId, until] of this.#tokens) if (until <= now) this.#tokens.delete(tokenId);
    for (const [userId, { until }] of this.#users) if (until <= now) this.#users.delete(userId);
  }
}

function checked(revocation: Revocation): Pick<Identity, 'tokenId'> & { userId?: string; expiresAt: number } {
  checkKeys(revocation, ['userId', 'tokenId', 'expiresAt'], 'revoke(revocation)');
  const { userId, tokenId, expiresAt } = revocation as { [field in keyof Revocation | 'userId']?: never };
  checkType(userId, 'string', 'revoke(revocation): userId');
  checkType(tokenId, 'string', 'revoke(revocation): tokenId');
  if ((userId ?? '') === '' && (tokenId ?? '') === '') {
    throw new TypeError('revoke(revocation): userId or tokenId must be given');
  }
  if (userId !== undefined && tokenId !== undefined) {
    throw new TypeError('revoke(revocation): either userId or tokenId, not both');
  }
  if (expiresAt === undefined) throw new TypeError('revoke(revocation): expiresAt must be given');
  const until = numberOption(expiresAt, 'revoke(revocation): expiresAt', 0, { max: Number.MAX_SAFE_INTEGER });
  return { ...(userId !== undefined && { userId }), tokenId, expiresAt: until };
}
