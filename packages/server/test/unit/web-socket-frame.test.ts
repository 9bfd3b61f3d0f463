import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { frameMaker } from '../../src/gateway/web-socket-frame.js';

const options = { fin: true, rsv1: false, mask: false, readOnly: true };

/** As `ws` itself makes it. */
const byWs = (data: string | Uint8Array): Buffer => {
  const opcode = typeof data === 'string' ? 1 : 2;
  // Not in its types.
  const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } };
  return Buffer.concat(Sender.frame(Buffer.from(data as string), { ...options, opcode }));
};

describe('a WebSocket frame', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('of %d bytes, as `ws` makes it', (length) => {
    const frameOf = frameMaker();
    for (const data of ['x'.repeat(length), new Uint8Array(length).fill(7)])
      expect(frameOf(data).equals(byWs(data))).toBe(true);
  });

  test('its length counts bytes of UTF-8, not units of UTF-16', () => {
    for (const text of ['ü'.repeat(100), '😀'.repeat(20_000), '\ud800'])
      expect(frameMaker()(text).equals(byWs(text))).toBe(true);
  });

  test('is made once for what comes twice in a row, and anew for what does not', () => {
    const frameOf = frameMaker();
    const [text, bytes] = ['{"a":1}', new Uint8Array([1, 2])];
    expect(frameOf(text)).toBe(frameOf(`${text}`));
    expect(frameOf(bytes)).toBe(frameOf(bytes));
    expect(frameOf(text).equals(byWs(text))).toBe(true);
    expect(frameOf(new Uint8Array([1, 2])).equals(byWs(bytes))).toBe(true);
  });
});
