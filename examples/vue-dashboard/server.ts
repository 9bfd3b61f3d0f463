// npm start, then open the page.

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

const server = createHoldfastServer({ contract }).attach(http);
const loads = new Map([
  ['ada', 30],
  ['bob', 55],
  ['cyd', 80],
]);
for (const machine of loads.keys()) {
  // Who looks at a machine sees its last minute at once.
  server.rooms(`machine:${machine}`, { join: true, history: { onJoin: 120 } });
}
server.handle('machines', () => [...loads.keys()]);

/** Up and down by itself; good enough to look at. */
function measure(): void {
  for (const [machine, before] of loads) {
    const percent = Math.round(Math.min(99, Math.max(1, before + (Math.random() - 0.5) * 16)));
    loads.set(machine, percent);
    void server.to(`machine:${machine}`).send('load', { at: new Date(), percent });
    if (percent > 90 && before <= 90) void server.toAll().send('alert', { machine, percent });
  }
}
const measuring = setInterval(measure, 500);

http.listen(Number(process.env['PORT'] ?? 3000), () =>
  console.log(`http://localhost:${(http.address() as AddressInfo).port}/`),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    clearInterval(measuring);
    http.close();
    await server.close();
  });
}
