import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { connect as tcp, createServer as tcpServer } from 'node:net';
import { createClient } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';
import { afterEach, expect, test, vi } from 'vitest';
import { hello, LIMITS } from './peers.js';
import { WebSocket, WebSocketServer } from './ws.js';

/** The least `maxMessageBytes` that a server may have. */
const LEAST = 8_192;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const after: (() => unknown)[] = [];
afterEach(async () => {
  for (const f of after.splice(0).reverse()) await f();
});
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
const within = <V>(p: Promise<V>, ms: number) =>
  Promise.race([
    p,
    sleep(ms).then(() => {
      throw new Error(`not within ${ms} ms`);
    }),
  ]);

async function serve(options = {}, noClose = false) {
  const server = createHoldfastServer({ logger: quiet, ...options });
  const { port } = await server.listen(0, '127.0.0.1');
  if (!noClose) after.push(() => server.close());
  return { server, port, url: `ws://127.0.0.1:${port}/realtime` };
}
async function raw(url: string) {
  const ws = new WebSocket(url, ['holdfast.v1.json']);
  const frames: unknown[][] = [];
  ws.on('message', (d) => frames.push(JSON.parse(String(d))));
  const closed = new Promise<number>((r) => ws.on('close', (c) => r(c)));
  ws.on('error', () => {});
  await new Promise((r) => ws.on('open', r));
  after.push(() => ws.terminate());
  return {
    ws,
    frames,
    closed,
    say: (x: unknown) => ws.send(JSON.stringify(x)),
    hello: () => ws.send(JSON.stringify(hello())),
  };
}

test('bad item behind an async rule does not reject unhandled', async () => {
  const { server, url } = await serve();
  server.rooms('*', { join: () => sleep(20).then(() => true) });
  const noises: unknown[] = [];
  const note = (e: unknown) => noises.push(e);
  process.on('unhandledRejection', note);
  after.push(() => process.off('unhandledRejection', note));
  const p = await raw(url);
  p.hello();
  p.say([0, 1, [3, '$join', { room: 'r' }], [0, { v: 1, c: 'x', n: 1, w: [1, 1] }]]);
  const code = await within(p.closed, 2000).catch((e) => e.message);
  expect([code, noises.map(String)]).toEqual([4400, []]);
});

test('peers that do not hang up after a refusal are hung up', async () => {
  const http = createServer();
  await new Promise<void>((r) => http.listen(0, '127.0.0.1', r));
  const server = createHoldfastServer({ logger: quiet }).attach(http);
  const { port } = http.address() as { port: number };
  const s = tcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  s.on('error', () => {});
  after.push(() => s.destroy());
  s.write(
    'GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://evil.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await new Promise((r) => s.once('data', r));
  await sleep(500);
  const n = await new Promise((r) => http.getConnections((_e, c) => r(c)));
  await server.close();
  http.close();
  expect(n).toBe(0);
});

test('a silent TCP connection does not hold close()', async () => {
  const { server, port } = await serve({}, true);
  const s = tcp({ port, host: '127.0.0.1' });
  s.on('error', () => {});
  after.push(() => s.destroy());
  await new Promise((r) => s.once('connect', r));
  await sleep(100);
  await within(server.close(), 3000);
});

test('batches fit into the largest message of the server', async () => {
  const { server, url } = await serve({ limits: { maxMessageBytes: LEAST } });
  server.on('note', () => {});
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  await c.connect();
  const ends = await Promise.all(
    Array.from({ length: 20 }, () =>
      c.send('note', 'x'.repeat(1000)).then(
        (r) => r.outcome,
        (e) => e.code,
      ),
    ),
  );
  expect(new Set(ends)).toEqual(new Set(['acknowledged']));
});

test('the biggest message that send() takes arrives', async () => {
  const { server, url } = await serve({ limits: { maxMessageBytes: LEAST } });
  server.on('note', () => {});
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  await c.connect();
  const ends = new Set<string>();
  for (let n = 7_996; n < 8_196; n++)
    ends.add(
      await c.send('note', 'x'.repeat(n), { id: 'i' }).then(
        (r) => r.outcome,
        (e) => e.code,
      ),
    );
  expect(ends).toEqual(new Set(['acknowledged', 'ERR_TOO_BIG']));
});

test('taken before the welcome', async () => {
  const { server, url } = await serve({ limits: { maxMessageBytes: LEAST } });
  server.on('note', () => {});
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  const big = c.send('note', 'x'.repeat(9_000)).then(
    (r) => r.outcome,
    (e) => e.code,
  );
  const small = c.send('note', 'x').then(
    (r) => r.outcome,
    (e) => e.code,
  );
  await c.connect();
  expect([await big, await small]).toEqual(['ERR_TOO_BIG', 'acknowledged']);
});

test('the process ends soon after close(), also when the server is deaf', async () => {
  const srv = tcpServer((s) => {
    s.on('error', () => {});
    s.once('data', (d) => {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(String(d))?.[1];
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      s.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: holdfast.v1.json\r\n\r\n`,
      );
    });
  });
  await new Promise<void>((r) => srv.listen(0, '127.0.0.1', r));
  after.push(() => srv.close());
  const { port } = srv.address() as { port: number };
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createClient } from '@holdfast/client';
    const c = createClient({ url: 'ws://127.0.0.1:${port}' }); c.connect().catch(() => {});
    c.onState(async (s) => { if (s.phase === 'handshaking') { await c.close(); console.log('closed'); } });`,
    ],
    { cwd: new URL('..', import.meta.url).pathname, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  after.push(() => child.kill('SIGKILL'));
  await new Promise((r) => child.stdout.once('data', r));
  await within(new Promise((r) => child.once('exit', r)), 15_000);
});

async function hostile(
  onFrame: (say: (x: unknown) => void, frame: unknown[], ws: InstanceType<typeof WebSocket>) => void,
) {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'holdfast.v1.json' });
  await new Promise((r) => wss.once('listening', r));
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (d) =>
      onFrame((x) => ws.send(typeof x === 'string' ? x : JSON.stringify(x)), JSON.parse(String(d)), ws),
    );
  });
  after.push(() => {
    for (const c of wss.clients) c.terminate();
    wss.close();
  });
  return `ws://127.0.0.1:${(wss.address() as { port: number }).port}`;
}
const WELCOME = [
  0,
  0,
  [1, { v: 1, s: 's1', q: 0, u: 'u', h: 20000, w: [1000, 100000], m: 100000, ...LIMITS }],
];

test('a malformed member change, right behind the join', async () => {
  const url = await hostile((say, f) => {
    const item = f[2] as unknown[];
    if (item?.[0] === 0) say(WELCOME);
    if (item?.[1] === '$join')
      say([
        1,
        1,
        [4, 1, { epoch: 'e', offset: 0 }],
        [15, [['r', 'e', 0, 1]]],
        [6, 1, 1, '$member', 'rubbish', {}],
      ]);
  });
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  const crashes: unknown[] = [];
  const note = (e: unknown) => crashes.push(e);
  const old = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
  after.push(() => {
    process.off('uncaughtException', note);
    for (const l of old) process.on('uncaughtException', l as never);
  });
  await c.connect();
  // It comes back soon, to the same rubbish: what counts is that it has left.
  const left = new Promise((yes) => c.onState(({ status }) => status === 'reconnecting' && yes(status)));
  await c.room('r').join();
  expect(await within(left, 5_000)).toBe('reconnecting');
  expect(crashes.map(String)).toEqual([]);
});

test('unknown path beside two servers', async () => {
  const http = createServer();
  await new Promise<void>((r) => http.listen(0, '127.0.0.1', r));
  const s1 = createHoldfastServer({ logger: quiet }).attach(http, { path: '/a' });
  const s2 = createHoldfastServer({ logger: quiet }).attach(http, { path: '/b' });
  after.push(
    () => http.close(),
    () => http.closeAllConnections(),
    () => s1.close(),
    () => s2.close(),
  );
  const ws = new WebSocket(
    `ws://127.0.0.1:${(http.address() as { port: number }).port}/c`,
    'holdfast.v1.json',
  );
  after.push(() => ws.terminate());
  const end = await within(new Promise((r) => ws.on('error', (e) => r(e.message))), 2000).catch(
    (e) => e.message,
  );
  expect(end).toMatch(/404/);
});

test('a WELCOME of another version, of another shape', async () => {
  const url = await hostile((say) => say([0, 0, [1, { v: 2, session: 'x' }]]));
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  const e = await within(c.connect(), 2000).catch((e) => e.code ?? e.message);
  expect(e).toBe('ERR_PROTOCOL_VERSION');
});
test('a HELLO of another version, of another shape', async () => {
  const { url } = await serve();
  const p = await raw(url);
  p.say([0, 0, [0, { v: 2, nonce: 'x' }]]);
  await p.closed;
  expect(p.frames[0]?.[2]).toEqual([13, 'ERR_PROTOCOL_VERSION', expect.any(String)]);
});
test('welcome LOST for ever: no hot loop', async () => {
  let n = 0;
  const url = await hostile((say) => {
    n++;
    say([0, 0, [1, { v: 1, s: 's1', q: 2, u: 'u', h: 20000, w: [1000, 100000], m: 100000, ...LIMITS }]]);
  });
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  void c.connect().catch(() => {});
  await sleep(1000);
  expect(n).toBeLessThan(10);
});
test('hostile heartbeat: no ping storm', async () => {
  let n = 0;
  const url = await hostile((say, f) => {
    n++;
    const item = f[2] as unknown[];
    if (item?.[0] === 0)
      say([0, 0, [1, { v: 1, s: 's1', q: 0, u: 'u', h: 1, w: [1000, 100000], m: 100000, ...LIMITS }]]);
    if (item?.[0] === 7) say([0, 0, [8]]);
  });
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  await c.connect();
  await sleep(1000);
  expect(n).toBeLessThan(20);
});
test('a WELCOME that does not come alone breaks the protocol: nothing of it is taken', async () => {
  const url = await hostile((say, f) => {
    if ((f[2] as unknown[])?.[0] === 0) say([0, 1, WELCOME[2], [2, 'note', 1, { i: 'x', t: 1 }]]);
  });
  const c = createClient({ url, logger: quiet });
  after.push(() => c.close());
  const heard: unknown[] = [];
  c.on('note', (p) => heard.push(p));
  void c.connect().catch(() => {});
  await vi.waitFor(
    () => expect(c.getState()).toMatchObject({ status: 'reconnecting', lastError: { code: 'ERR_PROTOCOL' } }),
    { timeout: 20_000 },
  );
  expect(heard).toEqual([]);
});
test('a token that no first frame can carry is refused where it is given', () => {
  const auth = 'x'.repeat(7_169);
  expect(() => createClient({ url: 'ws://x', auth })).toThrow('auth may have 7168 characters, not 7169');
  const c = createClient({ url: 'ws://x' });
  expect(() => c.connect({ auth })).toThrow('connect(options).auth may have 7168 characters, not 7169');
});
test('the largest token gets in', async () => {
  const { url } = await serve({
    auth: (token: string | undefined) => ({ user: { id: String(token?.length) } }),
    // The least that a server may take.
    limits: { maxMessageBytes: LEAST },
  });
  const c = createClient({ url, logger: quiet, auth: 'x'.repeat(7_168) });
  after.push(() => c.close());
  await c.connect();
  expect(c.getState()).toMatchObject({ userId: '7168' });
});
test('a payload as deep as one may be', async () => {
  const { server, url } = await serve();
  server.rooms('*', { join: true, publish: true });
  server.handle('echo', (x) => x);
  const p = await raw(url);
  p.hello();
  p.ws.send(`[0,1,[3,"echo",${'['.repeat(64)}${']'.repeat(64)}],[3,"echo",1]]`);
  await sleep(300);
  expect(JSON.stringify(p.frames)).toContain('[4,2,1]');
});
