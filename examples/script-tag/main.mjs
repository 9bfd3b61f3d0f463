// A chat in a plain HTML file: node examples/script-tag/main.mjs, then open the page in two windows.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createHoldfastServer } from '@holdfast/server';

const dist = createRequire(import.meta.url)
  .resolve('@holdfast/client')
  .replace(/[^/\\]*$/, '');
const files = {
  '/': [new URL('index.html', import.meta.url), 'text/html; charset=utf-8'],
  '/holdfast.global.js': [`${dist}holdfast.global.js`, 'text/javascript'],
};
const http = createServer(async (request, response) => {
  const [path, type] = files[request.url.split('?')[0]] ?? [];
  if (!path) return response.writeHead(404).end('not found\n');
  response.setHeader('Content-Type', type);
  response.end(await readFile(path));
});

// Whoever says a name has it: good enough to look at, not for the world.
const auth = (token) => ({ user: { id: token ?? 'somebody' } });
const server = createHoldfastServer({ auth }).attach(http);
server.rooms('lobby', { join: true, publish: true, presence: true });

http.listen(Number(process.env.PORT ?? 3000), () => console.log(`http://localhost:${http.address().port}/`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    http.close();
    await server.close();
  });
}
