import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer } from '@holdfast/server';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { chat } from '../samples/chat-contract.js';
import { bundlePage } from '../support/bundle.js';
import { eventually, launchBrowser } from '../support/pages.js';

// Programs of pages as applications write them: they compile, and do what they say.

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const samples = fileURLToPath(new URL('../samples', import.meta.url));

const bundled = (code: string): Promise<string> =>
  bundlePage({ stdin: { contents: code, resolveDir: samples, loader: 'tsx' } });

/** A server that gives every page the token `ada`, and a page that runs this code. */
async function opened(code: string, files: Record<string, string> = {}) {
  const script = await bundled(code);
  const texts: Record<string, string> = { '/main.js': script, '/token': 'ada', ...files };
  const http = createServer((request, response) => {
    const text = texts[request.url ?? ''];
    response.setHeader('Content-Type', request.url?.endsWith('.js') ? 'text/javascript' : 'text/html');
    response.end(text ?? '<!doctype html><div id="app"></div><script type="module" src="/main.js"></script>');
  });
  await new Promise<void>((resolve) => http.listen(0, resolve));
  const page = await browser.newPage();
  const mistakes: string[] = [];
  page.on('pageerror', (error) => mistakes.push(error.message));
  onTestFinished(async () => {
    await page.close();
    http.close();
    expect(mistakes).toEqual([]);
  });
  return { http, page, load: () => page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`) };
}

function chatServer(http: ReturnType<typeof createServer>) {
  const server = createHoldfastServer({
    contract: chat,
    auth: (token) => ({ user: { id: token ?? 'guest', role: 'user' as const } }),
  }).attach(http);
  server.rooms('chat:*', { join: true, publish: true, presence: true });
  server.handle('history', ({ room }) => [{ id: 'h1', text: `first in ${room}`, from: 'bob' }]);
  onTestFinished(() => server.close());
  return server;
}

test('a chat in React', async () => {
  const mount = `
    import { createRoot } from 'react-dom/client';
    import { App } from './react-chat.tsx';
    createRoot(document.getElementById('app')).render(<App />);`;
  const { http, page, load } = await opened(mount);
  const server = chatServer(http);
  await load();
  const lines = () => page.locator('li').allTextContents();
  await eventually(lines).toEqual(['bob: first in chat:lobby ']);
  await eventually(() => page.locator('p').last().textContent()).toBe('ada (online, 1);  typing');
  await page.locator('input').fill('ahoy');
  await page.locator('input').press('Enter');
  await eventually(lines).toEqual(['bob: first in chat:lobby ', ': ahoy ']);
  await server.to('chat:lobby').send('message', { text: 'hello, all' });
  await eventually(lines).toEqual(['bob: first in chat:lobby ', ': ahoy ', ': hello, all ']);
});

test('a dashboard in Vue', async () => {
  const { http, page, load } = await opened("import './vue-dashboard.ts';");
  const server = createHoldfastServer().attach(http);
  onTestFinished(() => server.close());
  server.rooms('node:*', { join: true });
  server.handle('nodes', () => ['node-1']);
  await load();
  await eventually(() => page.locator('#app').textContent()).toMatch(/^up, rtt .*joined$/);
  await server.to('node:node-1').send('cpu', { node: 'node-1', percent: 12.345 });
  await eventually(() => page.locator('#app').textContent()).toMatch(/joined12\.3$/);
});

test('a worker', async () => {
  const watch = `
    const worker = new Worker('/worker.js', { type: 'module' });
    const said = (globalThis.said = []);
    worker.onmessage = ({ data }) => said.push(data);
    worker.postMessage('ada');
    globalThis.draft = (text) => worker.postMessage({ text });`;
  const { http, page, load } = await opened(watch, { '/worker.js': await bundled("import './worker.ts';") });
  const server = chatServer(http);
  const drafts: unknown[] = [];
  server.on('message', (payload, { from }) => void drafts.push([from, payload]));
  await load();
  const said = () => page.evaluate('said.map(({ state }) => state?.status)');
  await eventually(said).toContain('connected');
  await page.evaluate('draft("of a letter")');
  await eventually(() => drafts).toEqual([['ada', { text: 'of a letter' }]]);
});
