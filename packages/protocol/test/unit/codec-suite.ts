import {
  type Codec,
  FrameError,
  type Item,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_FRAME_ELEMENTS,
  MAX_KEY_BYTES,
  parseFrame,
  Type,
  type WireData,
} from '@holdfast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counter, event, items, number } from './arbitrary-items.js';
import { valuesSuite } from './values-suite.js';

/** More of what is arbitrary in the long run. */
const runs = process.env['HOLDFAST_LONG'] === '1' ? 50 : 1;

/** A codec with what only its tests know about it. */
export interface CodecUnderTest {
  readonly make: () => Codec;
  /** Encodes what is no frame, or none that may be: without any check. */
  raw(value: unknown): WireData;
  /** Frames of arbitrary bytes or characters, and what damage makes of a good one. */
  readonly anything: fc.Arbitrary<WireData>;
  damage(frame: WireData, at: number, byte: number): WireData;
}

const SEQUENCED: readonly number[] = [
  Type.EVT,
  Type.REQ,
  Type.RES,
  Type.ERR,
  Type.CANCEL,
  Type.STREAM_ITEM,
  Type.STREAM_END,
];
const isSequenced = (each: Item): boolean =>
  SEQUENCED.includes(each[0]) || (each[0] === Type.GAP && each[4] === undefined);
const nest = (depth: number, innermost: unknown = 0): unknown => {
  let value = innermost;
  for (let n = 0; n < depth; n++) value = n % 2 === 0 ? [value] : { x: value };
  return value;
};
const zeros = (length: number): number[] => Array.from({ length }, () => 0);

/** Payloads at a bound, and just beyond it. */
const bounds: readonly (readonly [string, unknown, unknown, RegExp])[] = [
  ['depth', nest(MAX_DEPTH), nest(MAX_DEPTH + 1), /nested more than 64 deep/],
  ['depth of empty ones', nest(MAX_DEPTH - 1, []), nest(MAX_DEPTH, {}), /nested more than 64 deep/],
  ['entries of a list', zeros(MAX_ELEMENTS), zeros(MAX_ELEMENTS + 1), /more than 10000 elements/],
  [
    'elements of many lists',
    Array.from({ length: 100 }, () => zeros(99)),
    Array.from({ length: 100 }, (_, n) => zeros(n === 50 ? 100 : 99)),
    /more than 10000 elements/,
  ],
  [
    'fields of objects',
    Array.from({ length: 5_000 }, () => ({ x: 0 })),
    Array.from({ length: 5_001 }, () => ({ x: 0 })),
    /more than 10000 elements/,
  ],
  [
    'a key',
    { ['k'.repeat(MAX_KEY_BYTES)]: 1 },
    { ['k'.repeat(MAX_KEY_BYTES + 1)]: 1 },
    /a key with more than 256/,
  ],
  ['a key in bytes', { ['€'.repeat(85)]: 1 }, { ['€'.repeat(86)]: 1 }, /a key with more than 256 bytes/],
  ['the key __proto__', { proto: 1 }, JSON.parse('{"__proto__":{"x":1}}'), /__proto__/],
];

/** What every codec promises. */
export function codecSuite(what: string, { make, raw, anything, damage }: CodecUnderTest): void {
  const codec = make();
  /** Encoded, framed, decoded and parsed. */
  const there = (...sent: Item[]): readonly Item[] => {
    const firstSeq = sent.some(isSequenced) ? 3 : 0;
    return parseFrame(
      codec.decode(
        codec.frame(
          7,
          firstSeq,
          sent.map((one) => codec.encode(one)),
        ),
      ),
    ).items;
  };
  const payloadThere = (value: unknown): unknown => there([Type.EVT, 'x', value, {}])[0]?.[2];
  /** A frame, or a `FrameError`: whatever else comes out fails the property. */
  const readOrRefuse = (data: WireData): void => {
    try {
      parseFrame(codec.decode(data));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
  };

  describe(`${what}: there and back`, () => {
    test('any items in any frame', { timeout: 10_000 * runs }, () => {
      fc.assert(
        fc.property(counter, number, items, (ack, seq, sent) => {
          const firstSeq = sent.some(isSequenced) ? seq : 0;
          const data = codec.frame(
            ack,
            firstSeq,
            sent.map((one) => codec.encode(one)),
          );
          expect(parseFrame(codec.decode(data))).toEqual({ ack, firstSeq, items: sent });
        }),
        { numRuns: 100 * runs },
      );
    });

    // Around the lengths at which an array's header grows, and as many as a frame may have.
    test.each([0, 1, 13, 14, 15, 30, 256])('%d items in a frame', (length) => {
      const pings = Array.from({ length }, (): Item => [Type.PING]);
      expect(there(...pings)).toEqual(pings);
    });

    test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])('%d', (n) => {
      expect([payloadThere(n), payloadThere(-n)]).toEqual([n, n === 0 ? 0 : -n]);
      const data = codec.frame(n, 0, [codec.publication(codec.encode([Type.EVT, 'x', 1]), n || 1, n)]);
      expect(parseFrame(codec.decode(data))).toEqual({
        ack: n,
        firstSeq: 0,
        items: [[Type.PUB, n || 1, n, 'x', 1]],
      });
    });

    test('an event becomes a publication, and its payload is not touched', { timeout: 10_000 * runs }, () => {
      fc.assert(
        fc.property(event, number, counter, (sent, room, offset) => {
          const data = codec.frame(0, 0, [codec.publication(codec.encode(sent), room, offset)]);
          const [, ...rest] = sent;
          expect(parseFrame(codec.decode(data)).items).toEqual([[Type.PUB, room, offset, ...rest]]);
        }),
        { numRuns: 100 * runs },
      );
    });

    test('an event without a payload becomes a publication without one', () => {
      const data = codec.frame(0, 0, [codec.publication(codec.encode([Type.EVT, 'x', undefined]), 1, 2)]);
      expect(codec.decode(data)).toEqual([0, 0, [Type.PUB, 1, 2, 'x']]);
    });

    test('what is encoded does not change any more', () => {
      const value = { list: [1, 2] };
      const encoded = codec.encode([Type.EVT, 'x', value]);
      value.list.push(3);
      codec.encode([Type.EVT, 'another', 'payload']);
      expect(codec.decode(codec.frame(0, 1, [encoded]))).toEqual([0, 1, [Type.EVT, 'x', { list: [1, 2] }]]);
    });
  });

  describe(`${what}: what is not JSON`, () => {
    test('absent parts at the end are left out, nil is not', () => {
      expect(codec.decode(codec.frame(0, 1, [codec.encode([Type.RES, 1, undefined])]))).toEqual([
        0,
        1,
        [4, 1],
      ]);
      expect(codec.decode(codec.frame(0, 1, [codec.encode([Type.RES, 1, null])]))).toEqual([
        0,
        1,
        [4, 1, null],
      ]);
      expect(there([Type.EVT, 'x', undefined, { u: 1 }])).toEqual([[Type.EVT, 'x', null, { u: 1 }]]);
    });

    test('an undefined field is left out, an undefined entry becomes null', () => {
      const value = payloadThere({ a: undefined, b: [undefined, 1], c: { d: undefined } });
      expect(value).toStrictEqual({ b: [null, 1], c: {} });
      // biome-ignore lint/suspicious/noSparseArray: that is what is tested
      expect(payloadThere([, 1])).toStrictEqual([null, 1]);
    });

    test('whatever has a toJSON arrives as what that gives', () => {
      const at = new Date('2026-11-25T00:00:00.000Z');
      const url = new URL('https://example.org/x');
      expect(payloadThere([{ at }, at, url])).toStrictEqual([{ at }, at, url.href]);
      expect(payloadThere({ none: { toJSON: () => undefined } })).toStrictEqual({});
      expect(payloadThere(Object.assign([1], { toJSON: () => 'list' }))).toBe('list');
      // It is asked once: JSON does not ask what it returned.
      class Account {
        at = at;
        toJSON(): unknown {
          return this;
        }
      }
      expect(payloadThere([new Account()])).toStrictEqual([{ at }]);
      let asked = 0;
      const twice = { at, toJSON: () => ({ ...twice, asked: asked++, toJSON: 0 }) };
      expect(payloadThere(twice)).toStrictEqual({ at, asked: 0, toJSON: 0 });
    });

    test('objects arrive as their own fields, boxed values as what is in them', () => {
      class Point {
        x = 1;
        get y(): number {
          return 2;
        }
      }
      const boxed = [Object(1), Object('text'), Object(true)];
      expect(payloadThere([new Point(), Object.create(null), new Map([[1, 2]]), ...boxed])).toStrictEqual([
        { x: 1 },
        {},
        {},
        1,
        'text',
        true,
      ]);
    });

    test.each([
      ['a function', () => 1],
      ['a symbol', Symbol('s')],
      ['a function within', { on: () => 1 }],
      ['a symbol within', [Symbol('s')]],
      ['an invalid Date', new Date(Number.NaN)],
      ['an invalid Date within', { list: [new Date(Number.NaN)] }],
      ['a bigint of more than 4,096 digits', [-(10n ** 4_096n)]],
      ['a Float64Array', [new Float64Array(1)]],
      ['a DataView', new DataView(new ArrayBuffer(1))],
      ['an ArrayBuffer', { x: new ArrayBuffer(1) }],
    ])('%s is refused', (_what, value) => {
      expect(() => codec.encode([Type.EVT, 'x', value])).toThrow(TypeError);
      expect(() => codec.encode([Type.RES, 1, value])).toThrow(TypeError);
      expect(() => codec.encode([Type.ERR, 1, 'ERR_X', 'no', value])).toThrow(TypeError);
      expect(() => codec.encode([Type.PUB, 1, 1, 'x', value])).toThrow(TypeError);
    });

    test('a cycle is refused, and the codec works on', () => {
      const cycle: { self?: unknown } = {};
      cycle.self = [cycle];
      expect(() => codec.encode([Type.EVT, 'x', cycle])).toThrow(TypeError);
      expect(payloadThere('next')).toBe('next');
    });

    test('half of a surrogate pair breaks nothing', () => {
      expect(payloadThere('\ud800')).toHaveLength(1);
      expect(payloadThere(`${'x'.repeat(300)}\udc00`)).toHaveLength(301);
    });
  });

  valuesSuite(what, codec);

  describe(`${what}: bounds`, () => {
    test.each(bounds)('%s', (_what, most, tooMuch, why) => {
      expect(payloadThere(most)).toEqual(most);
      for (const wrap of [
        (value: unknown): Item => [Type.EVT, 'x', value, { i: 'id' }],
        (value: unknown): Item => [Type.PUB, 1, 1, 'x', value],
        (value: unknown): Item => [Type.ERR, 1, 'ERR_X', 'no', value],
      ]) {
        // What may be sent as an event may be published, too.
        expect(there(wrap(most))).toEqual([wrap(most)]);
        const bad = wrap(tooMuch);
        expect(() => codec.encode(bad)).toThrow(TypeError);
        expect(() => codec.encode(bad)).toThrow(why);
        const frame = raw([0, isSequenced(bad) ? 1 : 0, bad]);
        expect(() => codec.decode(frame)).toThrow(FrameError);
        expect(() => codec.decode(frame)).toThrow(why);
      }
    });

    test.each(bounds)('%s, where a toJSON makes it so', (_what, most, tooMuch, why) => {
      expect(payloadThere({ toJSON: () => most })).toEqual(most);
      expect(() => codec.encode([Type.EVT, 'x', { toJSON: () => tooMuch }])).toThrow(why);
    });

    test('what is left out does not count', () => {
      const fields = Object.fromEntries(
        zeros(MAX_ELEMENTS + 5).map((_, n) => [`k${n}`, n < 5 ? undefined : n]),
      );
      expect(Object.keys(payloadThere(fields) as object)).toHaveLength(MAX_ELEMENTS);
    });

    test('each payload counts for itself, so what each may have, a frame of them may have', () => {
      const full: Item = [Type.EVT, 'x', zeros(MAX_ELEMENTS)];
      expect(there(full, full, full, full, full, full)).toHaveLength(6);
    });

    test('a frame of more than 65,536 elements is refused', () => {
      const full: Item = [Type.EVT, 'x', zeros(MAX_ELEMENTS)];
      const six = [full, full, full, full, full, full];
      // The frame's own entries: ack, number and seven items; three in each item.
      const left = MAX_FRAME_ELEMENTS - 6 * MAX_ELEMENTS - 9 - 7 * 3;
      expect(there(...six, [Type.EVT, 'x', zeros(left)])).toHaveLength(7);
      expect(() => there(...six, [Type.EVT, 'x', zeros(left + 1)])).toThrow(FrameError);
    });

    test('a nest for which no stack suffices is refused like any other', () => {
      const deep = nest(20_000);
      expect(() => codec.encode([Type.EVT, 'x', deep])).toThrow(new TypeError('nested more than 64 deep'));
    });

    test('text and bytes have no bound but that of the frame', () => {
      const long = 'x'.repeat(300_000);
      expect(payloadThere([long])).toEqual([long]);
    });

    test('a name such as constructor is a key like any other', () => {
      const value = { constructor: 1, toString: 2, hasOwnProperty: 3, toJSON: 4 };
      expect(payloadThere(value)).toEqual(value);
      expect(({} as { x?: unknown }).x).toBeUndefined();
    });
  });

  describe(`${what}: nothing that comes in throws anything but a FrameError`, () => {
    test('anything at all', { timeout: 10_000 * runs }, () => {
      fc.assert(fc.property(anything, readOrRefuse), { numRuns: 1_000 * runs });
    });

    test('any value in the place of a frame, an item or a part', { timeout: 10_000 * runs }, () => {
      const value = fc.jsonValue({ maxDepth: 3 });
      const part = fc.oneof(
        value,
        fc.array(value, { maxLength: 7 }),
        fc.tuple(fc.nat(33), value, value, value, value),
      );
      fc.assert(
        fc.property(fc.oneof(value, fc.tuple(counter, counter, part, part)), (frame) =>
          readOrRefuse(raw(frame)),
        ),
        { numRuns: 1_000 * runs },
      );
    });

    test('words that say nothing, or what they should not', { timeout: 10_000 * runs }, () => {
      const word = fc.constantFrom('$date', '$bytes', '$bigint', '$$date', '$$__proto__', '$');
      const { value } = fc.letrec<{ value: unknown }>((tie) => ({
        value: fc.oneof(
          { depthSize: 'medium' },
          fc.oneof(fc.string(), fc.double(), fc.constant(null)),
          fc.array(tie('value'), { maxLength: 3 }),
          fc.tuple(word, tie('value')).map((entry) => Object.fromEntries([entry])),
        ),
      }));
      const part = fc.oneof(
        value,
        fc.array(value, { maxLength: 5 }),
        fc.tuple(fc.nat(20), value, value, value),
      );
      fc.assert(
        fc.property(
          fc.oneof(value, fc.tuple(counter, value, part), fc.tuple(counter, counter, part, part)),
          (frame) => readOrRefuse(raw(frame)),
        ),
        { numRuns: 1_000 * runs },
      );
    });

    test('a good frame that was damaged or cut off', { timeout: 10_000 * runs }, () => {
      const harm = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(items, harm, fc.nat(), (sent, places, cut) => {
          const good = codec.frame(
            0,
            0,
            sent.map((one) => codec.encode(one)),
          );
          readOrRefuse(places.reduce((data, [at, byte]) => damage(data, at % data.length, byte), good));
          readOrRefuse(good.slice(0, cut % good.length));
        }),
        { numRuns: 500 * runs },
      );
    });
  });
}
