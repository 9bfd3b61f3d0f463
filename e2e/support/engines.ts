import { existsSync } from 'node:fs';
import { type Browser, firefox, type Page } from 'playwright';
import { describe, test } from 'vitest';
import { launchBrowser } from './pages.js';
import type { Visitor } from './visitor.js';
import { startWebKit } from './webkit.js';

export interface Engine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKit';
  /** Its program is on this machine; `npm test` sees to it, or says what is missing. */
  readonly isThere: boolean;
  open(): Promise<Visitor>;
}

const programs = {
  firefox: process.env['HOLDFAST_FIREFOX'] ?? '/usr/bin/firefox-esr',
  chromium: process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium',
  webkit: process.env['HOLDFAST_WEBKIT'] ?? '/usr/bin/WebKitWebDriver',
  xvfb: process.env['HOLDFAST_XVFB'] ?? '/usr/bin/Xvfb',
};

async function visitorOf(browser: Browser): Promise<Visitor> {
  const context = await browser.newContext();
  const first = tabOf(await context.newPage());
  return { ...first, close: () => browser.close() };
}

function tabOf(page: Page): Visitor {
  return {
    goTo: async (url) => void (await page.goto(url)),
    // Not `page.goBack()`, which waits in Firefox for a load that the back/forward cache makes needless.
    back: async () => void (await page.evaluate('void setTimeout(() => history.back(), 0)')),
    read: (expression) => page.evaluate(expression),
    newTab: async () => tabOf(await page.context().newPage()),
    close: () => page.close(),
  };
}

const engines: readonly Engine[] = [
  {
    name: 'Chromium',
    isThere: existsSync(programs.chromium),
    open: async () => visitorOf(await launchBrowser({ keepsPages: true })),
  },
  {
    name: 'Firefox',
    isThere: existsSync(programs.firefox),
    open: async () =>
      visitorOf(await firefox.launch({ channel: 'moz-firefox', executablePath: programs.firefox })),
  },
  {
    name: 'WebKit',
    isThere: existsSync(programs.webkit) && existsSync(programs.xvfb),
    open: () => startWebKit(programs.webkit, programs.xvfb),
  },
];

export const isThere = (name: Engine['name']): boolean =>
  engines.some((one) => one.name === name && one.isThere);

/** The tests that `tell` adds, in each engine; of one that is not on this machine, that it is not. */
export function inEachEngine(tell: (engine: Engine) => void): void {
  describe.each(engines)('$name', (engine: Engine) => {
    if (engine.isThere) tell(engine);
    else test.skip(`${engine.name} is not on this machine`, () => undefined);
  });
}
