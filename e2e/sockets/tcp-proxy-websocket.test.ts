import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, soon } from './peers.js';
import { WebSocket, WebSocketServer } from './ws.js';

/** A WebSocket echo behind a proxy. */
async function webSocketLine() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const closes: number[] = [];
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('close', (code) => closes.push(code));
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await soon(new Promise((resolve) => server.once('listening', resolve)), 'the echo listens');
  const proxy = await createTcpProxy({ target: { port: (server.address() as { port: number }).port } });
  onTestFinished(() => proxy.close());
  const dial = async () => {
    const socket = new WebSocket(`ws://${proxy.host}:${proxy.port}`, { perMessageDeflate: false });
    onTestFinished(() => socket.terminate());
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    socket.on('error', () => undefined);
    const closed = new Promise<number>((resolve) => {
      socket.on('close', resolve);
    });
    await soon(new Promise((resolve) => socket.once('open', resolve)), 'it opens');
    return { socket, heard, closed };
  };
  return { proxy, closes, dial };
}

for (const direction of ['up', 'down'] as const) {
  for (const how of ['reset', 'end'] as const) {
    test(`WebSocket, cut ${direction} with ${how} in the middle of a frame: the half frame is no message`, async () => {
      const { proxy, closes, dial } = await webSocketLine();
      const { socket, heard, closed } = await dial();
      socket.send('whole');
      await eventually(() => heard.length === 1, 'the echo');
      // A frame of 100 bytes has 6 bytes in front when a client sends it, 2 when a server does.
      const done = proxy.cut({ how, after: 60, direction });
      socket.send('x'.repeat(100));
      expect(await soon(done, 'the cut')).toBe(1);
      expect(await soon(closed, 'the client hears of it')).toBe(1006);
      await eventually(() => closes.length === 1, 'the server hears of it');
      expect([heard, closes]).toEqual([['whole'], [1006]]);
      const next = await dial();
      next.socket.send('again');
      await eventually(() => next.heard.length === 1, 'the echo of a new connection');
    });
  }
}

test('WebSocket, half open: says OPEN while nothing arrives, and gets all in order when it heals', async () => {
  const { proxy, dial } = await webSocketLine();
  const { socket, heard } = await dial();
  const beside = await dial();
  proxy.freeze('up');
  const numbers = Array.from({ length: 100 }, (_, n) => String(n));
  for (const number of numbers) socket.send(number);
  beside.socket.ping();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([socket.readyState, heard]).toEqual([WebSocket.OPEN, []]);
  proxy.heal();
  await eventually(() => heard.length === 100, 'all echoes');
  expect(heard).toEqual(numbers);
});
