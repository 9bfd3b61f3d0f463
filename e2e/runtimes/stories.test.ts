import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { isThere } from '../support/engines.js';
import { eventually, launchBrowser } from '../support/pages.js';
import { bundlers } from './bundlers.js';
import { expectWellTold, Ground, tellBy } from './ground.js';
import { buildByWebpack4 } from './old-bundler.js';
import { areRuntimesHere, inApp, runtime, versionOf } from './places.js';
import { tellInWorkerd } from './workerd.js';

// The story of story.mjs on every runtime, and by every bundler in a page; at the end, whether the README says what was told.

const ways = ['ES module, `ws`', 'CommonJS, `ws`', "the platform's `WebSocket`"] as const;
type Way = (typeof ways)[number];
const [ESM, COMMON, OWN] = ways;

/** What has been told well, by row and column of the README's table. */
const told = new Set<string>();
const cell = (row: string, way: Way): string => `${row}: ${way}`;
/** Rows that this machine cannot tell. */
const skipped = new Set<string>();

/** For the WebSocket of the platform: bundled as for a browser. */
async function bundleFor(entry: string, out: string, more: object = {}): Promise<void> {
  await build({
    ...{ absWorkingDir: inApp('.'), entryPoints: [entry], outfile: out, tsconfigRaw: {}, bundle: true },
    ...{ format: 'esm', platform: 'browser', external: ['node:process'], logLevel: 'warning', ...more },
  });
}

/** One test that enters its cell when it has passed. */
function tells(row: string, way: Way, tell: () => Promise<void>): void {
  test(way, async () => {
    await tell();
    told.add(cell(row, way));
  });
}

const nodes = [20, 22, 24, 26].map((major) => ({
  row: `Node ${versionOf(`node${major}`)}`,
  program: `node${major}/bin/node`,
  ways: major < 22 ? [ESM, COMMON] : ways,
}));
const others = [
  {
    row: `Bun ${versionOf('@oven/bun-linux-x64-baseline')}`,
    program: '@oven/bun-linux-x64-baseline/bin/bun',
    args: ['run'],
  },
  {
    row: `Deno ${versionOf('@deno/linux-x64-glibc')}`,
    program: '@deno/linux-x64-glibc/deno',
    args: ['run', '-A', '--no-lock'],
  },
].map((one) => ({ ...one, ways }));
const files: Readonly<Record<Way, string>> = {
  [ESM]: 'main.mjs',
  [COMMON]: 'main.cjs',
  [OWN]: 'own-websocket.mjs',
};

describe.skipIf(!areRuntimesHere)('runtimes', () => {
  beforeAll(() => bundleFor('main.mjs', files[OWN]));

  describe.each(nodes)('$row, which runs the server, too', ({ row, program, ways }) => {
    let ground: Ground;
    beforeAll(async () => {
      ground = await Ground.open(runtime(program));
    });
    afterAll(() => ground?.close());
    for (const way of ways) tells(row, way, () => tellBy(runtime(program), [files[way]], ground));
  });

  describe('others', () => {
    let ground: Ground;
    beforeAll(async () => {
      ground = await Ground.open(process.execPath);
    });
    afterAll(() => ground?.close());

    describe.each(others)('$row', ({ row, program, args, ways }) => {
      for (const way of ways) tells(row, way, () => tellBy(runtime(program), [...args, files[way]], ground));
    });

    const native = 'React Native, a stub of its `WebSocket` and `AppState`';
    describe(native, () => {
      tells(native, OWN, async () => {
        // As Metro resolves.
        const metro = { mainFields: ['react-native', 'browser', 'main'], conditions: ['react-native'] };
        const external = ['node:process', './react-native-stub.mjs'];
        await bundleFor('react-native.mjs', 'react-native.bundle.mjs', { ...metro, external });
        // Without a WebSocket of its own that could be taken instead.
        await tellBy(runtime('node20/bin/node'), ['react-native.bundle.mjs'], ground);
      });
    });

    const worker = `workerd ${versionOf('@cloudflare/workerd-linux-64')}`;
    describe(worker, () => {
      tells(worker, OWN, async () => {
        const conditions = ['workerd', 'worker', 'browser'];
        await bundleFor('worker.mjs', 'worker.bundle.mjs', { conditions, external: [] });
        const program = runtime('@cloudflare/workerd-linux-64/bin/workerd');
        expectWellTold((await tellInWorkerd(program, ground.origin)) as Parameters<typeof expectWellTold>[0]);
      });
    });
  });
});

const names = { vite: 'Vite', webpack: 'webpack', esbuild: 'esbuild', rollup: 'Rollup' } as const;
const built = Object.entries(bundlers).map(([key, bundler]) => ({
  ...{ key, bundler },
  row: `Chromium, built by ${names[key as keyof typeof names]} ${versionOf(key)}`,
}));

const old = `Chromium, built by webpack ${versionOf('webpack-4')}, compiled down to ES2017`;

describe.skipIf(!isThere('Chromium'))('pages, under a policy that forbids eval', () => {
  let browser: Browser;
  let ground: Ground;
  beforeAll(async () => {
    browser = await launchBrowser();
    ground = await Ground.open(process.execPath, inApp('pages'));
  });
  afterAll(async () => {
    await browser?.close();
    await ground?.close();
  });

  describe.each(built)('$row', ({ row, key, bundler }) => {
    tells(row, OWN, async () => {
      const { warnings } = await bundler('page.mjs', inApp(`pages/${key}/page.js`));
      expect(warnings).toEqual([]);
      await tellInPage(key);
    });
  });

  describe(old, () => {
    test('without the recipe it says what it cannot read', async () => {
      const faults = await buildByWebpack4('page.mjs', inApp('pages/old/page.js'), { compiledDown: false });
      expect(faults.join('\n')).toMatch('Module parse failed: Unexpected');
    });
    tells(old, OWN, async () => {
      const out = inApp('pages/old/page.js');
      expect(await buildByWebpack4('page.mjs', out, { compiledDown: true })).toEqual([]);
      await tellInPage('old');
    });
  });

  async function tellInPage(name: string): Promise<void> {
    const html =
      '<!doctype html><title>Story</title><pre id="result"></pre><script type="module" src="page.js"></script>';
    mkdirSync(inApp(`pages/${name}`), { recursive: true });
    writeFileSync(inApp(`pages/${name}/index.html`), html);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${ground.origin}/${name}/index.html`);
    const shown = () => page.locator('#result').textContent();
    await eventually(shown).not.toBe('');
    const { isEvalForbidden, ...result } = JSON.parse((await shown()) ?? '');
    expect(isEvalForbidden).toBe(true);
    expectWellTold(result);
  }
});

if (!isThere('Chromium')) for (const row of [...built.map(({ row }) => row), old]) skipped.add(row);

test.skipIf(!areRuntimesHere)('the table of the README is what was told here', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const [, table = ''] = /\| runtime \|.*\n\|[-|]*\|\n((?:\|.*\n)*)/.exec(readme) ?? [];
  const rows = table
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
  const claimed = rows
    .filter(([row = '']) => !skipped.has(row))
    .flatMap(([row = '', ...cells]) => ways.filter((_, n) => cells[n] === '✓').map((way) => cell(row, way)));
  expect(claimed.sort()).toEqual([...told].sort());
});
