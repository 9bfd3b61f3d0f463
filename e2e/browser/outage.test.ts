import type { Browser, BrowserContext } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, launchBrowser, Tab } from '../support/pages.js';
import { Playground } from '../support/processes.js';

let browser: Browser;
let playground: Playground;
let context: BrowserContext;
const tabs: Tab[] = [];

async function open(query: string): Promise<Tab> {
  const tab = await Tab.open(context, playground.url, query);
  tabs.push(tab);
  return tab;
}

async function twoTabs(room: string): Promise<readonly [Tab, Tab]> {
  const ada = await open(`name=Ada&room=${room}`);
  const grace = await open(`name=Grace&room=${room}`);
  for (const tab of [ada, grace]) {
    await eventually(async () => (await tab.members()).join()).toMatch(/Ada.*Grace/);
  }
  return [ada, grace];
}

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  [context, playground] = await Promise.all([browser.newContext(), Playground.start()]);
});
afterEach(async () => {
  const noises = tabs.splice(0).flatMap((tab) => tab.noises);
  await context.close();
  await playground.kill();
  expect(noises).toEqual([]);
});

test('the server dies and comes back: both tabs return, and what was written meanwhile arrives once', async () => {
  const [ada, grace] = await twoTabs('lobby');
  await ada.say('before');
  await grace.hears('before');
  await playground.kill();
  await Promise.all([ada.is('waiting'), grace.is('waiting')]);
  for (const n of [1, 2, 3]) {
    await ada.say(`Ada ${n}`);
    await grace.say(`Grace ${n}`);
  }
  expect(await ada.own('Ada 3').getAttribute('data-fate')).toBe('waiting');
  expect(await ada.page.locator('#outbox-waiting').textContent()).toBe('3');
  await playground.startAgain();
  for (const tab of [ada, grace]) await tab.isIn('lobby');
  for (const n of [1, 2, 3]) {
    await ada.hasFate(`Ada ${n}`, 'acknowledged');
    await grace.hasFate(`Grace ${n}`, 'acknowledged');
  }
  await ada.say('after');
  await grace.hears('after');
  await grace.say('after, too');
  await ada.hears('after, too');
  const said = (texts: readonly string[]) => texts.filter((text) => /^(Ada|Grace) \d$/.test(text));
  expect(said(await grace.heard())).toEqual(['Ada 1', 'Ada 2', 'Ada 3']);
  expect(said(await ada.heard())).toEqual(['Grace 1', 'Grace 2', 'Grace 3']);
  await eventually(async () => (await ada.members()).join()).toMatch(/Ada.*Grace.*Limpet/);
  // Each transition once, however often the round-trip time is measured.
  await eventually(() => ada.page.locator('#rtt').textContent()).toMatch(/ms/);
  const sessions = await ada.page
    .locator('#logbook .what', { hasText: 'connected: session' })
    .allTextContents();
  expect(sessions).toHaveLength(new Set(sessions).size);
});

test('what was on the wire when the server died is unknown, and Resend delivers it once', async () => {
  const [ada, grace] = await twoTabs('reef');
  playground.freeze();
  await ada.say('under way');
  await ada.hasFate('under way', 'on-the-wire');
  await playground.kill();
  await ada.is('waiting');
  await ada.say('while away');
  await playground.startAgain();
  await ada.hasFate('under way', 'unknown');
  await ada.hasFate('while away', 'acknowledged');
  await eventually(() => ada.page.locator('.notice[data-tone="warning"]').allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/1 message of yours was on the wire/)]),
  );
  await grace.isIn('reef');
  expect(await grace.heard()).not.toContain('under way');
  await ada.own('under way').getByRole('button', { name: 'Resend: under way' }).click();
  await ada.hasFate('under way', 'acknowledged');
  expect(await ada.own('under way').getByRole('button').count()).toBe(0);
  await ada.say('the end');
  await grace.hears('the end');
  expect((await grace.heard()).filter((text) => text === 'under way')).toEqual(['under way']);
});

test('Disconnect and Connect: an outage of one’s own', async () => {
  const [ada, grace] = await twoTabs('cove');
  await ada.page.getByRole('button', { name: 'Disconnect' }).click();
  await ada.is('idle');
  await eventually(async () => (await grace.members()).join()).not.toMatch(/Ada/);
  await ada.say('from the outbox');
  expect(await ada.own('from the outbox').getAttribute('data-fate')).toBe('waiting');
  await ada.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await ada.hasFate('from the outbox', 'acknowledged');
  await grace.hears('from the outbox');
  await eventually(async () => (await grace.members()).join()).toMatch(/Ada/);
});

test('while it waits, the page counts down to the next attempt and lets one try at once', async () => {
  const [ada] = await twoTabs('cape');
  await playground.kill();
  await ada.is('waiting');
  await eventually(() => ada.page.locator('#ring-text').textContent()).toMatch(/^\d+(\.\d)? s$/);
  await eventually(() => ada.page.locator('#attempt').textContent()).toMatch(/^[3-9]$/);
  await playground.startAgain();
  await ada.page
    .getByRole('button', { name: /Try now|Connect/ })
    .click({ timeout: 5000 })
    .catch(() => undefined);
  await ada.isIn('cape');
  expect(await ada.page.locator('#logbook li').count()).toBeGreaterThan(4);
  expect(await ada.page.locator('#logbook').textContent()).toContain('ERR_DIAL_FAILED');
});

test('a line says why it is so and what comes next, also where the connection is only in doubt', async () => {
  const ada = await open('name=Ada&room=why');
  await ada.isIn('why');
  const why = () => ada.page.locator('#state-why').textContent();
  await eventually(why).toMatch(/^Connected for .* as 'Ada' .*; a ping /);
  playground.freeze();
  await eventually(why).toMatch(/in doubt: unless the server answers a ping within/);
  expect(await ada.status.getAttribute('data-health')).toBe('suspect');
  await playground.kill();
  await eventually(why).toMatch(/^Waiting \d.* for attempt \d+, because .* \[ERR_/);
  expect(await ada.status.getAttribute('data-health')).toBe('');
  await ada.page.getByRole('button', { name: 'Disconnect' }).click();
  await eventually(why).toBe('Down since disconnect() was called, until connect().');
});
