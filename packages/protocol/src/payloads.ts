import type { Codec, PayloadInfo } from './codec.js';
import { messageOf } from './message-of.js';

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
