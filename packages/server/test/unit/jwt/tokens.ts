import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JwtOptions } from '../../../src/jwt/options.js';
import { resolveJwtOptions } from '../../../src/jwt/options.js';
import { authenticateWith, type JwtSurroundings } from '../../../src/jwt/verify.js';

export const SECRET = 'a secret of more than thirty-two bytes';
/** Where time stands, s since 1970. */
export const NOW = 1_700_000_000;

export const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
};

export const pemOf = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }));
export const jwkOf = (key: KeyObject): { [member: string]: unknown } => ({
  ...key.export({ format: 'jwk' }),
});

/** A token for ada and `chat`, that lasts for a minute, unless the claims say otherwise. */
export function sign(
  claims: { readonly [claim: string]: unknown } = {},
  { key = new TextEncoder().encode(SECRET), alg = 'HS256', kid }: SignOptions = {},
): Promise<string> {
  const payload = { sub: 'ada', aud: 'chat', exp: NOW + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key);
}

interface SignOptions {
  readonly key?: KeyObject | Uint8Array;
  readonly alg?: string;
  readonly kid?: string;
}

const request = { address: 'client-1', resumed: false };

/** Asks an `auth` made by these options. */
export function asking(options: Partial<JwtOptions>, surroundings: JwtSurroundings = {}) {
  const auth = authenticateWith(resolveJwtOptions({ audience: 'chat', ...options }), {
    now: () => NOW * 1_000,
    ...surroundings,
  });
  return async (token: string | undefined) => auth(token, request);
}
