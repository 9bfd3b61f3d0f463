import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright';
import { expect } from 'vitest';
import { DEADLINE_MS } from './processes.js';

/** `keepsPages`: with the back/forward cache, which Playwright switches off. */
export function launchBrowser({ keepsPages = false, args = [] as readonly string[] } = {}): Promise<Browser> {
  return chromium.launch({
    ...(keepsPages ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {}),
    executablePath: process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-quic',
      '--no-first-run',
      ...args,
    ],
  });
}

type Fate = 'waiting' | 'on-the-wire' | 'acknowledged' | 'unknown' | 'rejected' | 'unsent';

/** Waits for a condition; the value it had last stands in the failure. */
export const eventually = <T>(look: () => T | Promise<T>) =>
  expect.poll(look, { timeout: DEADLINE_MS, interval: 30 });

/** One tab of the playground, as its visitor sees it. */
export class Tab {
  readonly page: Page;
  readonly #noises: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.#noises.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      const isNoise = message.type() === 'error' || message.type() === 'warning';
      if (isNoise) this.#noises.push(message.text());
    });
  }

  /** `query` as in the address: `name=Ada&room=reef`. */
  static async open(context: BrowserContext, url: string, query: string): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.goto(`${url}/?${query}`);
    return tab;
  }

  /** What the console complained about; a server that is not there makes the browser itself complain. */
  get noises(): readonly string[] {
    return this.#noises.filter(
      (text) => !/WebSocket connection to .* failed|ERR_CONNECTION_(REFUSED|RESET)/.test(text),
    );
  }

  get status(): Locator {
    return this.page.locator('#link');
  }

  /** Waits for a state of the drawing: `connected`, `waiting`, … */
  async is(status: string): Promise<void> {
    await eventually(() => this.status.getAttribute('data-status')).toBe(status);
  }

  /** Waits until the room that is shown has been joined. */
  async isIn(room: string): Promise<void> {
    await eventually(() => this.page.locator('#room-title').textContent()).toBe(room);
    await this.is('connected');
    await eventually(() => this.members()).not.toEqual([]);
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  own(text: string): Locator {
    return this.page.locator('.message.own').filter({ has: this.page.getByText(text, { exact: true }) });
  }

  async hasFate(text: string, fate: Fate): Promise<void> {
    await eventually(() => this.own(text).getAttribute('data-fate')).toBe(fate);
  }

  /** What was said by others, in the order in which it stands here. */
  heard(): Promise<string[]> {
    return this.page.locator('.message:not(.own) .text').allTextContents();
  }

  async hears(text: string): Promise<void> {
    await eventually(() => this.heard()).toContain(text);
  }

  /** `Ada (you), 1 session`, …: read at once, since somebody who leaves takes an entry away. */
  members(): Promise<string[]> {
    return this.page
      .locator('#people li[data-user]')
      .evaluateAll((items) =>
        items.map((item) =>
          ['.person', '.sessions'].map((part) => item.querySelector(part)?.textContent).join(', '),
        ),
      );
  }
}
