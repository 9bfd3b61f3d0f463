import { type Codec, FrameError, type Item, json, Type, type WireData } from '@holdfast/protocol';
import { msgpack } from '@holdfast/protocol/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { richPayload } from './arbitrary-items.js';
import { codecSuite } from './codec-suite.js';

const bytes = (...list: (number | readonly number[])[]): Uint8Array => new Uint8Array(list.flat());
const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];

/** MessagePack of what JSON knows, in the widest forms and without any check. */
function wide(value: unknown): number[] {
  const u32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  if (value === null || value === undefined) return [0xc0];
  if (typeof value === 'boolean') return [value ? 0xc3 : 0xc2];
  if (typeof value === 'string') return [0xdb, ...u32(utf8(value).length), ...utf8(value)];
  if (typeof value === 'number') return [0xcb, ...new Uint8Array(new Float64Array([value]).buffer).reverse()];
  if (Array.isArray(value)) return [0xdd, ...u32(value.length), ...value.flatMap(wide)];
  const entries = Object.entries(value);
  return [0xdf, ...u32(entries.length), ...entries.flat().flatMap(wide)];
}

codecSuite('MessagePack', {
  make: msgpack,
  raw: (value) => bytes(wide(value)),
  anything: fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    // What begins as a frame should get further.
    fc.uint8Array({ maxLength: 60 }).map((rest) => bytes([0x93, 0, 1, 0x94, 2, 0xa1, 0x78], [...rest])),
    fc.array(fc.integer({ min: 0x80, max: 0xdf }), { maxLength: 90 }).map((list) => bytes(list)),
    fc.string(),
  ),
  damage: (frame, at, byte) => (frame as Uint8Array).with(at, byte),
});

describe('MessagePack', () => {
  const codec = msgpack();
  const frameOf = (...items: Item[]): WireData =>
    codec.frame(
      7,
      3,
      items.map((item) => codec.encode(item)),
    );
  const payloadThere = (value: unknown): unknown =>
    (codec.decode(frameOf([Type.EVT, 'x', value])) as [number, number, unknown[]])[2][2];
  /** A frame with one event whose payload is these bytes. */
  const event = (...payload: (number | readonly number[])[]): Uint8Array =>
    bytes([0x93, 0, 1, 0x93, 2, 0xa1, 0x78], ...payload);

  test('is bytes, in the shortest form', () => {
    const item = codec.encode([Type.EVT, 'x', { a: 300 }, { i: 'i' }]);
    expect(item).toEqual(
      bytes([0x94, 2, 0xa1, 0x78, 0x81, 0xa1, 0x61, 0xcd, 1, 0x2c, 0x81, 0xa1, 0x69, 0xa1, 0x69]),
    );
    expect(codec.frame(7, 70_000, [item])).toEqual(
      bytes([0x93, 7, 0xce, 0, 1, 0x11, 0x70], [...(item as Uint8Array)]),
    );
    expect(codec.frame(2 ** 53 - 1, 0, [])).toEqual(bytes([0x92, 0xcf, 0, 0x1f], Array(6).fill(0xff), [0]));
  });

  test('is smaller than JSON', () => {
    const item: Item = [Type.EVT, 'message', { text: 'hello', at: 1_767_225_600_000 }, { i: 'kX3' }];
    expect(codec.encode(item).length).toBeLessThan(json().encode(item).length);
  });

  test('carries NaN and the infinities', () => {
    expect(payloadThere([Number.NaN, Infinity, -Infinity, 0.5])).toEqual([
      Number.NaN,
      Infinity,
      -Infinity,
      0.5,
    ]);
  });

  test('bytes arrive as a Uint8Array of their own, wherever they stand', () => {
    const frame = frameOf([Type.EVT, 'x', { a: bytes(1, 2, 3), list: [bytes(4), Buffer.from('five')] }]);
    const inBuffer = Buffer.from(frame as Uint8Array);
    const decoded = codec.decode(inBuffer);
    inBuffer.fill(0xff);
    const expected = { a: bytes(1, 2, 3), list: [bytes(4), bytes(utf8('five'))] };
    expect(decoded).toStrictEqual([7, 3, [Type.EVT, 'x', expected]]);
    const [, , [, , { a }]] = decoded as [number, number, [number, string, { a: Uint8Array }]];
    expect(a.buffer.byteLength).toBe(3);
    expect(payloadThere(bytes(9))).toStrictEqual(bytes(9));
    expect(payloadThere(bytes(Array(70_000).fill(1)))).toStrictEqual(bytes(Array(70_000).fill(1)));
  });

  test('a time is a timestamp, a bigint an extension with its digits', () => {
    const payloadOf = (value: unknown): number[] =>
      [...(codec.encode([Type.RES, 1, value]) as Uint8Array)].slice(3);
    expect(payloadOf(new Date(1_000))).toEqual([0xd6, 0xff, 0, 0, 0, 1]);
    expect(payloadOf(new Date(1_500))).toEqual([0xd7, 0xff, 0x77, 0x35, 0x94, 0, 0, 0, 0, 1]);
    expect(payloadOf(-12n)).toEqual([0xc7, 3, 1, ...utf8('-12')]);
    expect(payloadOf({ $date: 5 })).toEqual([0x81, 0xa5, ...utf8('$date'), 5]);
  });

  test('what JSON can say, MessagePack can, and the other way round', () => {
    const other = json();
    const through = (one: Codec, value: unknown): unknown =>
      (one.decode(one.frame(0, 1, [one.encode([Type.RES, 1, value])])) as unknown[][])[2]?.[2];
    fc.assert(
      fc.property(richPayload, (value) => {
        expect(through(other, through(codec, value))).toStrictEqual(value);
        expect(through(codec, through(other, value))).toStrictEqual(value);
      }),
    );
  });

  test('says what it has no word for, within a payload, too', () => {
    expect(() => codec.encode([Type.EVT, 'x', { on: () => 1 }])).toThrow(
      'MessagePack has no word for a function',
    );
    expect(() => codec.encode([Type.EVT, 'x', [Symbol('s')]])).toThrow(
      'MessagePack has no word for a symbol',
    );
  });

  test('a payload that is another one each time it is looked at is refused or sent, and breaks nothing', () => {
    let looks = 0;
    const value = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => (looks++ === 0 ? 1 : () => 1),
    });
    expect(() => codec.encode([Type.EVT, 'x', value])).toThrow(TypeError);
    expect(payloadThere('next')).toBe('next');
  });

  test('half of a surrogate pair takes three bytes of a key', () => {
    const keyOf = (length: number): unknown => ({ ['\ud800'.repeat(length)]: 1 });
    expect(Object.keys(payloadThere(keyOf(85)) as object)[0]).toHaveLength(85);
    expect(() => codec.encode([Type.EVT, 'x', keyOf(86)])).toThrow('a key with more than 256 bytes');
  });

  test('leaves what was given to it as it was', () => {
    const at = new Date(0);
    const value = { at, list: [at, undefined], none: undefined };
    codec.encode([Type.EVT, 'x', value]);
    expect(value).toStrictEqual({ at, list: [at, undefined], none: undefined });
  });

  test('does not take text frames, or items of another codec', () => {
    expect(() => codec.decode('[0,0]')).toThrow(
      new FrameError('MessagePack comes in binary frames, not in text ones'),
    );
    expect(() => codec.frame(0, 0, ['[7]'])).toThrow(TypeError);
  });

  const bombs: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'array32 in array32',
      bytes(Array(1_800).fill([0xdd, 0xff, 0xff, 0xff, 0xff]).flat()),
      'it ends too early',
    ],
    // Each may have that many entries; all of them together would be 800 times as many as there are bytes.
    [
      'array32 of what is left',
      bytes(Array(1_800).fill([0xdd, 0, 0, 0x10, 0]).flat()),
      'more than 10000 elements',
    ],
    ['map32 in an item', event(0xdf, 0x7f, 0xff, 0xff, 0xff), 'it ends too early'],
    ['map16 without values', event(0xde, 0, 3, [0xa1, 0x61, 1, 0xa1, 0x62]), 'it ends too early'],
    ['one-entry arrays', event(Array(9_000).fill(0x91)), 'nested more than'],
    ['one-entry maps', event(Array(9_000).fill([0x81, 0xa0]).flat()), 'nested more than'],
    ['empty arrays', event(0xdc, 0x27, 0x11, Array(10_001).fill(0x90)), 'more than 10000 elements'],
    ['items', bytes(0xdd, 0, 1, 0, 1, Array(65_537).fill(0)), 'more than 10000 elements'],
    ['a text of 4 GiB', event(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61), 'it ends too early'],
    ['bytes of 4 GiB', event(0xc6, 0xff, 0xff, 0xff, 0xff, 0x61), 'it ends too early'],
    ['a length that is cut off', event(0xdd, 0, 0), 'it ends too early'],
    ['a number that is cut off', event(0xcb, 0, 0), 'it ends too early'],
    ['nothing', bytes(), 'it ends too early'],
    ['a second frame', bytes([0x92, 0, 0], [0x92, 0, 0]), 'more than one value'],
    ['a timestamp of 5 bytes', event(0xc7, 5, 0xff, 0, 0, 0, 0, 0), 'an extension of type 255 with 5 bytes'],
    ['a timestamp that is cut off', event(0xd7, 0xff, 0), 'it ends too early'],
    [
      'a timestamp that no Date can be',
      event(0xc7, 12, 0xff, 0, 0, 0, 0, 0x7f, Array(7).fill(0xff)),
      'a time that no Date can be',
    ],
    ['a bigint that is no number', event(0xd5, 1, utf8('1x')), 'a bigint that is no number'],
    ['an empty bigint', event(0xc7, 0, 1), 'a bigint that is no number'],
    ['a bigint of 64 KiB', event(0xc8, 0xff, 0xff, 1, Array(65_535).fill(0x39)), 'type 1 with 65535 bytes'],
    ['an extension', event(0xc7, 1, 5, 0), 'an extension of type 5 with 1 bytes'],
    ['an extension of 4 GiB', event(0xc9, 0xff, 0xff, 0xff, 0xff, 1), 'the type 0xc9'],
    ['an extension without a type', event(0xd4), 'an extension of type undefined'],
    ['a key that is a timestamp', event(0x81, 0xd6, 0xff, 0, 0, 0, 0, 1), 'a key must be a text'],
    ['the type that is none', event(0xc1), 'the type 0xc1'],
    ['a key that is a number', event(0x81, 1, 1), 'a key must be a text'],
    ['a key that is a list', event(0x81, 0x90, 1), 'a key must be a text'],
    ['a key that is nil', event(0x81, 0xc0, 1), 'a key must be a text'],
    [
      'the key __proto__ in overlong UTF-8',
      event(0x81, 0xaa, [0xc1, 0x9f], utf8('_proto__'), 1),
      '__proto__',
    ],
  ];
  test.each(bombs)('refuses %s before anything is made of it', (_what, frame, why) => {
    expect(() => codec.decode(frame)).toThrow(FrameError);
    expect(() => codec.decode(frame)).toThrow(why);
    // And works on.
    expect(payloadThere('next')).toBe('next');
  });
});
