// A thousand clients and their server in one process: made, connected, closed. Prints as one line of JSON what is left.

import { createClient } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';

const COUNT = 1_000;
const counts = { process: 0, global: 0 };
process.on('removeListener', () => counts.process--);
process.on('newListener', () => counts.process++);
// As in a worker or a page: what is listened to there is counted, too.
globalThis.addEventListener = () => counts.global++;
globalThis.removeEventListener = () => counts.global--;
// Without what this process itself reads and prints.
const resources = () => process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|Req$/.test(name));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Until both ends of every socket are gone: only then is whatever is left left for good. In vain after a while. */
const socketsAreGone = async () => {
  const end = Date.now() + 15_000;
  while (resources().includes('TCPSocketWrap') && Date.now() < end) await pause(10);
  await pause(50);
};

const before = resources();
const server = createHoldfastServer({ limits: { acceptPerSecond: 100_000 } });
server.handle('echo', (input) => input);
const { port } = await server.listen(0, '127.0.0.1');
const listening = resources();
const url = `ws://127.0.0.1:${port}/realtime`;
const clients = Array.from({ length: COUNT }, () => createClient({ url }));
const made = { ...counts, resources: resources().length - listening.length };
await Promise.all(clients.map((client) => client.connect()));
const answers = await Promise.all(clients.map((client, n) => client.request('echo', n)));
const connected = { ...counts, stats: server.stats() };
await Promise.all(clients.map((client) => client.close()));
await socketsAreGone();
const closed = { ...counts, resources: resources(), stats: server.stats() };
await server.close();
await socketsAreGone();
console.log(
  JSON.stringify({
    echoed: answers.every((answer, n) => answer === n),
    ...{ made, connected, closed, before, listening, after: resources() },
  }),
);
