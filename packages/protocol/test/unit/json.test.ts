import { FrameError, json, Type, type WireData } from '@holdfast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecSuite } from './codec-suite.js';

codecSuite('JSON', {
  make: json,
  raw: (value) => JSON.stringify(value),
  anything: fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.string({ unit: fc.constantFrom(...'[]{}",:0123eE.-\\u005f_proto tfn') }),
    fc.json(),
  ),
  damage: (frame, at, byte) =>
    `${frame.slice(0, at)}${String.fromCharCode(byte)}${(frame as string).slice(at + 1)}`,
});

describe('JSON', () => {
  const codec = json();

  test('is text that anybody can read', () => {
    const item = codec.encode([Type.EVT, 'message', { text: 'hello' }, { i: 'a' }]);
    expect(codec.frame(7, 3, [item, item])).toBe(
      '[7,3,[2,"message",{"text":"hello"},{"i":"a"}],[2,"message",{"text":"hello"},{"i":"a"}]]',
    );
    expect(codec.frame(7, 0, [])).toBe('[7,0]');
    expect(codec.publication(item, 4, 12)).toBe('[6,4,12,"message",{"text":"hello"},{"i":"a"}]');
  });

  test('says what it has no word for', () => {
    expect(() => codec.encode([Type.EVT, 'x', () => 1, {}])).toThrow('JSON has no word for a function');
    expect(() => codec.encode([Type.PUB, 1, 1, 'x', Symbol('s'), {}])).toThrow(
      'JSON has no word for a symbol',
    );
  });

  test('does not take binary frames or what is not JSON', () => {
    expect(() => codec.decode(new Uint8Array([1]))).toThrow(FrameError);
    expect(() => codec.decode('{')).toThrow(new FrameError('not JSON'));
  });

  test('half a million brackets are a bad frame, not a stack overflow', () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    expect(() => codec.decode(deep)).toThrow(FrameError);
    expect(() => codec.decode(`[0,1,[2,"x",${deep}]]`)).toThrow(FrameError);
  });

  test.each(['"__proto__"', '"\\u005f_proto__"'])('the key %s is refused in every spelling', (key) => {
    const frame: WireData = `[0,1,[2,"x",{"list":[{${key}:{"admin":true}}]}]]`;
    expect(() => codec.decode(frame)).toThrow(new FrameError('the key __proto__'));
  });

  test('what only looks like that key is a text like any other', () => {
    const frame = '[0,1,[2,"x",["__proto__","{\\"__proto__\\":1}",{"a\\"__proto__":1}]]]';
    expect(codec.decode(frame)).toEqual(JSON.parse(frame));
  });

  /** A payload as it stands on the wire. */
  const written = (value: unknown): string => (codec.encode([Type.RES, 1, value]) as string).slice(5, -1);
  const read = (payload: string): unknown => (codec.decode(`[0,1,[4,1,${payload}]]`) as unknown[][])[2]?.[2];

  test('bytes, times and big integers are objects with one key', () => {
    expect(written(new Uint8Array([0, 1, 255]))).toBe('{"$bytes":"AAH/"}');
    expect(written([new Date(1_500)])).toBe('[{"$date":1500}]');
    expect(written({ id: -12n })).toBe('{"id":{"$bigint":"-12"}}');
    // What looks like one of them gets a dollar more; what has another key beside it, or is no key, does not.
    expect(written([{ $date: 1 }, { $$date: 1 }, { $x: 1 }, { $date: 1, x: 2 }, '$date'])).toBe(
      '[{"$$date":1},{"$$$date":1},{"$$x":1},{"$date":1,"x":2},"$date"]',
    );
  });

  test('they are read in every spelling of the key', () => {
    expect(read('{"\\u0024date":5}')).toStrictEqual(new Date(5));
    expect(read(' [ { "$bytes" : "AAH/" } ] ')).toStrictEqual([new Uint8Array([0, 1, 255])]);
    expect(read('{"\\u0024\\u0024date":5}')).toStrictEqual({ $date: 5 });
  });

  test.each([
    '{"$date":"2026-11-25"}',
    '{"$date":1.5}',
    '{"$date":8640000000000001}',
    '{"$date":null}',
    '{"$bytes":"*"}',
    '{"$bytes":[1]}',
    '{"$bigint":12}',
    '{"$bigint":"1e3"}',
    '{"$bigint":" 1"}',
    '{"$bigint":""}',
    `{"$bigint":"${'9'.repeat(4_097)}"}`,
    '{"$gt":5}',
    '{"$":5}',
    '{"$date":5,"x":1}',
  ])('what means nothing is left as it stands: %s', (text) => {
    expect(read(text)).toStrictEqual(JSON.parse(text));
    // And goes back as it came.
    expect(read(written(read(text)))).toStrictEqual(JSON.parse(text));
  });

  test('no key __proto__ comes of it', () => {
    expect(read('{"$$__proto__":{"x":1}}')).toStrictEqual({ $__proto__: { x: 1 } });
    expect(() => read('{"$date":{"__proto__":{"x":1}}}')).toThrow(new FrameError('the key __proto__'));
  });

  test('a nest of words is a bad frame, not a stack overflow', () => {
    const deep = `${'{"$$x":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
    expect(() => read(deep)).toThrow(new FrameError('nested more than 64 deep'));
    expect(() => read(`${'{"$date":'.repeat(66)}1${'}'.repeat(66)}`)).toThrow(
      new FrameError('nested more than 64 deep'),
    );
  });
});
