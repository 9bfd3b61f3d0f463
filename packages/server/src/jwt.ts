/** Signed tokens for `createHoldfastServer({ auth: jwt({ … }) })`, verified by jose. */
import { type JwtOptions, resolveJwtOptions } from './jwt/options.js';
import { authenticateWith } from './jwt/verify.js';
import type { Authenticate, User } from './types.js';

export type { JwtClaims, JwtOptions } from './jwt/options.js';

/**
 * An `auth` for JSON Web Tokens (RFC 7519): checks signature, audience, issuer and time; the token's `exp` is when the
 * connection needs another one. Its `sub` is needed, of 1 to 256 characters. Refuses with a `RejectError`: `expired`, on
 * which the client brings a fresh token; `token-missing`, `token-invalid` (no JWT, or no `sub`), `bad-signature`,
 * `wrong-algorithm`, `wrong-audience`, `wrong-issuer`, `not-yet-valid`, `unknown-key` (none of the JWKS). A JWKS that cannot
 * be had refuses nobody: it is told to `onError`, and clients come back by themselves.
 *
 * Throws a `TypeError` that names the option and the rule: for a key that is too weak, or an algorithm that is not of its kind.
 */
export function jwt<U extends User = User>(options: JwtOptions<U>): Authenticate<U> {
  return authenticateWith(resolveJwtOptions(options));
}
