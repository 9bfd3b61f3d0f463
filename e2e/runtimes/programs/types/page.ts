// What a page would import, without the types of Node and with no other library than that of browsers.
import {
  type ContractType,
  createClient,
  defineContract,
  isHoldfastError,
  type Schema,
} from '@holdfast/client';
import { explain } from '@holdfast/client/explain';
import { createClient as createLiteClient, type LiteClient, type LiteRoom } from '@holdfast/client/lite';
import { msgpack } from '@holdfast/client/msgpack';
import { payloadCodec } from '@holdfast/client/payload-codec';
import { ReconnectingWebSocket } from '@holdfast/client/plain';
import { type ClientPorts, createClientOn } from '@holdfast/client/ports';
import { indexedDbOutbox } from '@holdfast/client/storage';
import { stream } from '@holdfast/client/stream';

declare function of<T>(): Schema<T, T>;
const def = defineContract({
  events: { message: of<{ text: string }>() },
  requests: { add: { input: of<{ a: number; b: number }>(), output: of<number>() } },
});
interface Chat extends ContractType<typeof def> {}

const client = createClient<Chat>({
  url: '/realtime',
  codec: msgpack(),
  outbox: { storage: indexedDbOutbox() },
});
const off: () => void = client.on('message', ({ text }, { id }) => text.length + id.length);
const sum: Promise<number> = client.request('add', { a: 1, b: 2 });
client.send('message', { text: 'x' }).then(({ outcome }) => outcome === 'acknowledged');
// @ts-expect-error: the contract has none of that name. So these are not all `any`.
client.send('massage', { text: 'x' });
// @ts-expect-error: nor this field.
client.on('message', ({ subject }) => subject);
sum.catch((error: unknown) => {
  if (isHoldfastError(error, 'ERR_REJECTED')) error.reason.length;
});

const lite: LiteClient<Chat> = createLiteClient<Chat>({ url: '/realtime', codec: msgpack() });
const liteOff: () => void = lite.on('message', ({ text }, { id }) => text.length + id.length);
const liteSum: Promise<number> = lite.request('add', { a: 1, b: 2 }, { timeoutMs: 5 });
const liteRoom: LiteRoom<Chat> = lite.room('lobby');
liteRoom.send('message', { text: 'x' }).then(({ outcome }) => outcome === 'acknowledged');
// @ts-expect-error: the contract has none of that name.
lite.send('massage', { text: 'x' });
// @ts-expect-error: nor this field.
liteRoom.on('message', ({ subject }) => subject);
export const small = [liteOff, liteSum];
export const all = [off, explain(client), ReconnectingWebSocket, createClientOn, stream, payloadCodec];
export type Ports = ClientPorts;
