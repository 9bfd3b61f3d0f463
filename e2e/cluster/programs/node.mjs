// One of several servers, to be killed, stopped and restarted. What it is given to handle it first writes down in a file that
// all of them append to: one line is one write, so the file has the order in which things happened, whoever did them.
//
//   node node.mjs <name> <port> <file> <options of redis() as JSON> <deadline of a drain, ms> [<url of NATS>]

import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { nats } from '@holdfast/nats';
import { redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';

const [name, port, path, options, drainMs, servers] = process.argv.slice(2);
const file = openSync(path, 'a');
const log = (what, ...rest) => writeSync(file, `${JSON.stringify([what, name, ...rest])}\n`);

const http = createServer((request, response) => {
  if (pages(request, response)) return;
  const { rss, heapUsed: heap } = process.memoryUsage();
  response.end(JSON.stringify({ pid: process.pid, rss, heap, stats: server.stats() }));
});
const server = createHoldfastServer({
  auth: (token) => ({ user: { id: token ?? 'nobody' } }),
  cluster: redis({ ...JSON.parse(options), bus: servers && nats({ servers }) }),
  observe: {
    storeChanged: ({ state, reason }) => log('store', state, reason),
  },
}).attach(http);
const pages = server.operations();
server.onError((error, where) => log('error', where.name, String(error?.message ?? error)));
server.onAttach(({ user }, { recovered }) => log('attach', user.id, recovered));
server.onSessionEnd(({ user }, { reason }) => log('end', user.id, reason));
server.rooms('*', { join: true, publish: true, presence: true, history: { maxMessages: 1_000 } });
server.on('note', (n, { session, redelivered }) => {
  log('handled', session.user.id, n, redelivered === true);
});
// Its handler takes its time, so that a killed server dies inside some.
server.on('work', async (n, { session, redelivered }) => {
  log('handled', session.user.id, n, redelivered === true);
  await new Promise((resolve) => setTimeout(resolve, 150));
  log('worked', session.user.id, n);
});
// Whoever begins to handle it is no more.
server.on('fatal', (how, { session, redelivered }) => {
  log('fatal', session.user.id, how, redelivered === true);
  if (how === 'exit') process.exit(1);
  process.kill(process.pid, 'SIGKILL');
});
server.handle('ask', (n, { session, redelivered }) => {
  log('asked', session.user.id, n, redelivered === true);
  return `answer ${n}`;
});
server.handle('who', async () => {
  const sessions = await server.toAll().sessions();
  return sessions.map(({ user }) => user.id);
});

http.listen(Number(port), '127.0.0.1', () => console.log(`listens on ${http.address().port}.`));
process.once('SIGTERM', async () => {
  log('draining');
  await server.drain({ deadlineMs: Number(drainMs) });
  log('drained');
  http.close();
  http.closeAllConnections();
});
