/** Payloads in an encoding of your own: `createClient({ url, codec: payloadCodec(…) })`. The server has to speak it, too. */
export { type PayloadCodecOptions, type PayloadInfo, payloadCodec } from '@holdfast/protocol';
