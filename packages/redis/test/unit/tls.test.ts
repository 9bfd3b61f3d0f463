import { generateKeyPairSync } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { type RedisTlsOptions, redis } from '../../src/index.js';

const url = 'rediss://127.0.0.1:6379';
const [cert = ''] = rootCertificates;
const { privateKey: key } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

describe('redis({ tls })', () => {
  test.each<RedisTlsOptions>([
    {},
    { ca: cert, servername: 'redis.example' },
    { ca: [Buffer.from(cert), cert], rejectUnauthorized: true },
  ])('takes what is right, %#', (tls) => {
    expect(redis({ url, tls }).name).toBe('redis');
    expect(redis({ nodes: [url], tls }).name).toBe('redis');
  });

  test.each([
    ['tls.ca must be a certificate as PEM, not a path to one', { ca: '/etc/ca.pem' }],
    ['tls.ca must be a certificate as PEM', { ca: [cert, 7] }],
    ['tls.cert must be a certificate as PEM', { cert: 'mine', key }],
    ['tls.cert and tls.key must be given together', { cert }],
    ['tls.cert and tls.key must be given together', { key }],
    ['tls.key must be the private key of tls.cert as PEM, and tls.passphrase what opens it', { cert, key }],
    ['tls.key must be the private key of tls.cert', { cert, key: 7 }],
    ["tls.servername must be a name, which no address is, not '127.0.0.1'", { servername: '127.0.0.1' }],
    ["tls.rejectUnauthorized must be a boolean, not 'no'", { rejectUnauthorized: 'no' }],
    ["tls: unknown option 'caFile'; allowed: ca, cert, key, passphrase", { caFile: 'x' }],
    ['tls must be an object, not true', true],
  ])('wrong, %#: %s', (words, tls) => {
    const call = () => redis({ url, tls: tls as never });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(words);
  });

  test('is for rediss://', () => {
    const words = 'tls is for rediss://…, and redis://… was given';
    expect(() => redis({ url: 'redis://a', tls: {} })).toThrow(words);
    expect(() => redis({ nodes: ['redis://a'], tls: {} })).toThrow(words);
  });
});
