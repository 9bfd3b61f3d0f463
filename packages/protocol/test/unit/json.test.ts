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
});
