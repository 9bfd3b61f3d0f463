// A server and a client that speak Protocol Buffers in MessagePack frames: node examples/protobuf/main.mjs

import { createClient } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { createHoldfastServer, json } from '@holdfast/server';
import { protobuf } from './codec.mjs';

const codec = protobuf(msgpack());
const server = createHoldfastServer({ codecs: [codec, json()] });
server.rooms('lobby', { join: true, publish: true });
const log = [];
server.on('message', (message) => log.push(message));
server.handle('history', ({ limit }) => ({ messages: log.slice(-limit) }));
const { port } = await server.listen(0, '127.0.0.1');
const url = `ws://127.0.0.1:${port}/realtime`;

// One who speaks JSON is in the room, too, and hears the same.
const [ada, bob] = [createClient({ url, codec }), createClient({ url })];
await Promise.all([ada.connect(), bob.connect()]);
await Promise.all([ada.room('lobby').join(), bob.room('lobby').join()]);
const heard = new Promise((resolve) => bob.room('lobby').on('message', resolve));
await ada
  .room('lobby')
  .send('message', { text: 'hello', picture: new Uint8Array([1, 2, 3]), sentAt: 2n ** 40n });
console.log('bob heard', await heard);

const { messages } = await ada.request('history', { room: 'lobby', limit: 10 });
console.log(
  'ada read',
  messages.map(({ text, sentAt }) => `${text} at ${sentAt}`),
);
await ada.send('typing', { isTyping: true }).catch(({ code, message }) => console.log(code, message));

await Promise.all([ada.close(), bob.close()]);
await server.close();
