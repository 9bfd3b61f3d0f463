import { FrameError, type Item, parseFrame, Type } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';

const hello = { v: 1, c: 'nonce', n: 1, w: [1_000, 1_048_576] };
const welcome = {
  v: 1,
  s: 's',
  q: 0,
  u: 'u',
  h: 20_000,
  w: [1_000, 1_048_576],
  m: 1_048_576,
  o: 100,
  ttl: 120_000,
  d: 'memory',
};

const good: readonly (readonly [string, readonly unknown[]])[] = [
  ['HELLO', [0, 0, [Type.HELLO, hello]]],
  [
    'HELLO with token and session',
    [0, 0, [Type.HELLO, { ...hello, a: 'token', f: ['x'], s: 'session', k: 'key', e: 'epoch', x: 3, y: 0 }]],
  ],
  ['HELLO with a contract', [0, 0, [Type.HELLO, { ...hello, cv: [2, 1] }]]],
  ['WELCOME', [0, 0, [Type.WELCOME, welcome]]],
  ['WELCOME with a contract', [0, 0, [Type.WELCOME, { ...welcome, cv: [2, 1] }]]],
  ['WELCOME with a verdict of 1', [0, 0, [Type.WELCOME, { ...welcome, q: 1, k: 'key', e: 'epoch', x: 3 }]]],
  [
    'WELCOME with a verdict of 2',
    [0, 0, [Type.WELCOME, { ...welcome, q: 2, p: [3, [5, 7]], lost: [[Type.ERR, 6, 'ERR_REJECTED', 'no']] }]],
  ],
  ['EVT', [0, 1, [Type.EVT, 'message', { text: 'hello' }, { i: 'id' }]]],
  ['EVT without meta', [0, 1, [Type.EVT, 'message', 1]]],
  ['EVT without payload', [0, 1, [Type.EVT, 'message']]],
  ['REQ', [3, 9, [Type.REQ, 'history']]],
  ['RES without result', [0, 1, [Type.RES, 1]]],
  ['ERR', [0, 1, [Type.ERR, 1, 'ERR_REJECTED', 'no']]],
  ['PUB', [0, 0, [Type.PUB, 1, 5, 'message', null, { i: 'x', t: 1, f: 'u' }]]],
  ['PING and PONG', [0, 0, [Type.PING], [Type.PONG]]],
  ['GAP of a room', [0, 0, [Type.GAP, 1, 0, 'new-epoch', 3]]],
  ['GAP of the direct lane', [0, 4, [Type.GAP, 4, 9, 'abandoned']]],
  ['CREDIT', [0, 0, [Type.CREDIT, 10, 1_000]]],
  ['AUTH', [0, 0, [Type.AUTH, 'token']]],
  ['GOAWAY', [0, 0, [Type.GOAWAY, 'drain', 500, 'wss://b']]],
  ['DONE', [0, 0, [Type.DONE, 4, [6, 7]]]],
  [
    'items of a stream',
    [0, 1, [Type.STREAM_ITEM, 1, 'data'], [Type.STREAM_END, 1], [Type.STREAM_CREDIT, 1, 16]],
  ],
  ['VOL', [0, 0, [Type.VOL, 'typing', true]]],
  ['ACK_NOW', [0, 0, [Type.ACK_NOW]]],
  ['BYE', [0, 0, [Type.BYE, 'closed', '']]],
  ['BYE with a version', [0, 0, [Type.BYE, 'ERR_CONTRACT_VERSION', '', 2]]],
  ['CANCEL', [0, 1, [Type.CANCEL, 4]]],
  ['SYNC', [0, 0, [Type.SYNC, [['lobby', 'epoch', 0, 1]]]]],
  ['SYNC of a client', [0, 0, [Type.SYNC, [['lobby', 'epoch', 3]]]]],
  ['a bare ack', [5, 0]],
  ['an item with more than this version knows', [0, 1, [Type.CANCEL, 4, 'later', { and: 'more' }]]],
];

const bad: readonly (readonly [string, unknown, string])[] = [
  ['nothing', undefined, 'frame must be an array, not undefined'],
  [
    'a contract of version 0',
    [0, 0, [Type.HELLO, { ...hello, cv: [0, 0] }]],
    'item 0[1].cv[0] must be a whole number from 1, not 0',
  ],
  [
    'half a contract version',
    [0, 0, [Type.WELCOME, { ...welcome, cv: [2] }]],
    'item 0[1].cv[1] must be a whole number from 1, not undefined',
  ],
  [
    'a BYE with a version that is none',
    [0, 0, [Type.BYE, 'x', '', 'two']],
    'item 0[3] must be a whole number from 0, not string',
  ],
  ['null', null, 'frame must be an array, not null'],
  ['an object', { 0: 1 }, 'frame must be an array, not object'],
  ['an empty array', [], 'frame[0] must be a whole number from 0, not undefined'],
  ['a text as ack', ['1', 0], 'frame[0] must be a whole number from 0, not string'],
  ['a fraction', [0.5, 0], 'frame[0] must be a whole number from 0, not 0.5'],
  ['a negative number', [0, -1], 'frame[1] must be a whole number from 0, not -1'],
  ['a number that is not safe', [2 ** 53, 0], `frame[0] must be a whole number from 0, not ${2 ** 53}`],
  ['an item that is no array', [0, 0, 'x'], 'item 0 must be an array, not string'],
  ['an item without a type', [0, 0, []], 'item 0[0] must be a whole number from 0, not undefined'],
  ['an unknown type', [0, 0, [31]], 'item 0 has the unknown type 31'],
  ['an inherited type', [0, 0, ['constructor']], 'item 0[0] must be a whole number from 0, not string'],
  ['an event without a name', [0, 1, [Type.EVT]], 'item 0[1] must be a text of up to 128, not undefined'],
  [
    'a name that is too long',
    [0, 1, [Type.EVT, 'x'.repeat(129)]],
    'item 0[1] must be a text of up to 128, not string',
  ],
  ['meta that is no object', [0, 1, [Type.EVT, 'x', 1, 'y']], 'item 0[3] must be an object, not string'],
  [
    'a room that is no text',
    [0, 1, [Type.EVT, 'x', 1, { r: 1 }]],
    'item 0[3].r must be a text of up to 128, not 1',
  ],
  ['an answer to number 0', [0, 1, [Type.RES, 0]], 'item 0[1] must be a whole number from 1, not 0'],
  ['a HELLO without fields', [0, 0, [Type.HELLO]], 'item 0[1] must be an object, not undefined'],
  ['a verdict of 3', [0, 0, [Type.WELCOME, { v: 1, s: 's', q: 3 }]], 'item 0[1].q must be a verdict, not 3'],
  [
    'firstSeq where nothing is sequenced',
    [0, 1, [Type.PING]],
    'firstSeq must be 0 exactly where no item is sequenced',
  ],
  [
    'no firstSeq where something is',
    [0, 0, [Type.CANCEL, 1]],
    'firstSeq must be 0 exactly where no item is sequenced',
  ],
  [
    'too many items',
    [0, 0, ...Array.from({ length: 257 }, () => [Type.PING])],
    'a frame may hold 256 items, not 257',
  ],
];

describe('parseFrame', () => {
  test.each(good)('takes %s', (_what, [ack, firstSeq, ...items]) => {
    expect(parseFrame([ack, firstSeq, ...items])).toEqual({ ack, firstSeq, items });
  });

  test.each(bad)('refuses %s', (_what, value, message) => {
    expect(() => parseFrame(value)).toThrow(new FrameError(message));
  });

  test('leaves extensions out', () => {
    expect(parseFrame([0, 0, [32, 'whatever'], [Type.PING]]).items).toEqual([[Type.PING]]);
  });

  test('knows every type that there is', () => {
    const shown = new Set(good.flatMap(([, [, , ...items]]) => (items as Item[]).map(([type]) => type)));
    expect([...shown].sort()).toEqual(Object.values(Type).sort());
  });
});
