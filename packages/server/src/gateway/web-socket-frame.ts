import type { WireData } from '@holdfast/protocol';

/** FIN and the opcode (RFC 6455, section 5.2). */
const TEXT = 0x81;
const BINARY = 0x82;

/** Payload lengths that stand in the second byte, and that two more bytes hold. */
const MAX_SHORT = 125;
const MAX_MEDIUM = 65_535;

function headed(opcode: number, length: number): Buffer {
  const start = length <= MAX_SHORT ? 2 : length <= MAX_MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = opcode;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  return frame;
}

function made(data: WireData): Buffer {
  if (typeof data === 'string') {
    const length = Buffer.byteLength(data);
    const frame = headed(TEXT, length);
    frame.write(data, frame.length - length);
    return frame;
  }
  const frame = headed(BINARY, data.length);
  frame.set(data, frame.length - data.length);
  return frame;
}

/**
 * Makes WebSocket frames, unmasked, as a server sends them (RFC 6455, section 5.1). What goes to many comes again and
 * again, one right after the other: its frame is made once.
 */
export function frameMaker(): (data: WireData) => Buffer {
  let last: { readonly data: WireData; readonly frame: Buffer } | undefined;
  return (data) => {
    if (last?.data !== data) last = { data, frame: made(data) };
    return last.frame;
  };
}
