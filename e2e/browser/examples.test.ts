import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/examples.js';
import { eventually, launchBrowser } from '../support/pages.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** An example, started as its reader starts it. */
async function started(name: string, port: number): Promise<ChildProcess> {
  const program = fileURLToPath(new URL(`../../examples/${name}/main.mjs`, import.meta.url));
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString()).toBe(`http://localhost:${port}\n`);
  return child;
}

async function opened(url: string, mistakes: string[]): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  page.on('pageerror', (error) => mistakes.push(error.message));
  await page.goto(url);
  return page;
}

test('the script tag: two windows chat; what is said while the server is down arrives when it is back', async () => {
  const port = await freePort();
  const mistakes: string[] = [];
  const server = await started('script-tag', port);
  const ada = await opened(`http://localhost:${port}/?name=ada`, mistakes);
  const bob = await opened(`http://localhost:${port}/?name=bob`, mistakes);
  for (const page of [ada, bob])
    await eventually(() => page.getByRole('status').textContent()).toContain('ada, bob');
  const say = async (text: string) => {
    await ada.getByLabel('Message').fill(text);
    await ada.getByRole('button', { name: 'Send' }).click();
  };
  const heard = () => bob.getByRole('listitem').allTextContents();
  await say('ahoy');
  await eventually(heard).toEqual(['ada: ahoy ']);
  await eventually(() => ada.getByRole('listitem').allTextContents()).toEqual(['ada: ahoy ✓']);

  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  expect(code).toBe(0);
  await eventually(() => ada.getByRole('status').textContent()).toContain('what you say is kept');
  await say('still there?');
  await eventually(() => ada.getByRole('listitem').last().textContent()).toBe('ada: still there? sending');
  await started('script-tag', port);
  await eventually(heard).toEqual(['ada: ahoy ', 'ada: still there? ']);
  await eventually(() => ada.getByRole('listitem').last().textContent()).toBe('ada: still there? ✓');
  expect(mistakes).toEqual([]);
});
