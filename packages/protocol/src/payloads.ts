import type { Codec, PayloadInfo } from './codec.js';
import { messageOf } from './message-of.js';
import { type Schema, type SchemaResult, validate } from './schema.js';

/** Not what is absent, nor what is the protocol's own. */
const isAsked = (payload: unknown, { name }: PayloadInfo): boolean =>
  payload !== undefined && !name.startsWith('$');

/** What stands in an item for a payload. Throws what the codec's encoding of payloads throws. */
export function encodePayload({ payloads }: Codec, payload: unknown, info: PayloadInfo): unknown {
  return payloads && isAsked(payload, info) ? payloads.encode(payload, info) : payload;
}

/** The payload for which this stands in an item. Throws what the codec's encoding of payloads throws. */
export function decodePayload({ payloads }: Codec, data: unknown, info: PayloadInfo): unknown {
  return payloads && isAsked(data, info) ? payloads.decode(data as Uint8Array, info) : data;
}

/** Why a payload could not be decoded, as an issue. */
export const undecodable = (cause: unknown): { readonly message: string } => ({
  message: `cannot be decoded: ${messageOf(cause)}`,
});

/** The payload for which this stands in an item, as the contract has it, or what is wrong with it. Throws what a schema throws. */
export function readPayload(
  codec: Codec,
  data: unknown,
  info: PayloadInfo,
  schema: Schema | undefined,
): SchemaResult<unknown> {
  let payload: unknown;
  try {
    payload = decodePayload(codec, data, info);
  } catch (cause) {
    return { issues: [undecodable(cause)] };
  }
  return schema ? validate(schema, payload) : { value: payload };
}
