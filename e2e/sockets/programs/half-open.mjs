// A client and a server in a network namespace of their own, whose packets vanish for a while: in one direction or in
// both, as the argument says. What came of it is printed as one line of JSON.

import { execFileSync } from 'node:child_process';
import { createClient } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';

const [direction, nft] = process.argv.slice(2);
const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
const until = async (look) => {
  while (!look()) await new Promise((resolve) => setTimeout(resolve, 10));
};

run('ip', 'link', 'set', 'lo', 'up');
const server = createHoldfastServer();
const notes = [];
const attaches = [];
let session;
server.on('note', (n) => notes.push(n));
server.onSession((begun) => {
  session = begun;
});
server.onAttach((_session, { recovered }) => attaches.push(recovered));
const { port } = await server.listen(0, '127.0.0.1');

const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, reconnect: { baseMs: 100 } });
const heard = [];
const errors = [];
client.on('tick', (n) => heard.push(n));
client.onError(({ code }) => errors.push(code));
client.onUndelivered((_message, { code }) => errors.push(code));
await client.connect();
await client.send('note', 0);

run(nft, 'add table ip void');
run(nft, 'add chain ip void out { type filter hook output priority 0; }');
const rules = { up: `tcp dport ${port} drop`, down: `tcp sport ${port} drop` };
for (const [way, rule] of Object.entries(rules)) {
  if (direction === way || direction === 'both') run(nft, `add rule ip void out ${rule}`);
}

const since = performance.now();
const sent = [1, 2, 3].map((n) => client.send('note', n));
const told = [1, 2, 3].map((n) => session.send('tick', n));
await until(() => client.getState().status !== 'connected');
const noticedMs = performance.now() - since;
const { lastError } = client.getState();
sent.push(client.send('note', 4));
run(nft, 'delete table ip void');
const outcomes = (await Promise.all(sent)).map(({ outcome }) => outcome);
await Promise.all(told);
const { recovered } = client.getState();
console.log(
  JSON.stringify({ noticedMs, lost: lastError?.code, outcomes, notes, heard, recovered, attaches, errors }),
);
await client.close();
await server.close();
