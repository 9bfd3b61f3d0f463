import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { WebSocketServer } from '../sockets/ws.js';
import { ExampleFolder, example } from '../support/examples.js';

const run = promisify(execFile);
const folder = new ExampleFolder();
afterAll(() => folder.remove());

test('the example of docs/plain-mode.md runs as it says', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const seen: string[] = [];
  server.on('connection', (socket, { url }) => {
    const isFirst = seen.length === 0;
    seen.push(`${url} ${socket.protocol}`);
    socket.on('message', (data) => {
      seen.push(String(data));
      socket.send('news');
      socket.close(1012);
    });
    if (isFirst) return;
    socket.send('more news');
    socket.close(4401);
  });
  try {
    const code = example('plain.mjs', 'docs/plain-mode.md');
    expect(code).toContain('wss://example.com/feed');
    const here = code.replace('wss://example.com/', `ws://127.0.0.1:${port}/`);
    const program = folder.writeCode('plain.mjs', here);
    const { stdout, stderr } = await run(process.execPath, [program], { timeout: 25_000 });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual(['there, again', 'news', 'there, again', 'more news', 'for good', '']);
    expect(seen).toEqual(['/feed chat', 'waits for the connection', '/feed chat']);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});
