// Nine thousand bytes of MessagePack that promise 1.6 GB, given to the library alone or, many times, to a server. Prints
// as one line of JSON what became of it, and by how much the process has grown.

import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { createHoldfastServer } from '@holdfast/server';
import { msgpack } from '@holdfast/server/msgpack';
import { decode } from '@msgpack/msgpack';

const { resolve } = createRequire(import.meta.url);
const { WebSocket } = createRequire(resolve('@holdfast/server'))('ws');

/** Arrays in arrays, each of which says that it has 110,000 entries: so much room a decoder makes for each. */
const bomb = new Uint8Array(Array(1_800).fill([0xdd, 0, 1, 0xad, 0xb0]).flat());
const peakBytes = () => process.resourceUsage().maxRSS * 1_024;
const codec = msgpack();
/** Of a client that nobody has seen before. */
const hello = () =>
  codec.frame(0, 0, [codec.encode([0, { v: 1, c: randomUUID(), n: 1, w: [1_000, 1_048_576] }])]);

/** What the server says after the bomb: the code it closes with. */
function throwAt(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'holdfast.v1.msgpack');
    socket.on('open', () => socket.send(hello()));
    socket.once('message', () => socket.send(bomb));
    socket.on('error', reject);
    socket.on('close', resolve);
  });
}

const [, , at, count = '1'] = process.argv;
if (at === 'library') {
  decode(bomb);
} else {
  const server = createHoldfastServer({ codecs: [msgpack()] });
  const { port } = await server.listen(0, '127.0.0.1');
  const url = `ws://127.0.0.1:${port}/realtime`;
  await throwAt(url);
  const before = peakBytes();
  const codes = new Set();
  for (let n = 0; n < Number(count); n++) codes.add(await throwAt(url));
  const grownBytes = peakBytes() - before;
  console.log(JSON.stringify({ bytes: bomb.length, codes: [...codes], grownBytes, peakBytes: peakBytes() }));
  await server.close();
}
