import { createHmac, createSecretKey } from 'node:crypto';
import { RejectError } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { asking, jwkOf, NOW, pairs, pemOf, SECRET, sign } from './tokens.js';

const refusal = (reason: string) => expect.objectContaining({ name: 'RejectError', reason });
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const kinds = [
  ['rsa', 'RS256'],
  ['rsa', 'RS512'],
  ['rsa', 'PS256'],
  ['p256', 'ES256'],
  ['p384', 'ES384'],
  ['p521', 'ES512'],
  ['ed25519', 'EdDSA'],
  ['ed25519', 'Ed25519'],
] as const;

describe('a key of each kind', () => {
  test.each(['HS256', 'HS384', 'HS512'])('a secret, %s', async (alg) => {
    const secret = 's'.repeat(64);
    const ask = asking({ secret, algorithms: [alg] });
    const token = await sign({}, { key: Buffer.from(secret), alg });
    expect(await ask(token)).toEqual({ user: { id: 'ada' }, expiresAt: (NOW + 60) * 1_000 });
  });

  test.each(kinds)('%s, %s, as PEM and as JWK', async (kind, alg) => {
    const { publicKey, privateKey } = pairs[kind];
    const token = await sign({}, { key: privateKey, alg });
    for (const given of [pemOf(publicKey), jwkOf(publicKey)]) {
      expect(await asking({ publicKey: given })(token)).toMatchObject({ user: { id: 'ada' } });
    }
  });

  test.each(kinds)('%s, %s: not with another signature', async (kind, alg) => {
    const token = await sign({}, { key: pairs[kind].privateKey, alg });
    const [head, body, signature = ''] = token.split('.');
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const ask = asking({ publicKey: pemOf(pairs[kind].publicKey) });
    await expect(ask(forged)).rejects.toEqual(refusal('bad-signature'));
  });
});

describe('what a token chooses for itself', () => {
  test('none: refused, whatever the key', async () => {
    const token = `${base64url({ alg: 'none' })}.${base64url({ sub: 'ada', aud: 'chat' })}.`;
    for (const keys of [{ secret: SECRET }, { publicKey: pemOf(pairs.rsa.publicKey) }]) {
      await expect(asking(keys)(token)).rejects.toEqual(refusal('wrong-algorithm'));
    }
  });

  test('HMAC with the public key as the secret: refused', async () => {
    const pem = pemOf(pairs.rsa.publicKey);
    const said = `${base64url({ alg: 'HS256' })}.${base64url({ sub: 'ada', aud: 'chat', exp: NOW + 60 })}`;
    const token = `${said}.${createHmac('sha256', pem).update(said).digest('base64url')}`;
    await expect(asking({ publicKey: pem })(token)).rejects.toEqual(refusal('wrong-algorithm'));
  });

  test.each([
    ['another of its kind that is not among those that count', ['RS256'], 'RS512'],
    ['one that fits and counts by default, but not here', ['PS256'], 'RS256'],
  ])('%s: refused', async (_what, algorithms, alg) => {
    const ask = asking({ publicKey: pemOf(pairs.rsa.publicKey), algorithms });
    const token = await sign({}, { key: pairs.rsa.privateKey, alg });
    await expect(ask(token)).rejects.toEqual(refusal('wrong-algorithm'));
  });

  test('a longer HMAC than the default: refused', async () => {
    const secret = 's'.repeat(64);
    const token = await sign({}, { key: createSecretKey(Buffer.from(secret)), alg: 'HS512' });
    await expect(asking({ secret })(token)).rejects.toEqual(refusal('wrong-algorithm'));
  });

  test('a header that asks for more than is understood: refused', async () => {
    const said = `${base64url({ alg: 'HS256', crit: ['b'], b: 1 })}.${base64url({ sub: 'ada', aud: 'chat' })}`;
    const token = `${said}.${createHmac('sha256', SECRET).update(said).digest('base64url')}`;
    await expect(asking({ secret: SECRET })(token)).rejects.toEqual(refusal('token-invalid'));
  });
});

describe('claims', () => {
  const ask = asking({ secret: SECRET, issuer: ['https://id.example.com', 'https://old.example.com'] });
  const iss = 'https://id.example.com';

  test.each([
    ['another audience', { aud: 'billing' }, 'wrong-audience'],
    ['no audience', { aud: undefined }, 'wrong-audience'],
    ['another issuer', { iss: 'https://evil.example' }, 'wrong-issuer'],
    ['no issuer', { iss: undefined }, 'wrong-issuer'],
    ['no sub', { sub: undefined }, 'token-invalid'],
    ['an empty sub', { sub: '' }, 'token-invalid'],
    ['a sub that is no text', { sub: 7 }, 'token-invalid'],
    ['a sub that is too long', { sub: 'x'.repeat(257) }, 'token-invalid'],
    ['an end that is none', { exp: 'soon' }, 'token-invalid'],
    ['a time that has passed by more than the tolerance', { exp: NOW - 5 }, 'expired'],
    ['a time to come by more than the tolerance', { nbf: NOW + 6 }, 'not-yet-valid'],
  ])('%s: %s', async (_what, claims, reason) => {
    const token = await sign({ iss, ...claims });
    await expect(ask(token)).rejects.toEqual(refusal(reason));
  });

  test.each([
    ['one of several audiences', { aud: ['billing', 'chat'] }],
    ['another of the issuers', { iss: 'https://old.example.com' }],
    ['a time that has passed within the tolerance', { exp: NOW - 4 }],
    ['a time to come within the tolerance', { nbf: NOW + 5 }],
  ])('%s: fine', async (_what, claims) => {
    expect(await ask(await sign({ iss, ...claims }))).toMatchObject({ user: { id: 'ada' } });
  });

  test('the tolerance is in ms', async () => {
    const strict = asking({ secret: SECRET, clockToleranceMs: 0 });
    await expect(strict(await sign({ exp: NOW }))).rejects.toEqual(refusal('expired'));
    const lax = asking({ secret: SECRET, clockToleranceMs: 60_000 });
    expect(await lax(await sign({ exp: NOW - 59 }))).toMatchObject({ expiresAt: (NOW - 59) * 1_000 });
  });

  test('without exp a token has no end; one beyond all numbers ends late', async () => {
    const forever = asking({ secret: SECRET });
    expect(await forever(await sign({ exp: undefined }))).toMatchObject({ expiresAt: undefined });
    expect(await forever(await sign({ exp: 1e308 }))).toMatchObject({ expiresAt: Number.MAX_SAFE_INTEGER });
  });
});

describe('what is no token', () => {
  test.each([
    ['none', undefined, 'token-missing'],
    ['an empty one', '', 'token-missing'],
    ['a word', 'ada', 'token-invalid'],
    ['three words', 'a.b.c', 'token-invalid'],
    ['one whose header is none', `${base64url('HS256')}.e30.AAAA`, 'token-invalid'],
    ['one that nobody has signed', `${base64url({ alg: 'HS256' })}..`, 'bad-signature'],
    ['one that is encrypted', 'a.b.c.d.e', 'token-invalid'],
  ])('%s: %s', async (_what, token, reason) => {
    await expect(asking({ secret: SECRET })(token)).rejects.toEqual(refusal(reason));
  });

  test('a refusal shows nothing of the token', async () => {
    const token = await sign({ aud: 'billing', sub: 'somebody' });
    const error: Error = await asking({ secret: SECRET })(token).then(
      () => new Error('accepted'),
      (refused: Error) => refused,
    );
    expect(error.message).toBe('wrong-audience');
    expect(error.cause).toBeUndefined();
  });
});

describe('user', () => {
  const roles = (claims: { readonly [claim: string]: unknown; readonly sub: string }) => {
    if (claims['banned'] === true) throw new RejectError('banned');
    return { id: claims.sub, roles: claims['roles'] };
  };

  test('makes who it is of the claims', async () => {
    const ask = asking({ secret: SECRET, user: roles });
    expect(await ask(await sign({ roles: ['admin'] }))).toMatchObject({
      user: { id: 'ada', roles: ['admin'] },
    });
  });

  test('may refuse', async () => {
    const ask = asking({ secret: SECRET, user: roles });
    await expect(ask(await sign({ banned: true }))).rejects.toEqual(refusal('banned'));
  });
});
