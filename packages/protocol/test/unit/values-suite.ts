import {
  type Codec,
  type Item,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_KEY_BYTES,
  parseFrame,
  Type,
} from '@holdfast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { richPayload } from './arbitrary-items.js';

const runs = process.env['HOLDFAST_LONG'] === '1' ? 50 : 1;

const nest = (depth: number, innermost: unknown = 0): unknown => {
  let value = innermost;
  for (let n = 0; n < depth; n++) value = n % 2 === 0 ? [value] : { x: value };
  return value;
};

/** What every codec promises about bytes, times and big integers. */
export function valuesSuite(what: string, codec: Codec): void {
  const there = (sent: Item): Item | undefined =>
    parseFrame(codec.decode(codec.frame(7, sent[0] === Type.PUB ? 0 : 3, [codec.encode(sent)]))).items[0];
  const payloadThere = (value: unknown): unknown => there([Type.EVT, 'x', value, {}])?.[2];

  describe(`${what}: bytes, times and big integers`, () => {
    test('any payload there and back, as an event and as a publication', { timeout: 20_000 * runs }, () => {
      fc.assert(
        fc.property(richPayload, (value) => {
          expect(payloadThere(value)).toStrictEqual(value);
          const publication = codec.publication(codec.encode([Type.EVT, 'x', value]), 1, 2);
          expect(parseFrame(codec.decode(codec.frame(0, 0, [publication]))).items[0]?.[4]).toStrictEqual(
            value,
          );
          const refusal = there([Type.ERR, 1, 'ERR_REJECTED', 'no', value]);
          expect(refusal?.[4]).toStrictEqual(value);
        }),
        { numRuns: 500 * runs },
      );
    });

    test.each([
      new Date(0),
      new Date(-1),
      new Date(1),
      new Date(999),
      new Date(2 ** 32 * 1_000 - 1),
      new Date(2 ** 34 * 1_000),
      new Date(8.64e15),
      new Date(-8.64e15),
    ])('%s', (date) => {
      expect(payloadThere(date)).toStrictEqual(date);
    });

    test.each([0n, 1n, -1n, 2n ** 53n, -(2n ** 63n), 2n ** 64n, 10n ** 4_095n, -(10n ** 4_095n)])(
      'the bigint %s',
      (value) => {
        expect(payloadThere([value])).toStrictEqual([value]);
        expect(payloadThere({ n: Number(value % 1_000n) })).toStrictEqual({ n: Number(value % 1_000n) });
      },
    );

    test('bytes of any length are a Uint8Array of their own, also those of a Buffer', () => {
      for (const length of [0, 1, 2, 3, 255, 8_191, 8_192, 8_193, 70_000]) {
        const bytes = new Uint8Array(length).map((_, index) => (index * 7) % 256);
        const [arrived] = payloadThere([Buffer.from(bytes)]) as Uint8Array[];
        expect(arrived).toStrictEqual(bytes);
        expect(arrived?.buffer.byteLength).toBe(length);
      }
    });

    test.each([
      { $date: 5 },
      { $bytes: 'AAEC' },
      { $bigint: '12' },
      { $$date: 5 },
      { $date: { $date: { $bytes: 'AA==' } } },
      { $unknown: [] },
      { $: null },
      { $date: 5, other: 1 },
      { $date: new Date(5), $bytes: new Uint8Array(2) },
      { $date: new Date(5) },
    ])('an object of the application is its own: %j', (value) => {
      expect(payloadThere(value)).toStrictEqual(value);
      expect(payloadThere([[value]])).toStrictEqual([[value]]);
    });

    test('a key that is alone only because others are undefined, too', () => {
      expect(payloadThere({ $date: 5, gone: undefined })).toStrictEqual({ $date: 5 });
    });

    test('each of them is one value: no level, and no element of its own', () => {
      for (const value of [new Date(5), new Uint8Array(3), 5n]) {
        expect(payloadThere(nest(MAX_DEPTH, value))).toStrictEqual(nest(MAX_DEPTH, value));
        const many = Array.from({ length: MAX_ELEMENTS }, () => value);
        expect(payloadThere(many)).toStrictEqual(many);
        expect(() => codec.encode([Type.EVT, 'x', [...many, value]])).toThrow('more than 10000 elements');
      }
      // An object is a level, whatever its keys.
      expect(payloadThere(nest(MAX_DEPTH - 1, { $date: 5 }))).toStrictEqual(
        nest(MAX_DEPTH - 1, { $date: 5 }),
      );
      expect(() => codec.encode([Type.EVT, 'x', nest(MAX_DEPTH, { $date: 5 })])).toThrow('nested more than');
      const longest = `$${'k'.repeat(MAX_KEY_BYTES - 1)}`;
      expect(payloadThere({ [longest]: 1 })).toStrictEqual({ [longest]: 1 });
    });
  });
}
