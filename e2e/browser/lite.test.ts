import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../support/bundle.js';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import type { Visitor } from '../support/visitor.js';

const page = (url: string) => `<!doctype html><title>A page with the small client</title>
<link rel="icon" href="data:,">
<script src="/lite.js"></script>
<script>
  const seen = { heard: [], room: [], ends: [], errors: [] };
  addEventListener('error', (event) => { seen.errors.push(String(event.message)); });
  addEventListener('unhandledrejection', (event) => { seen.errors.push(String(event.reason)); });
  const client = lite.createClient({ url: '${url}', auth: async () => 'ada', reconnect: { baseMs: 20, capMs: 200 } });
  client.on('tick', (n) => { seen.heard.push(n); });
  client.onError(({ code }) => { seen.errors.push(code); });
  client.onSessionLost(() => { seen.errors.push('session lost'); });
  client.onGap(() => { seen.errors.push('gap'); });
  client.onUndelivered((message, { code }) => { seen.errors.push(code); });
  client.handle('double', (n) => 2 * n);
  const room = client.room('lobby');
  room.on('said', (n) => { seen.room.push(n); });
  room.join();
  client.send('note', 0);
  client.connect();
</script>`;

interface Seen {
  readonly heard: readonly number[];
  readonly room: readonly number[];
  readonly errors: readonly string[];
  readonly sum?: number;
  readonly state: { readonly status: string; readonly recovered?: boolean; readonly userId?: string };
}
const SEEN = '({ ...seen, state: client.getState() })';
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** A server, its page, and the bad network between the two. */
async function place(script: string) {
  let realtime = '';
  const http = createServer(({ url }, response) => {
    const isScript = url === '/lite.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : page(realtime));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const auth = (token = 'guest') => ({ user: { id: token } });
  const server = createHoldfastServer({ auth, origins: [url] }).attach(http);
  const proxy: TcpProxy = await createTcpProxy({ target: { port } });
  realtime = `ws://127.0.0.1:${proxy.port}/realtime`;
  const notes: unknown[] = [];
  const sessions: ServerSession[] = [];
  server.rooms('*', { join: true });
  server.on('note', (payload) => notes.push(payload));
  server.handle('add', (input) => (input as number[]).reduce((sum, n) => sum + n));
  server.onSession((session) => sessions.push(session));
  onTestFinished(async () => {
    await server.close();
    await proxy.close();
    const closed = new Promise((resolve) => http.close(resolve));
    http.closeAllConnections();
    await closed;
  });
  return { url, server, proxy, notes, sessions };
}

let script: string;
beforeAll(async () => {
  script = await bundle('@holdfast/client/lite', 'lite');
});

inEachEngine(({ open }) => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());

  test('connects, talks both ways, is cut, resumes, and hears all once; after close() it is gone', async () => {
    const { url, server, proxy, notes, sessions } = await place(script);
    const look = () => visitor.read<Seen>(SEEN);
    await visitor.goTo(url);
    await eventually(async () => (await look()).state).toMatchObject({ status: 'connected', userId: 'ada' });
    await eventually(() => notes).toEqual([0]);
    const [session] = sessions;
    if (!session) throw new Error('nobody has come');
    expect(await session.request('double', 21)).toBe(42);
    await visitor.read(`void client.request('add', [1, 2]).then((sum) => { seen.sum = sum; })`);
    await eventually(async () => (await look()).sum).toBe(3);
    await eventually(() => [...session.rooms]).toEqual(['lobby']);

    await visitor.read(`void (seen.timer = setInterval(() => {
      for (let n = 0; n < 5; n++) client.send('note', seen.sent = (seen.sent ?? 0) + 1);
      if (seen.sent === 200) clearInterval(seen.timer);
    }, 10))`);
    for (let n = 1; n <= 200; n++) {
      session.send('tick', n).catch(() => undefined);
      void server.to('lobby').send('said', n);
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      if (n === 60) await proxy.cut({ how: 'reset' });
      if (n === 140) await proxy.cut({ how: 'end' });
    }
    await eventually(() => notes.length).toBeGreaterThanOrEqual(201);
    await eventually(async () => (await look()).heard.length).toBeGreaterThanOrEqual(200);
    await eventually(async () => (await look()).room.length).toBeGreaterThanOrEqual(200);
    const { state, errors, heard, room } = await look();
    expect([notes, heard, room]).toEqual([[0, ...upTo(200)], upTo(200), upTo(200)]);
    expect([errors, state]).toMatchObject([[], { status: 'connected', recovered: true }]);
    expect(sessions).toHaveLength(1);

    await visitor.read('void client.close()');
    await eventually(() => server.stats().sessions).toBe(0);
    await visitor.goTo('about:blank');
  });
});
