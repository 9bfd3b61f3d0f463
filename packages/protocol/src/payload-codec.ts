import type { Codec, Payloads } from './codec.js';
import { json } from './json.js';
import { checkFunctions, checkKeys } from './options.js';

export interface PayloadCodecOptions extends Payloads {
  /** Stands in the subprotocol, after the envelope's: 1 to 32 letters, digits, `-` or `_`. Both ends need the same. */
  readonly name: string;
  /** How frames stand on the wire: `json()`, the default, in which payloads are base64, or `msgpack()`. */
  readonly envelope?: Codec | undefined;
}

/**
 * Payloads in an encoding of your own, such as Protocol Buffers; what is around them stays JSON or MessagePack. Give
 * it to both ends: `createClient({ codec })`, `createHoldfastServer({ codecs: [codec, json()] })`; the server goes on
 * speaking with others as before. In a room, what was said in one codec is said again in the others.
 *
 * What `encode` throws refuses the message where it is sent, what `decode` throws refuses it to its sender, both with
 * `ERR_INVALID_PAYLOAD`; the connection goes on. Neither is asked about an absent payload (`undefined`), about the
 * protocol's own requests, or about the `data` of a `RejectError`. The server asks `decode` twice: when it checks a
 * message, and when it runs its handlers.
 *
 * Throws a `TypeError` for a bad name, envelope or function.
 */
export function payloadCodec(options: PayloadCodecOptions): Codec {
  checkKeys(options, ['name', 'envelope', 'encode', 'decode'], 'payloadCodec(options)');
  const { name, envelope = json() } = options;
  checkFunctions(options, ['encode', 'decode'], 'payloadCodec(options)');
  checkFunctions(envelope, ['encode', 'frame', 'publication', 'decode'], 'payloadCodec({ envelope })');
  if (typeof name !== 'string' || !/^[\w-]{1,32}$/.test(name)) {
    throw new TypeError(
      `payloadCodec({ name }) must be 1 to 32 letters, digits, '-' or '_', not ${JSON.stringify(name)}`,
    );
  }
  if (envelope.payloads) {
    throw new TypeError(`payloadCodec({ envelope }) must be json() or msgpack(), not another payloadCodec()`);
  }
  const payloads: Payloads = {
    encode(payload, info) {
      const bytes: unknown = options.encode(payload, info);
      if (bytes instanceof Uint8Array) return bytes;
      throw new TypeError(`payloadCodec({ encode }) must return a Uint8Array; '${name}' did not`);
    },
    decode(bytes, info) {
      if (bytes instanceof Uint8Array) return options.decode(bytes, info);
      throw new TypeError(`'${name}' is bytes, and something else came`);
    },
  };
  return { ...envelope, name: `${envelope.name}+${name}`, payloads };
}
