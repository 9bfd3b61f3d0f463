import { expect, test } from 'vitest';
import {
  parseShared,
  sharedClose,
  sharedMessage,
  sharedOpen,
  sharedOpened,
  sharedRetire,
  sharedTaken,
} from '../../src/shared-socket.js';

const INDEXES = [1, 9, 127, 128, 16_383, 16_384, 2 ** 31 - 1];

test.each(INDEXES)('what is said on connection %i comes out as it went in', (index) => {
  const bytes = new Uint8Array([0, 1, 255]);
  expect(parseShared(sharedMessage(index, '[0,0]'))).toEqual({ kind: 'message', index, data: '[0,0]' });
  expect(parseShared(sharedMessage(index, ''))).toEqual({ kind: 'message', index, data: '' });
  expect(parseShared(sharedMessage(index, bytes))).toEqual({ kind: 'message', index, data: bytes });
  const protocols = ['holdfast.v1.json', 'holdfast.bearer.YWRh'];
  expect(parseShared(sharedOpen(index, protocols))).toEqual({ kind: 'open', index, protocols });
  expect(parseShared(sharedOpened(index, 'x'))).toEqual({ kind: 'opened', index, protocol: 'x' });
  expect(parseShared(sharedClose(index, 4400, 'wé'))).toEqual({
    kind: 'close',
    index,
    code: 4400,
    reason: 'wé',
  });
  expect(parseShared(sharedTaken(index, 32))).toEqual({ kind: 'taken', index, messages: 32 });
});

test('a word for the socket as a whole', () => {
  expect(parseShared(sharedRetire())).toEqual({ kind: 'retire' });
});

test('small numbers take little', () => {
  expect(sharedMessage(3, '[0,0]')).toBe('3m[0,0]');
  expect(sharedMessage(3, new Uint8Array([7]))).toEqual(new Uint8Array([3, 7]));
});

test.each([
  ['nothing', ''],
  ['a frame of one connection', '[0,0,[7]]'],
  ['a number alone', '1'],
  ['0', '0m[0,0]'],
  ['a number that is written otherwise', '01m[0,0]'],
  ['too large a number', '2147483648m[0,0]'],
  ['more digits than there are numbers', `${'9'.repeat(400)}m`],
  ['no bytes', new Uint8Array([])],
  ['connection 0 in bytes', new Uint8Array([0, 1])],
  ['a number in bytes without an end', new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80, 0x80])],
  ['too large a number in bytes', new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x7f, 1])],
])('%s: nobody knows for whom', (what, data) => {
  const isNumbered = what === 'a number alone';
  expect(parseShared(data)).toMatchObject({ kind: 'malformed', index: isNumbered ? 1 : undefined });
});

test.each([
  ['an unknown word', '5x'],
  ['an opening that is no JSON', '5o['],
  ['an opening of numbers', '5o[1]'],
  ['an opening with too many', `5o${JSON.stringify(Array.from({ length: 17 }, () => 'a'))}`],
  ['an opening that is too long', `5o["${'a'.repeat(16_384)}"]`],
  ['a close without a reason', '5c[1000]'],
  ['a close with a code that is none', '5c[999,""]'],
  ['a close with half a code', '5c[1000.5,""]'],
  ['a close that is too long', `5c[1000,"${'a'.repeat(2_000)}"]`],
  ['nothing taken', '5t0'],
  ['a word for a number', '5tall'],
  ['less than nothing', '5t-1'],
])('%s: one connection is to blame', (_what, data) => {
  expect(parseShared(data)).toMatchObject({ kind: 'malformed', index: 5 });
});
