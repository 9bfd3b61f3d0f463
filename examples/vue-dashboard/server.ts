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
/** Where in its swing each begins. */
const machines = new Map([
  ['ada', 0],
  ['bob', 2],
  ['cyd', 4],
]);
for (const machine of machines.keys()) {
  // Who looks at a machine sees its last minute at once.
  server.rooms(`machine:${machine}`, { join: true, history: { onJoin: 120 } });
}
server.handle('machines', () => [...machines.keys()]);

const busy = new Set<string>();

/** Up and down by itself; good enough to look at. */
function measure(): void {
  for (const [machine, from] of machines) {
    const percent = Math.round(55 + 40 * Math.sin(Date.now() / 2_000 + from));
    void server.to(`machine:${machine}`).send('load', { at: new Date(), percent });
    // Once for each time that it gets busy.
    if (percent > 90 && !busy.has(machine)) void server.toAll().send('alert', { machine, percent });
    if (percent > 90) busy.add(machine);
    else busy.delete(machine);
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
