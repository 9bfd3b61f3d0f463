// The client in a worker: node main.mjs, then open the page.

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer } from '@holdfast/server';
import sirv from 'sirv';
import { build } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
await build({ root, logLevel: 'warn', worker: { format: 'es' } });
const http = createServer(sirv(`${root}dist`));

const server = createHoldfastServer().attach(http);
let number = 0;
const counting = setInterval(() => server.toAll().send('number', ++number), 100);

http.listen(Number(process.env.PORT ?? 3000), () => console.log(`http://localhost:${http.address().port}/`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    clearInterval(counting);
    http.close();
    await server.close();
  });
}
