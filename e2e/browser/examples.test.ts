import { createClient } from '@holdfast/client';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort, startExample } from '../support/examples.js';
import { eventually, launchBrowser } from '../support/pages.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function started(name: string, env: Record<string, string> = {}) {
  const example = await startExample(name, { PORT: String(await freePort()), ...env });
  onTestFinished(() => void example.child.kill('SIGKILL'));
  return example;
}

async function opened(url: string, mistakes: string[] = []): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  page.on('pageerror', (error) => mistakes.push(error.message));
  await page.goto(url);
  return page;
}

/** As a browser tells its pages: how long they wait before they try again would be left to the dice, up to 30 s. */
async function networkIsBack(...pages: readonly Page[]): Promise<void> {
  for (const page of pages) await page.evaluate(() => window.dispatchEvent(new Event('online')));
}

test('the script tag: two windows chat; what is said while the server is down arrives when it is back', async () => {
  const port = String(await freePort());
  const mistakes: string[] = [];
  const { url, stop } = await started('script-tag', { PORT: port });
  const ada = await opened(`${url}?name=ada`, mistakes);
  const bob = await opened(`${url}?name=bob`, mistakes);
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

  expect(await stop()).toBe(0);
  await eventually(() => ada.getByRole('status').textContent()).toContain('what you say is kept');
  await say('still there?');
  await eventually(() => ada.getByRole('listitem').last().textContent()).toBe('ada: still there? sending');
  await started('script-tag', { PORT: port });
  await networkIsBack(ada, bob);
  await eventually(heard).toEqual(['ada: ahoy ', 'ada: still there? ']);
  await eventually(() => ada.getByRole('listitem').last().textContent()).toBe('ada: still there? ✓');
  expect(mistakes).toEqual([]);
});

test('React: two windows chat in rooms; the list of rooms is a query; what is said while the server is down arrives', async () => {
  const port = String(await freePort());
  const mistakes: string[] = [];
  const { url, stop } = await started('react-chat', { PORT: port });
  const ada = await opened(`${url}?name=ada`, mistakes);
  const bob = await opened(`${url}?name=bob`, mistakes);
  await eventually(() => bob.locator('.members').textContent()).toBe('adabob');
  const lines = (page: Page) => page.locator('li[class], li:has(b)').allTextContents();
  const say = async (page: Page, text: string) => {
    await page.getByLabel('Message').fill(text);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
  };
  await ada.getByLabel('Message').fill('a');
  await eventually(() => bob.locator('.typing').textContent()).toBe('ada …');
  await say(ada, 'ahoy');
  await eventually(() => lines(bob)).toEqual(['ada ahoy ']);
  await eventually(() => lines(ada)).toEqual(['ada ahoy ✓']);
  await eventually(() => bob.getByRole('navigation').textContent()).toBe('lobby 1kitchen 0garden 0');

  // Another room: the socket stays, and who comes later reads what was said.
  await ada.getByRole('button', { name: /kitchen/ }).click();
  await eventually(() => bob.locator('.members').textContent()).toBe('bob');
  await say(ada, 'tea?');
  await bob.getByRole('button', { name: /kitchen/ }).click();
  await eventually(() => lines(bob)).toEqual(['ada tea? ']);
  // One's own words do not come back from the server.
  await ada.getByRole('button', { name: /lobby/ }).click();
  await eventually(() => lines(ada)).toEqual(['ada ahoy ✓']);
  await ada.getByRole('button', { name: /kitchen/ }).click();
  await eventually(() => lines(ada)).toEqual(['ada tea? ✓']);
  const nameless = await opened(`${url}?name=`, mistakes);
  await eventually(() => nameless.getByRole('status').textContent()).toMatch(/^You are guest-\d+$/);
  await nameless.close();

  expect(await stop()).toBe(0);
  await eventually(() => ada.getByRole('status').textContent()).toContain('Attempt');
  await say(ada, 'still there?');
  await eventually(() => ada.getByRole('status').textContent()).toContain('1 waiting');
  await started('react-chat', { PORT: port });
  await ada
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 1_000 })
    .catch(() => undefined);
  await networkIsBack(bob);
  await eventually(() => lines(bob)).toEqual(['ada tea? ', 'ada still there? ']);
  await eventually(() => lines(ada)).toEqual(['ada tea? ✓', 'ada still there? ✓']);
  expect(mistakes).toEqual([]);
});

test('Vue: a dashboard shows a minute at once, follows one machine, and hears each alert', async () => {
  const mistakes: string[] = [];
  const { url, stop } = await started('vue-dashboard');
  const page = await opened(url, mistakes);
  await eventually(() => page.locator('#load').textContent()).toMatch(/^\d+ %/);
  const phone = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await phone.addInitScript(() => {
    const draw = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
      document.documentElement.dataset['drawn'] =
        `${document.documentElement.dataset['drawn'] ?? ''}${text} `;
      draw.call(this, text, ...place);
    };
  });
  await phone.goto(url);
  const drawn = () => phone.locator('html').getAttribute('data-drawn');
  await eventually(drawn).toMatch(/:\d\d /);
  // Dates lie one upon the other where the page is narrow.
  expect(await drawn()).toMatch(/^((\d\d:\d\d|\d+) )+$/);
  await phone.close();
  await eventually(() => page.getByRole('status').textContent()).toContain('connected');
  expect(await page.locator('canvas').count()).toBe(1);
  await page.getByRole('button', { name: 'cyd' }).click();
  await eventually(() => page.getByRole('button', { pressed: true }).allTextContents()).toEqual(['cyd']);
  await eventually(() => page.locator('#load').textContent()).toMatch(/^\d+ %/);
  // The one that is shown already: nothing comes anew, and nothing may go.
  await page.getByRole('button', { name: 'cyd' }).click();
  expect(await page.locator('#load').textContent()).toMatch(/^\d+ %/);
  // Each of three passes 90 every 13 s.
  await eventually(() => page.getByRole('log').textContent()).toMatch(/: 9\d %/);
  expect(await stop()).toBe(0);
  expect(mistakes).toEqual([]);
});

test('a worker: the page is busy for three seconds, and no number is missed', async () => {
  const { url, stop } = await started('worker');
  const page = await opened(url);
  const number = async (id: string) => Number(await page.locator(`#${id}`).textContent());
  await eventually(() => number('heard')).toBeGreaterThan(3);
  await page.getByRole('button').click();
  const before = await number('heard');
  await eventually(() => number('heard')).toBeGreaterThan(before + 5);
  expect(await number('wrong')).toBe(0);
  expect(await page.getByRole('status').textContent()).toBe('connected');
  expect(await stop()).toBe(0);
});

test('Express with a login: tokens run out, the connection does not', async () => {
  const { url, stop } = await started('express-jwt', { TOKEN_SECONDS: '2' });
  const page = await opened(url);
  const happened = () => page.getByRole('listitem').allTextContents();
  await eventually(() => page.getByRole('status').textContent()).toBe('needs-auth: log-in-first');
  expect(await page.getByText('Name', { exact: true }).isVisible()).toBe(true);
  await page.getByLabel('Name').fill('nobody else');
  await page.getByRole('button', { name: 'Log in' }).click();
  await eventually(() => page.getByRole('status').textContent()).toBe('a name has 1 to 32 letters');
  await logIn(page, 'ada');
  await eventually(happened).toEqual(expect.arrayContaining(['token 1: connect', 'token 3: expiring']));
  expect(await page.getByRole('status').textContent()).toBe('You are ada');
  expect(await stop()).toBe(0);
});

test('Express with a login: logging out counts for all tabs, other devices and tokens that are out; then somebody else', async () => {
  const { url, stop } = await started('express-jwt');
  const [here, elsewhere] = [await browser.newContext(), await browser.newContext()];
  onTestFinished(() => Promise.all([here.close(), elsewhere.close()]).then(() => undefined));
  const [page, other, device] = [await here.newPage(), await here.newPage(), await elsewhere.newPage()];
  await page.goto(url);
  await logIn(page, 'ada');
  // The same login in another tab of the same browser, and one of its own.
  await other.goto(url);
  await eventually(() => other.getByRole('status').textContent()).toBe('You are ada');
  await device.goto(url);
  await logIn(device, 'ada');
  const stolen = await (await elsewhere.request.get(`${url}token`)).text();

  await page.getByRole('button', { name: 'Log out everywhere' }).click();
  for (const tab of [page, other, device])
    await eventually(() => tab.getByRole('status').textContent()).toContain('logged out');
  expect(await page.getByLabel('Name').isVisible()).toBe(true);
  await device.reload();
  await eventually(() => device.getByRole('status').textContent()).toContain('needs-auth');
  const thief = createClient({ url: `${url}realtime`, auth: stolen });
  onTestFinished(() => thief.close());
  await expect(thief.connect()).rejects.toMatchObject({ reason: 'token-revoked' });
  await logIn(page, 'bob');
  expect(await stop()).toBe(0);
});

async function logIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Log in' }).click();
  await eventually(() => page.getByRole('status').textContent()).toBe(`You are ${name}`);
}
