/** MessagePack for a server: `createHoldfastServer({ codecs: [msgpack(), json()] })`. Each client chooses. */
export { msgpack } from '@holdfast/protocol/msgpack';
