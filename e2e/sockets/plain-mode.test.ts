import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type PlainOptions, ReconnectingWebSocket } from '@holdfast/client/plain';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './peers.js';
import { WebSocketServer } from './ws.js';

const OPEN = 1;

/** A server of somebody else, which says again what it hears, behind a bad network. */
async function stranger() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const heard: string[] = [];
  const ended: string[] = [];
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      heard.push(isBinary ? `bytes ${[...(data as Buffer)]}` : String(data));
      socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code, reason) => ended.push(`${code} ${reason}`));
  });
  await once(server, 'listening');
  const proxy = await createTcpProxy({ target: { port: (server.address() as AddressInfo).port } });
  onTestFinished(() => proxy.close());
  return { proxy, heard, ended, url: `ws://${proxy.host}:${proxy.port}/`, server };
}

function socketTo(url: string, options: PlainOptions = {}) {
  const socket = new ReconnectingWebSocket(url, [], { reconnect: { baseMs: 20 }, ...options });
  onTestFinished(() => socket.close());
  const log: string[] = [];
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => log.push('open');
  socket.onclose = ({ code }) => log.push(`close ${code}`);
  socket.onerror = () => log.push('error');
  socket.onmessage = ({ data }) =>
    log.push(typeof data === 'string' ? data : `bytes ${[...new Uint8Array(data)]}`);
  return { socket, log };
}

test('talks, is cut, comes back, sends what waited in order, closes', async () => {
  const { proxy, heard, ended, url } = await stranger();
  const { socket, log } = socketTo(url);
  socket.send('early');
  await eventually(() => log.length === 2, 'an echo');
  socket.send(new Uint8Array([1, 2]));
  socket.send(new Blob([new Uint8Array([3])]));
  await eventually(() => log.length === 4, 'bytes come back');
  expect(log).toEqual(['open', 'early', 'bytes 1,2', 'bytes 3']);

  proxy.refuse();
  await proxy.cut();
  await eventually(() => socket.retryCount > 1, 'it is gone, and so is the next attempt');
  const texts = ['a', 'b', 'c', 'd'];
  for (const text of texts) socket.send(text);
  socket.send(new Uint8Array([4]));
  expect(socket.bufferedAmount).toBe(5);
  proxy.heal();
  await eventually(() => log.at(-1) === 'bytes 4', 'what waited comes back');
  expect(heard).toEqual(['early', 'bytes 1,2', 'bytes 3', ...texts, 'bytes 4']);
  const after = log.slice(4);
  expect(after.slice(0, 2)).toEqual(['error', 'close 1006']);
  expect(after.slice(-6)).toEqual(['open', ...texts, 'bytes 4']);

  socket.send('last');
  socket.close(4_321, 'ä'.repeat(61));
  await eventually(() => ended.length === 2, 'the server hears it');
  expect([ended[1], heard.at(-1), log.at(-1)]).toEqual([`4321 ${'ä'.repeat(61)}`, 'last', 'close 4321']);
});

test('a half-open connection is left when the heartbeat is missed', async () => {
  const { proxy, url } = await stranger();
  const { log } = socketTo(url, { heartbeat: { message: 'ping', intervalMs: 50, timeoutMs: 200 } });
  await eventually(() => log.includes('ping'), 'an answer');
  proxy.freeze();
  await eventually(() => log.includes('close 1006'), 'it is noticed');
  proxy.heal();
  await eventually(() => log.lastIndexOf('open') > 0, 'it is back');
});

test('a server that goes away is reached again when it is back', async () => {
  const { url, server } = await stranger();
  const { socket, log } = socketTo(url);
  await eventually(() => log.length === 1, 'open');
  for (const one of server.clients) one.close(1012, 'restart');
  await eventually(() => log.length === 3, 'open again');
  expect([log, socket.readyState]).toEqual([['open', 'close 1012', 'open'], OPEN]);
});

test('the code of somebody who comes from reconnecting-websocket runs', async () => {
  const { heard, ended, url } = await stranger();
  // From here on as in the migration sample of the documentation, but for the address.
  const rws = new ReconnectingWebSocket(url, ['chat'], {
    reconnect: { maxAttempts: 10, capMs: 10_000, minUptimeMs: 5_000 },
    outbox: { maxMessages: 100 },
    heartbeat: { message: 'ping', intervalMs: 20_000 },
  });
  const said: unknown[] = [];
  rws.addEventListener('open', () => rws.send('hello'));
  rws.onmessage = (e: MessageEvent) => said.push(e.data);
  rws.addEventListener('close', (e) => said.push(e.code));
  await eventually(() => said.length === 1, 'an echo');
  rws.reconnect();
  await eventually(() => said.length === 3, 'close, and an echo');
  const asWebSocket: WebSocket = rws;
  const polyfill: new (url: string, protocols?: string | string[]) => WebSocket = ReconnectingWebSocket;
  asWebSocket.close();
  await eventually(() => ended.length === 2, 'both connections are over');
  expect(heard).toEqual(['hello', 'hello']);
  expect([said, asWebSocket.protocol]).toEqual([['hello', 1000, 'hello', 1000], 'chat']);
  expect(polyfill).toBe(ReconnectingWebSocket);
});

/** A program of a user: connects, is cut, comes back, closes. Nothing may keep it from ending then. */
const PROGRAM = `
  import { ReconnectingWebSocket } from '@holdfast/client/plain';
  const ws = new ReconnectingWebSocket(process.argv.at(-1), [], { reconnect: { baseMs: 20 } });
  ws.onopen = () => console.log('open');
  ws.onmessage = ({ data }) => data === 'bye' && ws.close();
  ws.onclose = ({ code }) => console.log('close', code, ws.readyState);
`;

test('a process ends by itself after close()', async () => {
  const { proxy, url, server } = await stranger();
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, url], { cwd, stdio: 'pipe' });
  onTestFinished(() => void child.kill());
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exit = once(child, 'close');
  await eventually(() => said === 'open\n', 'it connects');
  await proxy.cut();
  await eventually(() => said.endsWith('open\n') && said.length > 5, 'it comes back');
  for (const one of server.clients) one.send('bye');
  const saidAt = Date.now();
  expect(await exit).toEqual([0, null]);
  expect(said).toBe('open\nclose 1006 0\nopen\nclose 1000 3\n');
  // Nobody waits for a deaf server longer than two seconds, and this one answers.
  expect(Date.now() - saidAt).toBeLessThan(1_500);
});
