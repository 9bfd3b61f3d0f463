import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@holdfast/client';
import { generate } from 'selfsigned';
import { io } from 'socket.io-client';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { ExampleFolder, freePort } from '../support/examples.js';

// Every example of docs/frameworks.md as a process of its own, and clients of all kinds that talk to it.

const DOCUMENT = 'docs/frameworks.md';
const run = promisify(execFile);
const folder = new ExampleFolder();
afterAll(() => folder.remove());

/** Starts an example and waits until it says that it listens. */
async function start(name: string) {
  const port = await freePort();
  const child = spawn(process.execPath, [folder.write(name, port, DOCUMENT)], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const exited = once(child, 'close').then(([code]) => ({ code, complaints }));
  const said = await Promise.race([
    once(child.stdout, 'data').then(([text]) => String(text)),
    exited.then(() => complaints),
  ]);
  expect(said).toBe('listening\n');
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  return { host: `localhost:${port}`, stop };
}

function clientOf(url: string) {
  const client = createClient({ url, autoConnect: true, reconnect: { maxAttempts: 1 } });
  onTestFinished(() => client.close());
  return client;
}

/** A plain WebSocket: what it hears after it has said `hello`, or the status that it was refused with. */
function plainly(url: string): Promise<string | number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data) => resolve(String(data)));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('error', reject);
  });
}

test('every example of the page is run here', () => {
  const page = readFileSync(fileURLToPath(new URL(`../../${DOCUMENT}`, import.meta.url)), 'utf8');
  const names = [...page.matchAll(/<!-- example: (\S+) -->/g)].map(([, name]) => name);
  expect(names).toHaveLength((page.match(/^```js$/gm) ?? []).length);
  const here = ['express', 'fastify', 'hono', 'http', 'https', 'socket-io', 'ws'].map(
    (name) => `${name}.mjs`,
  );
  expect(names.sort()).toEqual(here);
});

test.each(['express.mjs', 'fastify.mjs', 'hono.mjs'])(
  '%s: routes and connections beside each other; SIGTERM ends both',
  async (name) => {
    const { host, stop } = await start(name);
    const client = clientOf(`ws://${host}/realtime`);
    expect(await client.request('echo', 'hello')).toBe('hello');
    const health = await fetch(`http://${host}/health`);
    expect(await health.json()).toMatchObject({ connections: 1, draining: false });
    expect((await fetch(`http://${host}/missing`)).status).toBe(404);
    await expect(plainly(`ws://${host}/missing`)).resolves.toBe(404);
    await client.close();
    expect(await stop()).toEqual({ code: 0, complaints: '' });
  },
);

test('express.mjs: a route tells a room, and a drain does not wait for ever for who stays', async () => {
  const { host, stop } = await start('express.mjs');
  const client = clientOf(`ws://${host}/realtime`);
  const room = client.room('user:ada');
  const heard = new Promise((resolve) => room.on('notification', resolve));
  await client.connect();
  await room.join();
  const answer = await fetch(`http://${host}/notify/ada`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: 'coffee' }),
  });
  expect(await answer.json()).toEqual({ members: 1 });
  expect(await heard).toEqual({ text: 'coffee' });
  expect(await stop()).toEqual({ code: 0, complaints: '' });
});

test('http.mjs: two servers on two paths, and 404 with both for any other', async () => {
  const { host } = await start('http.mjs');
  for (const path of ['/chat', '/admin']) {
    expect(await clientOf(`ws://${host}${path}`).request('where')).toBe(path);
  }
  await expect(plainly(`ws://${host}/other`)).resolves.toBe(404);
  expect(await (await fetch(`http://${host}/`)).text()).toBe('hello\n');
});

test('https.mjs: over TLS, with a certificate of our own making', async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  folder.writeCode('key.pem', made.private);
  const certificate = folder.writeCode('cert.pem', made.cert);
  const { host } = await start('https.mjs');
  const ask = folder.writeCode(
    'ask.mjs',
    `import { createClient } from '@holdfast/client';
    const client = createClient({ url: 'wss://${host}/realtime', reconnect: { maxAttempts: 1 } });
    await client.connect();
    console.log(await client.request('echo', 'over TLS'));
    await client.close();`,
  );
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate };
  expect(await run(process.execPath, [ask], { env })).toEqual({ stdout: 'over TLS\n', stderr: '' });
  await expect(run(process.execPath, [ask])).rejects.toThrow(/self-signed certificate/);
});

test('socket-io.mjs: Socket.IO on its path, we on ours', async () => {
  const { host } = await start('socket-io.mjs');
  const client = clientOf(`ws://${host}/realtime`);
  const socket = io(`http://${host}`, { transports: ['websocket'] });
  onTestFinished(() => void socket.close());
  expect(await socket.timeout(10_000).emitWithAck('echo', 'theirs')).toBe('theirs');
  expect(await client.request('echo', 'ours')).toBe('ours');
  // It ends what nobody has answered within a second: not what is ours.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(client.getState()).toMatchObject({ status: 'connected' });
  expect(await client.request('echo', 'still ours')).toBe('still ours');
});

test('ws.mjs: upgrades routed by hand, to ws and to us', async () => {
  const { host } = await start('ws.mjs');
  const client = clientOf(`ws://${host}/tenants/reef`);
  expect(await client.request('echo', 'ours')).toBe('ours');
  expect(await plainly(`ws://${host}/plain`)).toBe('hello');
  // Not our subprotocol: answered by us, on the path that was routed to us.
  expect(await plainly(`ws://${host}/tenants/reef`)).toBe(400);
  await expect(plainly(`ws://${host}/other`)).rejects.toThrow('socket hang up');
});
