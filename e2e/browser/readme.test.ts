import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { example } from '../support/examples.js';
import { eventually, launchBrowser } from '../support/pages.js';

const script = fileURLToPath(new URL('../../packages/client/dist/holdfast.global.js', import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('the page of the README: one script tag, no build', async () => {
  const http = createServer((request, response) => {
    const isScript = request.url === '/holdfast.global.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? readFileSync(script) : example('page.html'));
  });
  const server = createHoldfastServer({ auth: (token) => ({ user: { id: token ?? 'guest' } }) }).attach(http);
  server.rooms('chat:*', { join: true, publish: true });
  const sessions: ServerSession[] = [];
  server.onSession((session) => {
    sessions.push(session);
    session.send('welcome', { you: session.user.id }); // as the server of the README does
  });
  const said: unknown[] = [];
  server.on('message', (payload, { from, room }) => said.push([from, room, payload]));
  await new Promise<void>((resolve) => http.listen(0, resolve));
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  try {
    await page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`);
    await eventually(() => page.title()).toBe('connected');
    await eventually(() => sessions[0]?.rooms.size).toBe(1);
    await page.getByLabel('Message').fill('ahoy');
    await page.getByRole('button', { name: 'Send' }).click();
    await eventually(() => page.locator('li').allTextContents()).toEqual(['welcome, grace', 'me: ahoy', '✓']);
    expect(said).toEqual([['grace', 'chat:lobby', { text: 'ahoy' }]]);
    await server.to('chat:lobby').send('message', { text: 'ahoy yourself' }, { id: 'answer' });
    await eventually(() => page.locator('li').last().textContent()).toBe('undefined: ahoy yourself');
    expect(complaints).toEqual([]);
  } finally {
    await page.close();
    await server.close();
    http.close();
  }
});
