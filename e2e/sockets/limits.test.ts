import { expect, onTestFinished, test } from 'vitest';
import { eventually, hello, serve, soon } from './peers.js';
import { WebSocket } from './ws.js';

type Socket = InstanceType<typeof WebSocket>;

const dial = (url: string, forwarded: string): Socket => {
  const socket = new WebSocket(url, 'holdfast.v1.json', { headers: { 'X-Forwarded-For': forwarded } });
  socket.on('open', () => socket.send(JSON.stringify(hello())));
  onTestFinished(() => socket.terminate());
  return socket;
};
const closed = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.on('close', (code, reason) => resolve(`${code} ${reason}`)));

test('behind a proxy an address is what the proxy has said, and is limited by that', async () => {
  const { server, url } = await serve({ trustProxy: 1, limits: { connectionsPerAddress: 1 } });
  const seen: string[] = [];
  server.onSession(({ address }) => seen.push(address));
  dial(url, '203.0.113.1, 192.0.2.9');
  await eventually(() => seen.length === 1, 'the first one');
  expect(await soon(closed(dial(url, '203.0.113.2, 192.0.2.9')), 'one too many')).toBe('4429 ra=10000');
  dial(url, '192.0.2.10');
  await eventually(() => seen.length === 2, 'another address');
  expect(seen).toEqual(['192.0.2.9', '192.0.2.10']);
});

test('a connection that is gone, whichever end has ended it, makes room for another of its user', async () => {
  const { server, url } = await serve({
    auth: () => ({ user: { id: 'ann' } }),
    limits: { connectionsPerUser: 1 },
  });
  const endings = [
    (socket: Socket) => socket.terminate(),
    (socket: Socket) => socket.close(),
    (socket: Socket) => socket.send('not a frame'),
    (socket: Socket) => socket.send(JSON.stringify([0, 0, [13, 'ERR_CLOSED', '']])),
  ];
  for (const end of [...endings, ...endings]) {
    const socket = dial(url, '');
    await eventually(() => server.stats().connections === 1, 'it is let in');
    const gone = closed(socket);
    end(socket);
    await soon(gone, 'it is gone');
    await eventually(() => server.stats().connections === 0, 'the server knows');
  }
});
