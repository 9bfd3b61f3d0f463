import { json } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { negotiate } from '../../src/gateway/negotiate.js';
import { originAllowed } from '../../src/gateway/origin.js';

describe('negotiate', () => {
  const codecs = [json()];

  test("takes the client's first choice that the server speaks", () => {
    const result = negotiate(['holdfast.v1.cbor', 'holdfast.v1.json', 'chat'], codecs);
    expect(result).toEqual({ outcome: 'agreed', protocol: 'holdfast.v1.json', codec: codecs[0] });
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
