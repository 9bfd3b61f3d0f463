import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jwt } from '../../../src/jwt.js';
import { jwkOf, pairs, pemOf, SECRET } from './tokens.js';

const make = (options: object) => () => jwt(options as Parameters<typeof jwt>[0]);
const audience = 'chat';
const secret = SECRET;
const small = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const exchange = generateKeyPairSync('x25519');
const privatePem = String(pairs.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }));

describe('a bad option is refused by name', () => {
  test.each([
    [{ audience }, 'jwt: exactly one of secret, publicKey, jwksUrl, not 0'],
    [
      { audience, secret, jwksUrl: 'https://id.example.com' },
      'jwt: exactly one of secret, publicKey, jwksUrl, not 2',
    ],
    [{ secret }, 'jwt: audience must be given'],
    [{ secret, audience: '' }, 'jwt: audience must be a string that is not empty, or an array of some'],
    [{ secret, audience: [] }, 'jwt: audience must be a string that is not empty'],
    [{ secret, audience, issuer: 5 }, 'jwt: issuer must be a string that is not empty'],
    [{ secret, audience, expiresIn: 5 }, "jwt(options): unknown option 'expiresIn'; allowed: secret,"],
    [{ secret, audience, user: 'ada' }, "jwt: user must be a function, not 'ada'"],
    [{ secret, audience, clockToleranceMs: -1 }, 'jwt: clockToleranceMs must be a number of at least 0'],
    [{ secret, audience, algorithms: 'HS256' }, 'jwt: algorithms must be an array of one or more names'],
    [{ secret, audience, algorithms: [] }, 'jwt: algorithms must be an array of one or more names'],
    [{ secret, audience, algorithms: ['none'] }, 'jwt: algorithms: this key is for HS256, not none'],
    [{ secret, audience, algorithms: ['RS256'] }, 'jwt: algorithms: this key is for HS256, not RS256'],
    [{ secret, audience, algorithms: ['HS512'] }, 'jwt: algorithms: this key is for HS256, not HS512'],
    [
      { audience, publicKey: pemOf(pairs.p256.publicKey), algorithms: ['HS256'] },
      'jwt: algorithms: this key is for ES256, not HS256',
    ],
    [
      { audience, jwksUrl: 'https://id.example.com', algorithms: ['HS256'] },
      'jwt: algorithms: this key is for RS256, RS384',
    ],
    [{ audience, jwksUrl: '/jwks.json' }, "jwt: jwksUrl must be an https: or http: URL, not '/jwks.json'"],
    [{ audience, jwksUrl: 'file:///jwks.json' }, 'jwt: jwksUrl must be an https: or http: URL'],
    [{ audience, secret: 'x'.repeat(31) }, 'jwt: secret must have at least 32 bytes, not 31'],
    [{ audience, secret: new Uint8Array(31) }, 'jwt: secret must have at least 32 bytes, not 31'],
    [{ audience, secret: 5 }, 'jwt: secret must be a string or a Uint8Array'],
    [{ audience, publicKey: 5 }, 'jwt: publicKey must be a string in PEM, or a JWK'],
    [{ audience, publicKey: 'a key' }, 'jwt: publicKey must be a public key or certificate in PEM'],
    [{ audience, publicKey: { kty: 'oct', k: 'c2VjcmV0' } }, 'jwt: publicKey must be a public key or'],
    [{ audience, publicKey: privatePem }, 'jwt: publicKey must be the public key, not the private one'],
    [
      { audience, publicKey: jwkOf(pairs.p256.privateKey) },
      'jwt: publicKey must be the public key, not the private one',
    ],
    [
      { audience, publicKey: pemOf(small.publicKey) },
      'jwt: publicKey: an RSA key must have at least 2048 bits, not 1024',
    ],
    [{ audience, publicKey: pemOf(other.publicKey) }, 'P-521 or Ed25519, not secp256k1'],
    [{ audience, publicKey: pemOf(exchange.publicKey) }, 'P-521 or Ed25519, not x25519'],
  ])('%#', (options, message) => {
    expect(make(options)).toThrow(TypeError);
    expect(make(options)).toThrow(message);
  });
});

test('neither secret nor key stands in what is thrown', () => {
  for (const options of [
    { audience, secret: 'hunter2' },
    { audience, publicKey: 'hunter2' },
    { audience, publicKey: privatePem },
  ]) {
    expect(make(options)).not.toThrow(/hunter2|MII/);
  }
});

test('32 bytes are enough, in whatever characters', () => {
  expect(make({ audience, secret: 'x'.repeat(32) })()).toBeTypeOf('function');
  expect(make({ audience, secret: 'ä'.repeat(16) })()).toBeTypeOf('function');
  expect(make({ audience, secret: new Uint8Array(48), algorithms: ['HS384'] })()).toBeTypeOf('function');
});

test('a JWK as it stands in a JWKS', () => {
  const jwk = createPublicKey(pairs.ed25519.publicKey.export({ type: 'spki', format: 'pem' }));
  expect(make({ audience, publicKey: { ...jwkOf(jwk), kid: '1', use: 'sig', alg: 'EdDSA' } })()).toBeTypeOf(
    'function',
  );
});
