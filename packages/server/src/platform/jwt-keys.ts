import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

/** A key, and the algorithms that it is good for: no token chooses any other (RFC 8725 §3.1). */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
/** In Node's words for the curves. */
const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);
const EDWARDS = ['EdDSA', 'Ed25519'] as const;

/** What keys of a JWKS may be for. Nothing symmetric: who can read the set could sign. */
export const ASYMMETRIC: readonly string[] = [...RSA, ...CURVES.values(), ...EDWARDS];

/** An HMAC key shorter than its hash is weaker than it says (RFC 7518 §3.2); bytes. */
const LEAST_SECRET_BYTES: ReadonlyMap<string, number> = new Map([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
]);

/** Throws a `TypeError` that does not show the secret. */
export function secretKey(secret: string | Uint8Array): VerificationKey {
  const bytes = Buffer.from(secret as string);
  const fitting = [...LEAST_SECRET_BYTES].filter(([, least]) => bytes.length >= least);
  if (fitting.length === 0) {
    throw new TypeError(`jwt: secret must have at least 32 bytes, not ${bytes.length}`);
  }
  return { key: createSecretKey(bytes), algorithms: fitting.map(([algorithm]) => algorithm) };
}

/** Takes SPKI or a certificate in PEM, or a JWK. Throws a `TypeError` that does not show the key. */
export function publicKey(given: string | { readonly [member: string]: unknown }): VerificationKey {
  const isPrivate = typeof given === 'string' ? given.includes('PRIVATE KEY') : given['d'] !== undefined;
  // Node would make the public one of it, and the other one would lie about on every server.
  if (isPrivate) throw new TypeError('jwt: publicKey must be the public key, not the private one');
  let key: KeyObject;
  try {
    key = createPublicKey(typeof given === 'string' ? given : { key: given, format: 'jwk' });
  } catch (cause) {
    throw new TypeError('jwt: publicKey must be a public key or certificate in PEM, or a public JWK', {
      cause,
    });
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength >= 2_048) return { key, algorithms: RSA };
    throw new TypeError(`jwt: publicKey: an RSA key must have at least 2048 bits, not ${modulusLength}`);
  }
  if (key.asymmetricKeyType === 'ed25519') return { key, algorithms: EDWARDS };
  const algorithm = CURVES.get(namedCurve);
  if (algorithm !== undefined) return { key, algorithms: [algorithm] };
  throw new TypeError(
    `jwt: publicKey must be of RSA, P-256, P-384, P-521 or Ed25519, not ${namedCurve ?? key.asymmetricKeyType}`,
  );
}
