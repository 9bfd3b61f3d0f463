import { type Item, Type } from '@holdfast/protocol';
import fc from 'fast-check';

const name = fc.string({ maxLength: 128 });
export const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);
export const counter = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat());
/** JSON has no minus zero, and fast-check likes the one key that is refused. */
const payload = fc
  .jsonValue({ maxDepth: 5 })
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes('"__proto__":'))
  .map((text) => JSON.parse(text) as unknown);

/** Keys among which are all that could be taken for a word of JSON's. */
const key = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('$bytes', '$date', '$bigint', '$$bytes', '$$$date', '$', '$x', 'toString', 'length'),
);
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, '', '$date', '"$bytes"'),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.maxSafeInteger(),
  fc.uint8Array({ maxLength: 40 }),
  fc.date({ noInvalidDate: true }),
  fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
);
/** What a payload may be and arrives as: all that JSON knows, bytes, times and big integers. */
export const { richPayload } = fc.letrec<{ richPayload: unknown }>((tie) => ({
  richPayload: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('richPayload'), { maxLength: 6 }),
    fc.dictionary(
      key.filter((name) => name !== '__proto__'),
      tie('richPayload'),
      { maxKeys: 4, noNullPrototype: true },
    ),
    // The form itself, with anything in it.
    fc
      .tuple(key, tie('richPayload'))
      .map(([name, value]) => ({ [name === '__proto__' ? '$' : name]: value })),
  ),
}));

const meta = fc.record(
  { i: name, t: counter, r: name, f: fc.string(), u: fc.constant(1 as const) },
  { requiredKeys: [] },
);
/** An absent last part is left out, as it is on the wire. */
const withLast = <T>(first: fc.Arbitrary<readonly unknown[]>, last: fc.Arbitrary<T>) =>
  fc.tuple(first, fc.option(last, { nil: undefined })).map(([parts, end]) => {
    return end === undefined ? parts : [...parts, end];
  });
export const event = withLast(
  fc.tuple(fc.constant(Type.EVT), name, payload),
  meta,
) as unknown as fc.Arbitrary<Extract<Item, readonly [typeof Type.EVT, ...unknown[]]>>;
const item = fc.oneof(
  fc.tuple(
    fc.constant(Type.HELLO),
    fc.record(
      {
        v: fc.constant(1),
        c: name,
        n: number,
        w: fc.tuple(number, number),
        a: name,
        f: fc.array(name, { maxLength: 3 }),
        s: name,
        k: name,
        e: name,
        x: counter,
        y: counter,
      },
      { requiredKeys: ['v', 'c', 'n', 'w'] },
    ),
  ),
  fc.tuple(
    fc.constant(Type.WELCOME),
    fc.record(
      {
        v: fc.constant(1),
        s: name,
        q: fc.constantFrom(0, 1, 2),
        u: name,
        h: number,
        w: fc.tuple(number, number),
        m: number,
        o: number,
        ttl: counter,
        d: name,
        k: name,
        e: name,
        x: counter,
        p: fc.tuple(counter, fc.array(number, { maxLength: 5 })),
      },
      { requiredKeys: ['v', 's', 'q', 'u', 'h', 'w', 'm', 'o', 'ttl', 'd'] },
    ),
  ),
  event,
  withLast(fc.tuple(fc.constant(Type.REQ), name), payload),
  withLast(fc.tuple(fc.constant(Type.RES), number), payload),
  withLast(fc.tuple(fc.constant(Type.ERR), number, name, name), payload),
  withLast(fc.tuple(fc.constant(Type.PUB), number, counter, name, payload), meta),
  fc.constantFrom([Type.PING], [Type.PONG]),
  fc.tuple(fc.constant(Type.GAP), counter, counter, name, number),
  fc.tuple(fc.constant(Type.GAP), counter, counter, name),
  fc.tuple(fc.constant(Type.CREDIT), counter, counter),
  fc.tuple(fc.constant(Type.GOAWAY), name, counter),
  fc.tuple(fc.constant(Type.DONE), counter, fc.array(number, { maxLength: 16 })),
  withLast(fc.tuple(fc.constant(Type.STREAM_ITEM), number), payload),
  fc.tuple(fc.constant(Type.STREAM_END), number),
  withLast(fc.tuple(fc.constant(Type.STREAM_END), number, name, name), payload),
  fc.tuple(fc.constant(Type.STREAM_CREDIT), number, number),
  fc.tuple(fc.constant(Type.BYE), name, name),
  fc.tuple(fc.constant(Type.CANCEL), number),
  fc.tuple(fc.constant(Type.SYNC), fc.array(fc.tuple(name, name, counter, number), { maxLength: 40 })),
) as unknown as fc.Arbitrary<Item>;
export const items = fc.array(item, { maxLength: 20 });
