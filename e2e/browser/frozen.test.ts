import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/examples.js';
import { eventually, launchBrowser } from '../support/pages.js';
import { SEEN, type Seen, Site } from '../support/site.js';

// What only Chromium lets us do to a page: freeze it, as the system does to one that nobody looks at.

let browser: Browser;
let own: Browser;
let context: BrowserContext;
let page: Page;
let site: Site;
const look = () => page.evaluate<Seen>(SEEN);
const heard = async () => (await look()).heard;
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** What is looked at is never frozen, so another tab comes to the front first. */
async function freeze(): Promise<() => Promise<unknown>> {
  await (await context.newPage()).bringToFront();
  await eventually(() => page.evaluate('document.visibilityState')).toBe('hidden');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  return () => devtools.send('Page.setWebLifecycleState', { state: 'active' });
}

beforeAll(async () => {
  const port = await freePort();
  browser = await launchBrowser({ args: [`--remote-debugging-port=${port}`] });
  // By itself Playwright makes every page believe that it is looked at.
  own = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  const [first] = own.contexts();
  if (!first) throw new Error('Chromium has no window');
  context = first;
});
afterAll(async () => {
  await own?.close();
  await browser?.close();
});
beforeEach(async () => {
  [site, page] = await Promise.all([Site.open(), context.newPage()]);
  await page.goto(site.url);
  await eventually(async () => (await look()).state.status).toBe('connected');
});
afterEach(async () => {
  for (const one of context.pages()) await one.close();
  await site.close();
});

describe('a page that is frozen', () => {
  test('lets its socket go and keeps its session: after the thaw all arrives once, without an error', async () => {
    const before = await look();
    site.tell(1, 20);
    await eventually(heard).toEqual(upTo(20));
    const thaw = await freeze();
    await site.has('detached 1000');
    site.tell(21, 120);
    expect(site.server.stats()).toMatchObject({ sessions: 1, connections: 0 });
    await thaw();
    await eventually(heard).toEqual(upTo(120));
    // Said in the page's own listener of the freeze: kept, and sent once.
    await eventually(() => site.notes).toEqual(['while it freezes']);
    const { state, errors } = await look();
    expect(errors).toEqual([]);
    expect(state).toMatchObject({
      status: 'connected',
      recovered: true,
      sessionId: before.state.sessionId,
    });
    expect(site.events).toEqual(['attached', 'detached 1000', 'recovered']);
  });

  test('five times in a row: one session, nothing lost, nothing doubled', async () => {
    for (let round = 0; round < 5; round++) {
      const thaw = await freeze();
      site.tell(round * 10 + 1, round * 10 + 10);
      await thaw();
    }
    await eventually(heard).toEqual(upTo(50));
    await eventually(() => site.notes.length).toBe(5);
    expect((await look()).errors).toEqual([]);
    expect(site.sessions).toHaveLength(1);
  });
});

describe('a page that is really left', () => {
  test.each([
    ['for another one', () => page.goto(`${site.url}/elsewhere`)],
    ['because it is loaded anew', () => page.reload()],
    ['because its tab is closed', () => page.close({ runBeforeUnload: true })],
  ])('%s: its session ends at once', async (_how, leave) => {
    await leave();
    await site.has('closed');
    expect(site.events.filter((event) => event !== 'attached')).toEqual(['detached 1000', 'closed']);
  });
});
