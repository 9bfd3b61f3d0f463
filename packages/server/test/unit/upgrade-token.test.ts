import { describe, expect, test } from 'vitest';
import { redactedUrl, upgradeTokenOf } from '../../src/gateway/upgrade-token.js';

const everywhere = { cookie: 'sid', query: 'token' };
const origin = 'https://example.com';
const bearer = (token: string): string => `holdfast.bearer.${Buffer.from(token).toString('base64url')}`;

interface Asked {
  readonly url?: string;
  readonly cookie?: string;
  readonly origin?: string;
  readonly offered?: readonly string[];
}
const tokenOf = ({ url = '/realtime', cookie, origin: from, offered = [] }: Asked, places = everywhere) =>
  upgradeTokenOf(
    {
      url,
      headers: { ...(cookie !== undefined && { cookie }), ...(from !== undefined && { origin: from }) },
    },
    offered,
    places,
  );

describe('where a token stands', () => {
  test.each<[string, Asked, string | undefined]>([
    ['nowhere', {}, undefined],
    ['in the query', { url: '/realtime?token=ada' }, 'ada'],
    ['in the query among others', { url: '/realtime?a=1&token=ada&b' }, 'ada'],
    ['in the query, encoded', { url: '/realtime?tok%65n=%C3%A4da%20x' }, 'äda x'],
    ['in a path that looks like a query', { url: '/realtime/token=ada' }, undefined],
    ['in the query under another name', { url: '/realtime?access_token=ada' }, undefined],
    ['in a cookie', { cookie: 'sid=ada', origin }, 'ada'],
    ['in a cookie among others', { cookie: 'a=1; sid=ada; b', origin }, 'ada'],
    ['in a cookie, encoded', { cookie: 'sid=%C3%A4da', origin }, 'äda'],
    ['in a cookie whose encoding is none', { cookie: 'sid=%zz', origin }, '%zz'],
    ['in two cookies of one name: the first', { cookie: 'sid=ada; sid=eve', origin }, 'ada'],
    ['in a cookie that is none', { cookie: ';;; =; sid', origin }, undefined],
    ['in a cookie of another name, without an origin', { cookie: 'side=ada' }, undefined],
    [
      'in subprotocol, query and cookie',
      { offered: [bearer('bob')], url: '/?token=ada', cookie: 'sid=eve' },
      'bob',
    ],
    ['in query and cookie', { url: '/?token=ada', cookie: 'sid=eve' }, 'ada'],
  ])('%s', (_where, asked, token) => {
    expect(tokenOf(asked)).toEqual(token === undefined ? { outcome: 'none' } : { outcome: 'token', token });
  });

  test('neither in query nor cookie unless that is switched on', () => {
    const nowhere = { cookie: undefined, query: undefined };
    const asked = { url: '/realtime?token=ada&undefined=ada', cookie: 'sid=ada; undefined=ada', origin };
    expect(upgradeTokenOf({ url: asked.url, headers: asked }, [], nowhere)).toEqual({ outcome: 'none' });
  });
});

describe('refused', () => {
  test.each<[string, Asked, number, string]>([
    ['two in the query', { url: '/?token=a&token=b' }, 400, 'more than one token in the query'],
    ['an empty one in the query', { url: '/?token' }, 400, 'token in the query is empty'],
    ['half a character', { url: '/?token=%C3' }, 400, 'token in the query is no UTF-8'],
    ['too much', { url: `/?token=${'x'.repeat(8_193)}` }, 400, 'a token may have 8192 bytes'],
    ['an empty cookie', { cookie: 'sid=', origin }, 400, 'the cookie sid is empty'],
    [
      'too large a cookie',
      { cookie: `sid=${'x'.repeat(8_193)}`, origin },
      400,
      'a token may have 8192 bytes',
    ],
    ['a cookie without an origin', { cookie: 'sid=ada' }, 403, 'a cookie counts only with an Origin'],
    [
      'two subprotocols',
      { offered: [bearer('a'), bearer('b')] },
      400,
      'more than one holdfast.bearer.<token>',
    ],
  ])('%s', (_what, asked, status, text) => {
    expect(tokenOf(asked)).toEqual({ outcome: 'refused', refusal: { status, text } });
  });
});

test.each([
  ['/realtime', '/realtime'],
  ['/realtime?a=1', '/realtime?a=1'],
  ['/realtime?token=secret', '/realtime?token=redacted'],
  ['/realtime?a=1&token=secret&b=2&token=other', '/realtime?a=1&token=redacted&b=2&token=redacted'],
  ['/realtime?t%6Fken=secret', '/realtime?token=redacted'],
  ['/realtime?token=a?token=secret', '/realtime?token=redacted'],
  ['/realtime?token', '/realtime?token=redacted'],
])('%s stands in logs as %s', (url, redacted) => {
  expect(redactedUrl(url, 'token')).toBe(redacted);
});
