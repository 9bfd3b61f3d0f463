// npm start, then open the page in two windows, perhaps with ?name=ada and ?name=bob.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer } from '@holdfast/server';
import sirv from 'sirv';
import { build } from 'vite';
import { contract } from './src/contract.js';

const root = fileURLToPath(new URL('.', import.meta.url));
await build({ root, logLevel: 'warn' });
const http = createServer(sirv(`${root}dist`));

const said: Record<string, number> = { lobby: 0, kitchen: 0, garden: 0 };
const server = createHoldfastServer({
  contract,
  // Whoever says a name has it: good enough to look at, not for the world.
  auth: (token) => ({ user: { id: token ?? 'somebody' } }),
}).attach(http);

for (const name of Object.keys(said)) {
  server.rooms(`chat:${name}`, { join: true, publish: true, presence: true, history: { onJoin: 50 } });
}
server.handle('rooms', () => Object.entries(said).map(([name, count]) => ({ name, said: count })));
server.on('message', (_payload, { room }) => {
  const name = room?.slice('chat:'.length);
  if (name === undefined) return;
  said[name] = (said[name] ?? 0) + 1;
  void server.toAll().send('roomsChanged', {});
});

http.listen(Number(process.env['PORT'] ?? 3000), () =>
  console.log(`http://localhost:${(http.address() as AddressInfo).port}/`),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    http.close();
    await server.close();
  });
}
