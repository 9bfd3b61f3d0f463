import { checkKeys, checkType, numberOption } from '@holdfast/protocol';
import { ASYMMETRIC, publicKey, secretKey, type VerificationKey } from '../platform/jwt-keys.js';
import type { User } from '../types.js';

/** What a token says, verified. */
export interface JwtClaims {
  readonly [claim: string]: unknown;
  readonly sub: string;
}

/** Exactly one of `secret`, `publicKey` and `jwksUrl` says whose signature counts. */
export interface JwtOptions<U extends User = User> {
  /** For HMAC; a string counts in UTF-8. At least 32 random bytes, 48 for HS384, 64 for HS512 (RFC 7518 §3.2). */
  secret?: string | Uint8Array | undefined;
  /** RSA of 2,048 bits or more, P-256, P-384, P-521 or Ed25519: in PEM (SPKI or a certificate), or a JWK. */
  publicKey?: string | { readonly [member: string]: unknown } | undefined;
  /**
   * Where the issuer publishes its keys (RFC 7517), `https:` or `http:`. Fetched for the first token, kept for 10 minutes,
   * and fetched again for a key that is not there, but not within 30 s of the last time.
   */
  jwksUrl?: string | URL | undefined;
  /** Who must have issued the token (`iss`); one of several. Default: anybody who has the key. */
  issuer?: string | readonly string[] | undefined;
  /** For whom the token must be (`aud`); one of several: a token for another service of the issuer's is none for this one. */
  audience: string | readonly string[];
  /**
   * Which signatures count. Default: `HS256` with a secret, else every one that fits the key: `RS256` to `RS512` and `PS256` to
   * `PS512`, `ES256`, `ES384` or `ES512`, `EdDSA` and `Ed25519`. Never `none`.
   */
  algorithms?: readonly string[] | undefined;
  /** By how much the issuer's clock may differ; ms, default 5_000. */
  clockToleranceMs?: number | undefined;
  /** Who it is; default `{ id: claims.sub }`. Throw a `RejectError` to refuse. */
  user?: ((claims: JwtClaims) => U) | undefined;
}

/** Options, checked, with every default filled in. */
export interface JwtSettings<U extends User> {
  readonly keys: { readonly key: VerificationKey['key'] } | { readonly jwksUrl: URL };
  readonly algorithms: string[];
  readonly issuer: string[] | undefined;
  readonly audience: string[];
  readonly clockToleranceMs: number;
  readonly user: (claims: JwtClaims) => U;
}

const OPTIONS = [
  'secret',
  'publicKey',
  'jwksUrl',
  'issuer',
  'audience',
  'algorithms',
  'clockToleranceMs',
  'user',
] as const satisfies readonly (keyof JwtOptions)[];

/** Throws a `TypeError` that names the option and the rule, and the value unless that is a key. */
export function resolveJwtOptions<U extends User>(options: JwtOptions<U>): JwtSettings<U> {
  checkKeys(options, OPTIONS, 'jwt(options)');
  checkType(options.user, 'function', 'jwt: user');
  const { keys, algorithms, usual } = keysOf(options);
  const audience = namesOf(options.audience, 'audience');
  if (!audience) throw new TypeError('jwt: audience must be given: for whom must a token be?');
  return {
    keys,
    algorithms: chosen(options.algorithms, algorithms, usual),
    issuer: namesOf(options.issuer, 'issuer'),
    audience,
    clockToleranceMs: numberOption(options.clockToleranceMs, 'jwt: clockToleranceMs', 5_000),
    user: options.user ?? ((claims) => ({ id: claims.sub }) as U),
  };
}

interface Keys {
  readonly keys: JwtSettings<User>['keys'];
  /** What fits the key. */
  readonly algorithms: readonly string[];
  /** What counts unless the application says otherwise. */
  readonly usual: readonly string[];
}

function keysOf({ secret, publicKey: given, jwksUrl }: JwtOptions<User>): Keys {
  const count = [secret, given, jwksUrl].filter((one) => one !== undefined).length;
  if (count !== 1) throw new TypeError(`jwt: exactly one of secret, publicKey, jwksUrl, not ${count}`);
  if (secret !== undefined) {
    const isSecret = typeof secret === 'string' || secret instanceof Uint8Array;
    if (!isSecret) throw new TypeError('jwt: secret must be a string or a Uint8Array');
    const { key, algorithms } = secretKey(secret);
    return { keys: { key }, algorithms, usual: ['HS256'] };
  }
  if (given !== undefined) {
    const isKey = typeof given === 'string' || (typeof given === 'object' && given !== null);
    if (!isKey) throw new TypeError('jwt: publicKey must be a string in PEM, or a JWK');
    const { key, algorithms } = publicKey(given);
    return { keys: { key }, algorithms, usual: algorithms };
  }
  const url = URL.canParse(String(jwksUrl)) ? new URL(String(jwksUrl)) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new TypeError(`jwt: jwksUrl must be an https: or http: URL, not '${String(jwksUrl).slice(0, 40)}'`);
  }
  return { keys: { jwksUrl: url }, algorithms: ASYMMETRIC, usual: ASYMMETRIC };
}

function chosen(given: unknown, fitting: readonly string[], usual: readonly string[]): string[] {
  if (given === undefined) return [...usual];
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError('jwt: algorithms must be an array of one or more names');
  }
  for (const algorithm of given) {
    if (!fitting.includes(algorithm)) {
      throw new TypeError(`jwt: algorithms: this key is for ${fitting.join(', ')}, not ${String(algorithm)}`);
    }
  }
  return [...given];
}

function namesOf(given: unknown, option: string): string[] | undefined {
  if (given === undefined) return undefined;
  const names: unknown[] = Array.isArray(given) ? given : [given];
  const areNames = names.every((name) => typeof name === 'string' && name !== '');
  if (!areNames || names.length === 0) {
    throw new TypeError(`jwt: ${option} must be a string that is not empty, or an array of some`);
  }
  return names as string[];
}
