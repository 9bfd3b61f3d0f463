// A device that speaks MessagePack and a page that speaks JSON, in one room: node main.mjs. Ends by itself.

import { createClient } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { createHoldfastServer, json } from '@holdfast/server';
import { msgpack as serverMsgpack } from '@holdfast/server/msgpack';

const server = createHoldfastServer({
  auth: (token) => ({ user: { id: token } }),
  codecs: [json(), serverMsgpack()], // each client chooses
});
server.rooms('yard', { join: true, publish: true });
const { port } = await server.listen(Number(process.env.PORT ?? 3000));

const url = `ws://localhost:${port}/realtime`;
const device = createClient({ url, auth: 'camera', codec: msgpack() });
const page = createClient({ url, auth: 'page' });

/** What a room hears, and from whom. */
async function listening(client) {
  const room = client.room('yard');
  const next = new Promise((resolve) => {
    for (const event of ['picture', 'look'])
      room.on(event, (payload, { from }) => resolve({ from, ...payload }));
  });
  await client.connect();
  await room.join();
  return { room, next };
}
const [camera, viewer] = [await listening(device), await listening(page)];

// Bytes, times and big numbers arrive as what they are, whichever codec either end speaks.
await camera.room.send('picture', { taken: new Date(0), serial: 2n ** 64n, bytes: Uint8Array.of(1, 2, 3) });
console.log('the page hears', await viewer.next);
await viewer.room.send('look', { at: new Uint8Array([9]) });
console.log('the device hears', await camera.next);

await device.close();
await page.close();
await server.close();
