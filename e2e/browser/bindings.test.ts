import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHoldfastServer } from '@holdfast/server';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundlePage } from '../support/bundle.js';
import { ExampleFolder, example } from '../support/examples.js';
import { eventually, launchBrowser } from '../support/pages.js';

let browser: Browser;
const folder = new ExampleFolder();
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  folder.remove();
  await browser.close();
});

/** A page with an example of the README, bundled as an application's build would do it, and a server for it. */
async function opened(name: string) {
  const script = await bundlePage({ entryPoints: [folder.writeCode(name, example(name))] });
  const http = createServer((request, response) => {
    const isScript = request.url === '/main.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    const page = '<!doctype html><div id="app"></div><script type="module" src="/main.js"></script>';
    response.end(isScript ? script : page);
  });
  const server = createHoldfastServer({ auth: (token) => ({ user: { id: token ?? 'guest' } }) }).attach(http);
  server.rooms('*', { join: true, publish: true, presence: true });
  await new Promise<void>((resolve) => http.listen(0, resolve));
  const page = await browser.newPage();
  const mistakes: string[] = [];
  page.on('pageerror', (error) => mistakes.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url)) mistakes.push(message.text());
  });
  await page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`);
  return {
    ...{ server, page, mistakes },
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.close();
      http.close();
    },
  };
}

test('the chat of the README, in React', async () => {
  await using stage = await opened('chat.tsx');
  const { page, server, mistakes } = stage;
  const said: unknown[] = [];
  server.on('message', (payload, { from, room }) => said.push([from, room, payload]));
  await eventually(() => page.getByRole('status').textContent()).toBe('connected, 0 waiting, joined');
  await eventually(() => page.locator('main > p').nth(1).textContent()).toBe('grace');
  for (let count = 1; count <= 20; count++) server.to('chat:lobby').send('message', { text: `${count}` });
  await eventually(() => page.locator('li').count()).toBe(20);
  await page.getByLabel('Message').fill('ahoy');
  await page.getByRole('button', { name: 'Send' }).click();
  await eventually(() => page.locator('li').last().textContent()).toBe('me: ahoy');
  await eventually(() => said).toEqual([['grace', 'chat:lobby', { text: 'ahoy' }]]);
  expect(mistakes).toEqual([]);
});

test('the dashboard of the README, in Vue', async () => {
  await using stage = await opened('dashboard.ts');
  const { page, server, mistakes } = stage;
  await eventually(() => page.getByRole('status').textContent()).toBe('connected, joined');
  for (const percent of [10, 20, 30]) server.to('cpu:node-1').send('cpu', percent);
  await eventually(() => page.locator('#cpu').textContent()).toBe('node-1: 30 %');
  await page.getByRole('button', { name: 'node-2' }).click();
  await eventually(async () => (await server.to('cpu:node-2').sessions()).length).toBe(1);
  // The next one is joined before the last one is left.
  await eventually(() => server.to('cpu:node-1').sessions()).toEqual([]);
  await server.to('cpu:node-2').send('cpu', 5);
  await eventually(() => page.locator('#cpu').textContent()).toBe('node-2: 5 %');
  expect(mistakes).toEqual([]);
});
