import { json } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { bearerOf } from '../../src/gateway/bearer.js';
import { negotiate } from '../../src/gateway/negotiate.js';
import { originAllowed } from '../../src/gateway/origin.js';

describe('negotiate', () => {
  const codecs = [json()];

  test("takes the client's first choice that the server speaks", () => {
    const result = negotiate(['holdfast.v1.cbor', 'holdfast.v1.json', 'chat'], codecs);
    expect(result).toEqual({ outcome: 'agreed', protocol: 'holdfast.v1.json', codec: codecs[0] });
  });

  test('does not take a token for a subprotocol, and shows it to nobody', () => {
    const token = 'holdfast.bearer.c2VjcmV0';
    expect(negotiate([token, 'holdfast.v1.json'], codecs)).toMatchObject({ protocol: 'holdfast.v1.json' });
    expect(negotiate([token, 'holdfast.v2.json'], codecs)).toMatchObject({ protocol: 'holdfast.v2.json' });
    expect(negotiate([token], codecs)).toEqual({
      outcome: 'none',
      why: 'this server speaks holdfast.v1.json, not without a subprotocol',
    });
  });

  test('says goodbye in a frame to a Holdfast of another version', () => {
    const result = negotiate(['holdfast.v2.json'], codecs);
    expect(result).toMatchObject({ outcome: 'other-version', protocol: 'holdfast.v2.json' });
    const [, , [type, code, text]] = JSON.parse('farewell' in result ? String(result.farewell) : '');
    expect([type, code]).toEqual([13, 'ERR_PROTOCOL_VERSION']);
    expect(text).toBe('this server speaks holdfast.v1.json, not holdfast.v2.json');
  });

  test.each([[[]], [['graphql-ws', 'json']]])('refuses %j', (offered) => {
    const result = negotiate(offered, codecs);
    expect(result).toEqual({
      outcome: 'none',
      why: `this server speaks holdfast.v1.json, not ${offered.join(', ') || 'without a subprotocol'}`,
    });
  });
});

describe('bearerOf', () => {
  const entry = (bytes: string | Uint8Array): string =>
    `holdfast.bearer.${Buffer.from(bytes as string).toString('base64url')}`;

  test.each([['a'], ['ab'], ['abc'], ['Ädä 🐚'], ['x'.repeat(8_192)]])(
    '%.10s comes out as it went in',
    (token) => {
      expect(bearerOf(['holdfast.v1.json', entry(token)])).toEqual({ outcome: 'token', token });
    },
  );

  test('where there is none there is none', () => {
    expect(bearerOf(['holdfast.v1.json', 'holdfast.bear'])).toEqual({ outcome: 'none' });
  });

  test.each([
    ['nothing', ['holdfast.bearer.']],
    ['padding', ['holdfast.bearer.YWI=']],
    ['base64 that is not for URLs', ['holdfast.bearer.+/+/']],
    ['bits that mean nothing', ['holdfast.bearer.YWJ']],
    ['a length that none has', ['holdfast.bearer.YWJjZ']],
    ['bytes that are no UTF-8', [entry(new Uint8Array([0xc3]))]],
    ['half a surrogate pair', [entry(new Uint8Array([0xed, 0xa0, 0x80]))]],
    ['more than 8 KiB', [entry('x'.repeat(8_193))]],
    ['two', [entry('a'), entry('a')]],
  ])('%s: malformed', (_what, offered) => {
    const bearer = bearerOf(offered);
    expect(bearer).toEqual({ outcome: 'malformed', why: expect.stringMatching(/token/) });
  });
});

describe('originAllowed', () => {
  const allowed = new Set(['https://example.com']);
  test.each([
    ['who is no browser', { host: 'api.example.com' }, undefined, true],
    ['who is no browser, also with a list', { host: 'api.example.com' }, allowed, true],
    [
      'a page of the server itself',
      { origin: 'http://localhost:3000', host: 'localhost:3000' },
      undefined,
      true,
    ],
    [
      'the same behind TLS of a proxy',
      { origin: 'https://chat.example.com', host: 'chat.example.com' },
      undefined,
      true,
    ],
    ['a page on another port', { origin: 'http://localhost:4000', host: 'localhost:3000' }, undefined, false],
    ['a page of somebody else', { origin: 'https://evil.example', host: 'example.com' }, undefined, false],
    ['a sandboxed page', { origin: 'null', host: 'example.com' }, undefined, false],
    ['a page on the list', { origin: 'https://example.com', host: 'api.example.com' }, allowed, true],
    [
      'the server itself, if the list leaves it out',
      { origin: 'https://api.example.com', host: 'api.example.com' },
      allowed,
      false,
    ],
    [
      'a name that only begins like one on the list',
      { origin: 'https://example.com.evil', host: 'x' },
      allowed,
      false,
    ],
    ['another scheme', { origin: 'http://example.com', host: 'x' }, allowed, false],
    ['an origin that is none', { origin: 'evil', host: 'evil' }, undefined, false],
    ['a request without a host', { origin: 'https://example.com' }, undefined, false],
  ])('%s', (_who, headers, list, expected) => {
    expect(originAllowed(headers, list)).toBe(expected);
  });
});
