import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@holdfast/client';
import { createHoldfastServer, type Operations, type OperationsOptions } from '@holdfast/server';
import { prometheus } from '@holdfast/server/metrics';
import { expect, onTestFinished, test } from 'vitest';

const token = 'a-token-of-sixteen-or-more';
const secret = { headers: { Authorization: `Bearer ${token}` } };

/** An http server of an application that has these pages, and answers 404 to all else. */
async function site(pages: Operations): Promise<string> {
  const http = createServer((request, response) => {
    if (!pages(request, response)) response.writeHead(404).end('mine');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => ended(http));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

function ended(http: Server): Promise<void> {
  http.closeAllConnections();
  return new Promise((resolve) => http.close(() => resolve()));
}

async function opened(options: OperationsOptions = {}, failed: unknown[] = []) {
  const server = createHoldfastServer();
  server.onError((error, where) => failed.push([where.name, (error as Error).message]));
  onTestFinished(() => server.close());
  return { server, url: await site(server.operations(options)) };
}

test('listen() serves /health and /ready, and nothing else but WebSockets', async () => {
  const server = createHoldfastServer();
  onTestFinished(() => server.close());
  const { port } = await server.listen(0, '127.0.0.1');
  const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect(await Promise.all(['/health', '/ready', '/stats', '/metrics', '/'].map(statusOf))).toEqual([
    200, 200, 426, 426, 426,
  ]);
});

test('a page is answered as HTTP wants it', async () => {
  const { url } = await opened();
  const response = await fetch(`${url}/health?probe=1`);
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  const head = await fetch(`${url}/ready`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '19', '']);
  const post = await fetch(`${url}/health`, { method: 'POST', body: 'x' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await (await fetch(`${url}/healthy`)).text()).toBe('mine');
});

test('a page is known in absolute form, too (RFC 9112, section 3.2.2)', async () => {
  const { url } = await opened();
  const statusOf = async (target: string): Promise<unknown> => {
    const asked = get(url, { path: target });
    const [{ statusCode }] = (await once(asked, 'response')) as [{ statusCode: number }];
    asked.destroy();
    return statusCode;
  };
  expect(await statusOf('http://example.com/health?probe=1')).toBe(200);
  expect(await statusOf('http://example.com/mine/health')).toBe(404);
  expect(await statusOf('http://example.com')).toBe(404);
});

test('while it drains it is alive and not ready', async () => {
  const { server, url } = await opened();
  const { port } = await server.listen(0, '127.0.0.1');
  const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, reconnect: { baseMs: 60_000 } });
  await client.connect();
  const drained = server.drain({ deadlineMs: 10_000 });
  const ready = await fetch(`${url}/ready`);
  expect([ready.status, ready.headers.get('retry-after'), await ready.json()]).toEqual([
    503,
    '1',
    { status: 'draining' },
  ]);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await client.close();
  await drained;
});

test('/stats and /metrics are not there unless somebody is allowed to read them', async () => {
  const { url } = await opened();
  for (const path of ['/stats', '/metrics']) expect((await fetch(url + path, secret)).status).toBe(404);
});

test('with a token, only for who brings it', async () => {
  const metrics = prometheus();
  const server = createHoldfastServer({ observe: metrics });
  const url = await site(server.operations({ allow: token, metrics }));
  for (const path of ['/stats', '/metrics']) {
    const without = await fetch(url + path);
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    for (const wrong of [`Bearer ${token}x`, `Bearer x${token}`, `Basic ${token}`, 'Bearer', token]) {
      expect((await fetch(url + path, { headers: { Authorization: wrong } })).status).toBe(401);
    }
    expect(await without.text()).not.toContain('connections');
  }
  const stats = await fetch(`${url}/stats`, secret);
  expect(await stats.json()).toEqual(server.stats());
  const scrape = await fetch(`${url}/metrics`, secret);
  expect(scrape.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await scrape.text()).toContain('\nholdfast_connections 0\n');
});

test('with a function, for whom it says true, at once or later; what it throws is reported', async () => {
  const failed: unknown[] = [];
  const allow: OperationsOptions['allow'] = ({ headers }) => {
    if (headers['x-throw'] === 'now') throw new Error('broken');
    if (headers['x-throw']) return Promise.reject(new Error('broken later'));
    if (headers['x-who'] === 'forgot') return undefined as never;
    return headers['x-who'] === 'later' ? Promise.resolve(true) : headers['x-who'] === 'ops';
  };
  const { url } = await opened({ allow }, failed);
  const get = async (headers: Record<string, string>) => (await fetch(`${url}/stats`, { headers })).status;
  expect(await get({ 'x-who': 'ops' })).toBe(200);
  expect(await get({ 'x-who': 'later' })).toBe(200);
  expect(await get({ 'x-who': 'me' })).toBe(403);
  expect(await get({ 'x-who': 'forgot' })).toBe(403);
  expect(await get({ 'x-throw': 'now' })).toBe(500);
  expect(await get({ 'x-throw': 'later' })).toBe(500);
  expect(failed).toEqual([
    ['operations', 'broken'],
    ['operations', 'broken later'],
  ]);
});

test('a page that comes when somebody else has answered, as a timeout does, is let go', async () => {
  const failed: unknown[] = [];
  const { server } = await opened({}, failed);
  let asked = (): void => undefined;
  const late = new Promise<boolean>((resolve) => {
    asked = () => resolve(true);
  });
  const pages = server.operations({ allow: () => late });
  const url = await site((request, response) => {
    const isOurs = pages(request, response);
    if (isOurs) response.writeHead(504).end(() => asked());
    return isOurs;
  });
  expect((await fetch(`${url}/stats`)).status).toBe(504);
  await late;
  // Until what came of it has been told: an unhandled rejection would end the process.
  await new Promise((resolve) => setImmediate(resolve));
  expect(failed).toEqual([]);
});

test('beside other handlers it passes on what is not its own', () => {
  const pages = createHoldfastServer().operations();
  const passed: string[] = [];
  const next = () => passed.push('next');
  expect(pages({ url: '/app', method: 'GET' } as never, {} as never, next)).toBe(false);
  expect(passed).toEqual(['next']);
});

test('misuse is told where it happens, without the token', () => {
  const refused = (options: unknown) => () => createHoldfastServer().operations(options as OperationsOptions);
  expect(refused({ metrics: prometheus() })).toThrow('metrics needs allow, which says who may read them');
  expect(refused({ allow: 'short' })).toThrow('allow must be a function or a token of 16 characters');
  expect(refused({ allow: true })).toThrow('allow must be a function');
  expect(refused({ allow: token, metrics: {} })).toThrow('metrics must be prometheus()');
  expect(refused({ path: '/ops' })).toThrow("unknown option 'path'");
});
