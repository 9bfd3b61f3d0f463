// Limpet as a program of its own, for several servers: it comes to them as everybody does, and outlives each of them.
//
//   LIMPET_TOKEN=<as the servers have it> node limpet-alone.js ws://127.0.0.1:8080/realtime

import { Limpet } from './limpet.js';

const [url] = process.argv.slice(2);
if (url === undefined || !process.env['LIMPET_TOKEN']) {
  console.error('Usage: LIMPET_TOKEN=<token> node limpet-alone.js <ws://…/realtime>');
  process.exit(2);
}
const limpet = new Limpet(url);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void limpet.close().then(() => process.exit(0)));
}
await limpet.start();
console.log('Limpet is in the lobby.');
