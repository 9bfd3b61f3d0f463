import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, launchBrowser, Tab } from '../support/pages.js';
import { Playground } from '../support/processes.js';

const LONG_WORD = 'kelp'.repeat(60);

let browser: Browser;
let playground: Playground;

beforeAll(async () => {
  [browser, playground] = await Promise.all([launchBrowser(), Playground.start()]);
});
afterAll(async () => {
  await browser?.close();
  await playground?.kill();
});

/** A tab in which there is something of everything: messages of both sides, a rejected one, waiting ones. */
async function livelyTab(options: BrowserContextOptions, name: string): Promise<Tab> {
  const context = await browser.newContext(options);
  const tab = await Tab.open(context, playground.url, `name=${name}&room=notice-board`);
  await tab.isIn('notice-board');
  await tab.say('rejected here');
  await tab.hasFate('rejected here', 'rejected');
  await tab.page.getByLabel('Room to join').fill('lobby');
  await tab.page.getByLabel('Room to join').press('Enter');
  await tab.isIn('lobby');
  await tab.say('!echo what one says');
  await tab.hears('what one says');
  return tab;
}

async function disconnect(tab: Tab): Promise<void> {
  await tab.page.getByRole('button', { name: 'Disconnect' }).click();
  await tab.is('idle');
  await tab.say(LONG_WORD);
  await tab.hasFate(LONG_WORD, 'waiting');
}

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Texts whose contrast with what is behind them is below 4.5, computed as WCAG 2 says. */
function poorTexts(page: Page): Promise<{ checked: number; poor: string[] }> {
  return page.evaluate(() => {
    type Rgba = readonly [number, number, number, number];
    const canvas = document.createElement('canvas');
    canvas.width = 1;
    canvas.height = 1;
    const painter = canvas.getContext('2d', { willReadFrequently: true });
    if (!painter) throw new Error('no canvas');
    const colour = (css: string): Rgba => {
      painter.clearRect(0, 0, 1, 1);
      painter.fillStyle = css;
      painter.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = painter.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a]: Rgba, [R, G, B]: Rgba): Rgba => [
      r * a + R * (1 - a),
      g * a + G * (1 - a),
      b * a + B * (1 - a),
      1,
    ];
    /** What the text lies on; the drawing counts with the water that is behind its labels. */
    const grounds = (element: Element): Rgba[] => {
      if (element.closest('.scene-label')) {
        const style = getComputedStyle(element);
        return ['--air', '--water', '--water-deep'].map((name) => colour(style.getPropertyValue(name)));
      }
      const layers: Rgba[] = [];
      for (let at: Element | null = element; at; at = at.parentElement) {
        const layer = colour(getComputedStyle(at).backgroundColor);
        layers.push(layer);
        if (layer[3] === 1) break;
      }
      return [layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1] as Rgba)];
    };
    const luminance = (rgba: Rgba): number => {
      const [r = 0, g = 0, b = 0] = rgba.slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: Rgba, b: Rgba): number => {
      const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (high + 0.05) / (low + 0.05);
    };
    const poor: string[] = [];
    let checked = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim();
      if (!element || !text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        continue;
      if (element.closest('.visually-hidden, noscript, datalist')) continue;
      checked += 1;
      for (const ground of grounds(element)) {
        const value = contrast(over(colour(getComputedStyle(element).color), ground), ground);
        if (value < 4.5)
          poor.push(`${element.tagName}.${element.className} "${text.slice(0, 30)}": ${value.toFixed(2)}`);
      }
    }
    return { checked, poor };
  });
}

describe('on a phone, 360 pixels wide', () => {
  const phone: BrowserContextOptions = {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  };

  test('nothing is wider than the screen, with a connection and without', async () => {
    const tab = await livelyTab(phone, 'Phone');
    expect(await overflow(tab.page)).toBe(0);
    await disconnect(tab);
    expect(await overflow(tab.page)).toBe(0);
    expect(tab.noises).toEqual([]);
    await tab.page.context().close();
  });

  test('whatever can be touched is at least 44 pixels high and wide', async () => {
    const tab = await livelyTab(phone, 'Thumb');
    const small = await tab.page.locator('button, input, textarea').evaluateAll((elements) =>
      elements
        .filter((element) => element.checkVisibility())
        .map((element) => [element.id || element.textContent, element.getBoundingClientRect()] as const)
        .filter(([, { width, height }]) => width < 44 || height < 44)
        .map(([what, { width, height }]) => `${what}: ${width} x ${height}`),
    );
    expect(small).toEqual([]);
    await tab.page.context().close();
  });
});

describe.each(['light', 'dark'] as const)('in the %s', (colorScheme) => {
  test('every text can be read: its contrast is at least 4.5', async () => {
    const tab = await livelyTab({ colorScheme, reducedMotion: 'reduce' }, `Reader ${colorScheme}`);
    const connected = await poorTexts(tab.page);
    expect(connected.poor).toEqual([]);
    expect(connected.checked).toBeGreaterThan(30);
    await disconnect(tab);
    expect((await poorTexts(tab.page)).poor).toEqual([]);
    await tab.page.getByRole('button', { name: /^notice-board/ }).click();
    expect((await poorTexts(tab.page)).poor).toEqual([]);
    await tab.page.getByRole('button', { name: /change name/ }).click();
    expect((await poorTexts(tab.page)).poor).toEqual([]);
    await tab.page.context().close();
  });
});

test.each([
  [1280, 800],
  [1440, 1000],
  [1920, 1080],
])('at %i x %i all of it is in view at once, and nothing covers anything', async (width, height) => {
  const tab = await livelyTab({ viewport: { width, height } }, `Desk ${width}`);
  await disconnect(tab);
  for (let n = 0; n < 12; n++) await tab.say(`line ${n}`);
  const sizes = await tab.page.evaluate(() => {
    const bottom = (selector: string) =>
      document.querySelector(selector)?.getBoundingClientRect().bottom ?? Number.NaN;
    const foot = document.querySelector('.foot')?.getBoundingClientRect().top ?? Number.NaN;
    const composer = bottom('#composer');
    return {
      scrolls: document.documentElement.scrollHeight > innerHeight,
      aboveFoot: ['.conversation', '.side', '.events'].map((selector) => bottom(selector) <= foot),
      composerInView: composer > 0 && composer <= innerHeight,
      lastLine: bottom('#messages > :last-child') <= bottom('#scroller'),
    };
  });
  expect(sizes).toEqual({
    scrolls: false,
    aboveFoot: [true, true, true],
    composerInView: true,
    lastLine: true,
  });
  await tab.page.context().close();
});

test.each([
  [1280, 800],
  [800, 1000],
  [360, 740],
])('at %i x %i what is said of the connection pushes nothing about', async (width, height) => {
  const tab = await livelyTab({ viewport: { width, height } }, 'Still');
  const panel = async () => (await tab.page.locator('#link').boundingBox())?.height;
  const why = tab.page.locator('#state-why');
  await eventually(() => why.textContent()).toMatch(/^Connected for /);
  const before = await panel();
  expect(before).toBeGreaterThan(100);
  await disconnect(tab);
  await eventually(() => why.textContent()).toMatch(/^Down since .* Waiting: 1 message/);
  expect(await panel()).toBe(before);
  await tab.page.context().close();
});

test('the two schemes differ', async () => {
  const grounds = await Promise.all(
    (['light', 'dark'] as const).map(async (colorScheme) => {
      const tab = await Tab.open(
        await browser.newContext({ colorScheme }),
        playground.url,
        'name=Ada&room=schemes',
      );
      return tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    }),
  );
  expect(new Set(grounds).size).toBe(2);
});

test('all of it can be done with the keyboard, and one sees where one is', async () => {
  const context = await browser.newContext();
  const tab = await Tab.open(context, playground.url, 'room=keys');
  const { keyboard } = tab.page;
  // The name is suggested: Enter is all it takes.
  await eventually(() => tab.page.locator('#name-input').inputValue()).not.toBe('');
  await keyboard.press('Enter');
  await tab.isIn('keys');
  await keyboard.type('typed blindly');
  await keyboard.press('Enter');
  await tab.hasFate('typed blindly', 'acknowledged');
  const ring = () =>
    tab.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        at: element.id || element.textContent,
        isSeen: outlineStyle !== 'none' && outlineWidth !== '0px',
      };
    });
  await tab.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const stops: string[] = [];
  // From wherever the blurred composer left off, round the whole page.
  for (let n = 0; n < 16; n++) {
    await keyboard.press('Tab');
    const stop = await ring();
    if (!stop) continue;
    expect(stop.isSeen, `focus is seen at ${stop.at}`).toBe(true);
    stops.push(stop.at ?? '');
  }
  for (const wanted of ['rename', 'disconnect', 'join-name', 'leave', 'scroller', 'composer-text']) {
    expect(stops).toContain(wanted);
  }
  await tab.page.locator('#disconnect').focus();
  await keyboard.press('Enter');
  await tab.is('idle');
  expect((await ring())?.at).toBe('connect');
  await keyboard.press('Enter');
  await tab.is('connected');
  await context.close();
});

test('who cannot see is told of the state and of new messages, and of nothing else', async () => {
  const context = await browser.newContext();
  const tab = await Tab.open(context, playground.url, 'name=Listener&room=ears');
  await tab.isIn('ears');
  expect(await tab.page.getByRole('status').textContent()).toBe('Connected');
  expect(await tab.page.getByRole('log').getAttribute('aria-live')).toBe('polite');
  for (const role of ['banner', 'main', 'contentinfo', 'complementary'] as const) {
    expect(await tab.page.getByRole(role).count(), role).toBe(1);
  }
  const live = await tab.page.locator('[aria-live="polite"], [role="status"], [role="log"]').count();
  expect(live).toBe(2);
  // Changes every second: to be found with the panel, not to be read out.
  const panel = tab.page.getByRole('region', { name: 'Connected' });
  const described = await panel.getAttribute('aria-describedby');
  expect(await tab.page.locator(`#${described}`).textContent()).toMatch(/^Connected for /);
  await context.close();
});
