import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeNote, encodeFields, encodeNote } from '../../src/notes.js';
import { fromData, fromValue, toData, toValue } from '../../src/values.js';

describe('values', () => {
  test('come back as they were, whatever an item may carry', () => {
    const values = [
      ...['a', '', 0, -0, 1.5, Number.NaN, Infinity, -Infinity, true, null, undefined, 7n],
      ...[new Date(0), new Uint8Array([0, 255]), [], {}, [undefined, 1], { a: undefined }],
      ...[{ $: 1 }, { $: ['bytes', 'AA=='] }, { a: [{ $: { $: [new Date(5)] } }] }, '{"$":["date",1]}'],
    ];
    for (const value of values) expect(toValue(fromValue(value))).toStrictEqual(value);
    expect(Object.is(toValue(fromValue(-0)), -0)).toBe(true);
  });

  test('of any JSON, with what JSON cannot say among it', () => {
    const leaf = fc.oneof(
      fc.jsonValue(),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.double(),
    );
    const key = fc.oneof(fc.string(), fc.constant('$'), fc.constant('__proto__'));
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value')), fc.dictionary(key, tie('value'))),
    })).value;
    fc.assert(
      fc.property(value, (one) => {
        expect(toValue(fromValue(one))).toEqual(one);
      }),
    );
  });

  test('data are text or bytes, as before', () => {
    for (const data of ['', 'äöü', new Uint8Array([]), new Uint8Array([0, 10, 255])]) {
      expect(toData(Buffer.from(fromData(data)))).toStrictEqual(data);
    }
  });
});

describe('notes', () => {
  test('that servers write come as they were', () => {
    const move = {
      about: 'move',
      sid: 's',
      move: { name: 'lobby', presence: { json: '{}', setAt: 5 } },
    } as const;
    const casts = [{ room: 'a:b' }, { sids: new Set(['s', 't']) }].map(
      (to) => ({ about: 'cast', to, except: new Set(['ü']), data: new Uint8Array([58, 0]) }) as const,
    );
    for (const note of [move, ...casts]) expect(decodeNote(encodeNote(note))).toStrictEqual(note);
  });

  test('that nobody here has written are passed over', () => {
    for (const strange of ['', 'x', '5:a', '4:room5:a', ':', '-1:', '-3:x', '9999999999999:x']) {
      expect(decodeNote(Buffer.from(strange))).toBeUndefined();
    }
    expect(decodeNote(encodeFields(['of tomorrow', 's']))).toBeUndefined();
    expect(decodeNote(encodeFields(['cast', '{}', '[]']))).toBeUndefined();
  });
});
