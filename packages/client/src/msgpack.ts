/** MessagePack for a client: `createClient({ url, codec: msgpack() })`. The server has to speak it, too. */
export { msgpack } from '@holdfast/protocol/msgpack';
