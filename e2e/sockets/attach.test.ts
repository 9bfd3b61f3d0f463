import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createHoldfastServer, type HoldfastServer, type UpgradeSource } from '@holdfast/server';
import { createAdaptorServer } from '@hono/node-server';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, greetedPeer, listening, rawPeer, soon } from './peers.js';
import { WebSocket } from './ws.js';

function makeServer(): HoldfastServer {
  const server = createHoldfastServer();
  server.handle('echo', (input) => input);
  onTestFinished(() => server.close());
  return server;
}

async function makeHttp() {
  const http = createServer();
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { http, host: `127.0.0.1:${await listening(http)}` };
}

/** The status and the text that an upgrade is refused with. */
const refusal = (url: string) =>
  soon(
    new Promise<[status: number | undefined, text: string]>((resolve) => {
      const socket = new WebSocket(url, ['holdfast.v1.json']);
      onTestFinished(() => socket.terminate());
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, response) => {
        response
          .setEncoding('utf8')
          .on('data', (text: string) => resolve([response.statusCode, text.trim()]));
      });
    }),
    'a refusal',
  );

const echo = async (url: string): Promise<unknown> => {
  const client = clientOf(url);
  await soon(client.connect(), 'a connection');
  return soon(client.request('echo', url), 'an answer');
};

test.each([
  ['realtime', "not 'realtime'"],
  ['', "not ''"],
  ['/a?b', "not '/a?b'"],
  ['/a#b', "not '/a#b'"],
  ['/a b', "not '/a b'"],
  ['/prüfung', "not '/prüfung'"],
  [5 as unknown as string, "not '5'"],
])('attach with the path %j: a TypeError that says so', async (path, named) => {
  const { http } = await makeHttp();
  const attach = () => makeServer().attach(http, { path });
  expect(attach).toThrow(TypeError);
  expect(attach).toThrow(`a path as it stands in a request is needed, such as '/realtime', ${named}`);
  expect(http.listenerCount('upgrade')).toBe(0);
});

test.each([[undefined], [null], [{}], [3000], [{ on: () => undefined }]])(
  'attach to %j: a TypeError',
  (http) => {
    expect(() => makeServer().attach(http as unknown as UpgradeSource)).toThrow(
      new TypeError('attach(server): an http.Server is needed'),
    );
  },
);

test('a path is taken once on an http server, by the same server or another, and is free after close()', async () => {
  const { http, host } = await makeHttp();
  const taken = new TypeError("attach(server, { path }): '/realtime' of this http server is taken already");
  const first = makeServer().attach(http);
  expect(() => first.attach(http)).toThrow(taken);
  expect(() => makeServer().attach(http, { path: '/realtime' })).toThrow(taken);
  first.attach(http, { path: '/also' });
  const elsewhere = await makeHttp();
  first.attach(elsewhere.http);
  for (const url of [`ws://${host}/realtime`, `ws://${host}/also`, `ws://${elsewhere.host}/realtime`]) {
    expect(await echo(url)).toBe(url);
  }
  await first.close();
  makeServer().attach(http);
  expect(await echo(`ws://${host}/realtime`)).toBe(`ws://${host}/realtime`);
});

test('after close() neither attach nor listen does anything but say so', async () => {
  const { http } = await makeHttp();
  const server = makeServer();
  await server.close();
  const closed = new TypeError('attach(server): this Holdfast server has been closed');
  expect(() => server.attach(http)).toThrow(closed);
  expect(http.listenerCount('upgrade')).toBe(0);
  await expect(server.listen(0, '127.0.0.1')).rejects.toThrow(closed);
});

test.each([undefined, 'abc', '', null, 70_000, -1, 0.5])(
  'listen(%j): a TypeError that says so',
  async (port) => {
    const rule = 'listen(port) must be a whole number from 0 to 65535, not ';
    await expect(makeServer().listen(port as number, '127.0.0.1')).rejects.toThrow(TypeError);
    await expect(makeServer().listen(port as number, '127.0.0.1')).rejects.toThrow(rule);
  },
);

test('listen() takes the digits that an environment variable holds', async () => {
  const { port } = await makeServer().listen('0' as unknown as number, '127.0.0.1');
  expect(await echo(`ws://127.0.0.1:${port}/realtime`)).toBe(`ws://127.0.0.1:${port}/realtime`);
});

test('close() ends all that listen() has opened', async () => {
  const server = makeServer();
  const ports = [await server.listen(0, '127.0.0.1'), await server.listen(0, '127.0.0.1')];
  for (const { port } of ports) await echo(`ws://127.0.0.1:${port}/realtime`);
  await server.close();
  for (const { port } of ports) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await new Promise((resolve) => {
      socket.on('error', ({ message }) => resolve(message)).on('connect', () => resolve('connected'));
    });
    socket.destroy();
    expect(outcome).toContain('ECONNREFUSED');
  }
});

test('handleUpgrade takes any path, and after close() answers 503', async () => {
  const { http, host } = await makeHttp();
  const server = makeServer();
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  for (const path of ['/', '/any/path?with=query']) {
    expect(await echo(`ws://${host}${path}`)).toBe(`ws://${host}${path}`);
  }
  await server.close();
  expect(await refusal(`ws://${host}/`)).toEqual([503, 'the server is going down']);
});

test('handleUpgrade while it drains: sent away with 1012, as by attach', async () => {
  const { http, host } = await makeHttp();
  const server = makeServer();
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  await greetedPeer(`ws://${host}/`);
  const drained = server.drain({ deadlineMs: 1_000 });
  expect(await (await rawPeer(`ws://${host}/`)).closed).toBe(1012);
  await drained;
});

test('handleUpgrade with anything else than an upgrade: a TypeError', async () => {
  const server = makeServer() as unknown as { handleUpgrade(...args: unknown[]): void };
  for (const args of [[], [{}, {}, Buffer.alloc(0)], [{ headers: {} }, { write() {} }], [null, null, null]]) {
    expect(() => server.handleUpgrade(...args)).toThrow(
      new TypeError("handleUpgrade(request, socket, head): what an http server emits as 'upgrade' is needed"),
    );
  }
});

test('a handler of other paths keeps its own, and unknown paths are left to it', async () => {
  const { http, host } = await makeHttp();
  makeServer().attach(http);
  http.on('upgrade', (request, socket) => {
    if (request.url === '/realtime') return;
    const answer = 'HTTP/1.1 418 Teapot\r\nContent-Length: 6\r\n\r\nothers';
    // Later: nobody may have answered in its place meanwhile.
    setImmediate(() => socket.end(answer));
  });
  makeServer().attach(http, { path: '/ours-too' });
  expect(await refusal(`ws://${host}/theirs`)).toEqual([418, 'others']);
  expect(await echo(`ws://${host}/realtime`)).toBe(`ws://${host}/realtime`);
});

test('a path is known in absolute form, too (RFC 9112, section 3.2.2)', async () => {
  const { http, host } = await makeHttp();
  makeServer().attach(http);
  const upgrade = [
    ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: holdfast.v1.json', '', ''],
  ].join('\r\n');
  const statusOf = async (target: string): Promise<string> => {
    const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(`GET ${target} HTTP/1.1\r\n${upgrade}`);
    const [answer] = (await soon(once(socket, 'data'), target)) as [Buffer];
    return String(answer).slice(9, 12);
  };
  expect(await statusOf('http://x/realtime')).toBe('101');
  expect(await statusOf('http://x/nowhere/realtime')).toBe('404');
});

test('who asks for an unknown path and resets the connection harms nobody', async () => {
  const { http, host } = await makeHttp();
  makeServer().attach(http);
  const upgraded = new Promise<void>((resolve) => {
    http.prependOnceListener('upgrade', (_request, socket) => {
      // As a peer's reset comes: before the answer is through.
      process.nextTick(() => {
        socket.destroy(new Error('read ECONNRESET'));
        setImmediate(resolve);
      });
    });
  });
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await soon(upgraded, 'the upgrade');
  expect(await echo(`ws://${host}/realtime`)).toBe(`ws://${host}/realtime`);
});

test('what frameworks make of http servers is taken as it is', () => {
  const fastify = Fastify();
  const hono = createAdaptorServer({ fetch: () => new Response() });
  makeServer().attach(fastify.server).attach(hono);
  expect([fastify.server.listenerCount('upgrade'), hono.listenerCount('upgrade')]).toEqual([1, 1]);
});
