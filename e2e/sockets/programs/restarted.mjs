// A server with the memory store, to be ended and started again. Whatever it is given to handle it first writes down in
// a file, which outlives the process however that ends: so what really ran can be held against what its clients were
// told. At SIGTERM it drains, and ends by itself.

import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { createHoldfastServer } from '@holdfast/server';

const [port, path, deadlineMs] = process.argv.slice(2);
const file = openSync(path, 'a');
const log = (line) => writeSync(file, `${line}\n`);
const goingDown = once(process, 'SIGTERM');

const server = createHoldfastServer({ auth: (token) => ({ user: { id: token ?? 'nobody' } }) });
server.onError((error) => console.log(`error ${error.message}`));
server.rooms('*', { join: true, publish: true, history: { maxMessages: 500 } });
server.on('note', (name, { session }) => {
  log(`handled ${name}`);
  session.send('heard', name).then(
    () => log(`acknowledged ${name}`),
    ({ delivery }) => log(`${delivery} ${name}`),
  );
});
server.on('slow', async (name) => {
  log(`handled ${name}`);
  await goingDown;
  await new Promise((resolve) => setTimeout(resolve, 50));
  log(`finished ${name}`);
});
server.handle('echo', (name) => {
  log(`handled ${name}`);
  return name;
});
server.handle('never', (name) => {
  log(`handled ${name}`);
  return new Promise(() => undefined);
});
const address = await server.listen(Number(port), '127.0.0.1');
console.log(`listening on ${address.port}.`);
await goingDown;
await server.drain({ deadlineMs: Number(deadlineMs) });
