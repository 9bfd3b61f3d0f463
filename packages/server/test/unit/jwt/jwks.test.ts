import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asking, jwkOf, pairs, sign } from './tokens.js';

const refusal = (reason: string) => expect.objectContaining({ name: 'RejectError', reason });
const failure = expect.objectContaining({ name: 'Error', message: 'jwt: tokens cannot be verified' });

/** An issuer that publishes `keys`, or answers with `status`. */
async function issuer() {
  const published = { keys: [] as object[], status: 200, fetches: 0 };
  const server = createServer((_request, response) => {
    published.fetches++;
    response.writeHead(published.status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ keys: published.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { published, jwksUrl: `http://127.0.0.1:${port}/jwks.json` };
}

const first = { ...jwkOf(pairs.p256.publicKey), kid: 'first', alg: 'ES256' };
const second = { ...jwkOf(pairs.ed25519.publicKey), kid: 'second', alg: 'EdDSA' };
const byFirst = () => sign({}, { key: pairs.p256.privateKey, alg: 'ES256', kid: 'first' });
const bySecond = () => sign({}, { key: pairs.ed25519.privateKey, alg: 'EdDSA', kid: 'second' });

describe('keys of an issuer', () => {
  test('are fetched for the first token, once for many', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = [first, second];
    const ask = asking({ jwksUrl });
    expect(published.fetches).toBe(0);
    const tokens = [await byFirst(), await bySecond(), await byFirst()];
    const answers = await Promise.all(tokens.map(ask));
    expect(answers).toEqual(Array(3).fill(expect.objectContaining({ user: { id: 'ada' } })));
    await ask(await byFirst());
    expect(published.fetches).toBe(1);
  });

  test('are fetched again when they have been rotated', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = [first];
    const ask = asking({ jwksUrl }, { jwksCooldownMs: 0 });
    await ask(await byFirst());
    published.keys = [second];
    await ask(await bySecond());
    expect(published.fetches).toBe(2);
    await expect(ask(await byFirst())).rejects.toEqual(refusal('unknown-key'));
  });

  test('are not fetched for every stranger', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = [first];
    const ask = asking({ jwksUrl });
    await ask(await byFirst());
    for (let count = 0; count < 20; count++) {
      await expect(ask(await bySecond())).rejects.toEqual(refusal('unknown-key'));
    }
    expect(published.fetches).toBe(1);
  });

  test('sign nothing with HMAC', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = [{ kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url'), kid: 'first' }];
    const token = await sign({}, { key: Buffer.from('x'.repeat(32)), alg: 'HS256', kid: 'first' });
    await expect(asking({ jwksUrl })(token)).rejects.toEqual(refusal('wrong-algorithm'));
  });
});

describe('keys that cannot be had refuse nobody: it is a failure, and over when they can', () => {
  test('an issuer that answers with an error', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = [first];
    published.status = 503;
    const ask = asking({ jwksUrl });
    await expect(ask(await byFirst())).rejects.toEqual(failure);
    published.status = 200;
    expect(await ask(await byFirst())).toMatchObject({ user: { id: 'ada' } });
  });

  test('an issuer that is not there', async () => {
    const ask = asking({ jwksUrl: 'http://127.0.0.1:1/jwks.json' });
    await expect(ask(await byFirst())).rejects.toEqual(failure);
  });

  test('an issuer that answers with something else', async () => {
    const { published, jwksUrl } = await issuer();
    published.keys = 'none' as unknown as object[];
    await expect(asking({ jwksUrl })(await byFirst())).rejects.toEqual(failure);
  });
});
