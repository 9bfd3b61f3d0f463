// A server that shares its sessions with others by Redis, and never comes to an end with what it is given to handle.

import { redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';

const [url, prefix, leaseMs] = process.argv.slice(2);
const server = createHoldfastServer({
  auth: (token) => ({ user: { id: token ?? 'nobody' } }),
  cluster: redis({ url, prefix, leaseMs: Number(leaseMs) }),
});
server.onError((error) => console.log(`error ${error.message}`));
const running = [];
server.on('up', (n) => {
  running.push(n);
  console.log(`running ${running.join(' ')}.`);
  return new Promise(() => undefined);
});
const { port } = await server.listen(0, '127.0.0.1');
console.log(`listening on ${port}.`);
