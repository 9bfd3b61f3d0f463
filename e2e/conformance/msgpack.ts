import { decode, encode } from '@msgpack/msgpack';
import { check } from './case.js';
import type { Codec } from './wire.js';

/** By the library itself, not by our codec, which is under test. */
export const msgpack: Codec = {
  protocol: 'holdfast.v1.msgpack',
  encode: (frame) => encode(frame, { ignoreUndefined: true }),
  decode(data) {
    check(data instanceof Uint8Array, 'MessagePack in a binary frame', 'a text frame');
    return decode(data as Uint8Array);
  },
};
