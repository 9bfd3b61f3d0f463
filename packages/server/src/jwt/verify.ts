import { RejectError } from '@holdfast/protocol';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Authenticate, User } from '../types.js';
import type { JwtClaims, JwtSettings } from './options.js';

/** For tests: what otherwise the library does by itself. */
export interface JwtSurroundings {
  /** Ms since 1970; default: the time of day, which other than a monotonic clock goes on while a machine sleeps. */
  now?(): number;
  /** How long after a fetch a key that is not there does not lead to another one; ms, default 30_000. */
  readonly jwksCooldownMs?: number;
}

type Jose = typeof import('jose');
type Key = Extract<JwtSettings<User>['keys'], { key: unknown }>['key'];

/** What `jose` throws, by its code, if the token is the reason. Anything else is a failure of ours, or of the issuer's. */
const REASONS: ReadonlyMap<unknown, string> = new Map([
  // The client is asked for a fresh one.
  ['ERR_JWT_EXPIRED', 'expired'],
  ['ERR_JOSE_ALG_NOT_ALLOWED', 'wrong-algorithm'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'bad-signature'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'unknown-key'],
  ['ERR_JWKS_MULTIPLE_MATCHING_KEYS', 'unknown-key'],
  ['ERR_JWS_INVALID', 'token-invalid'],
  ['ERR_JWT_INVALID', 'token-invalid'],
  ['ERR_JWT_CLAIM_VALIDATION_FAILED', 'token-invalid'],
  ['ERR_JOSE_NOT_SUPPORTED', 'token-invalid'],
]);
const CLAIM_REASONS: ReadonlyMap<unknown, string> = new Map([
  ['aud', 'wrong-audience'],
  ['iss', 'wrong-issuer'],
  ['nbf', 'not-yet-valid'],
]);

const MAX_ID_LENGTH = 256;

export function authenticateWith<U extends User>(
  settings: JwtSettings<U>,
  { now, jwksCooldownMs }: JwtSurroundings = {},
): Authenticate<U> {
  const { keys, algorithms, issuer, audience, clockToleranceMs, user } = settings;
  let loaded: Promise<{ jose: Jose; key: Key | JWTVerifyGetKey }> | undefined;
  // Imported only now: it is an ES module, which a CommonJS program cannot `require` in every Node 20.
  const load = async () => {
    const jose = await import('jose');
    if ('key' in keys) return { jose, key: keys.key };
    const cooldown = jwksCooldownMs === undefined ? {} : { cooldownDuration: jwksCooldownMs };
    return { jose, key: jose.createRemoteJWKSet(keys.jwksUrl, cooldown) };
  };

  return async (token) => {
    if (token === undefined || token === '') throw new RejectError('token-missing');
    loaded ??= load();
    const { jose, key } = await loaded;
    const options = {
      algorithms,
      audience,
      ...(issuer && { issuer }),
      clockTolerance: clockToleranceMs / 1_000,
      ...(now && { currentDate: new Date(now()) }),
    };
    // The library's signatures for keys and for functions that find one are two, with the same body.
    const verified = jose.jwtVerify(token, key as Key, options);
    const { payload } = await verified.catch((error: unknown) => {
      throw refused(error);
    });
    if (!isNamed(payload))
      throw new RejectError('token-invalid', { message: 'no sub of 1 to 256 characters' });
    const { jti: tokenId, exp, iat } = payload;
    return { user: user(payload), expiresAt: inMs(exp), tokenId, issuedAt: inMs(iat) };
  };
}

/** Says nothing of the token: what is refused ends up in logs. */
function refused(error: unknown): unknown {
  const { code, claim } = error as { readonly code?: unknown; readonly claim?: unknown };
  const reason = REASONS.get(code);
  if (reason === undefined) return new Error('jwt: tokens cannot be verified', { cause: error });
  return new RejectError((code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && CLAIM_REASONS.get(claim)) || reason);
}

function isNamed(payload: JWTPayload): payload is JWTPayload & JwtClaims {
  const { sub } = payload;
  return typeof sub === 'string' && sub !== '' && sub.length <= MAX_ID_LENGTH;
}

/** The times of a token are in seconds. */
function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.min(seconds * 1_000, Number.MAX_SAFE_INTEGER);
}
