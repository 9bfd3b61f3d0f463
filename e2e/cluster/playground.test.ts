import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, redisProgram } from '../../test/redis-server.js';
import { eventually, launchBrowser, Tab } from '../support/pages.js';
import { Child } from './child.js';
import { nginxProgram } from './nginx.js';

// `npm run cluster`, as one who looks at it and breaks it.

const up = fileURLToPath(new URL('../../scripts/up.mjs', import.meta.url));
const chromium = process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium';

async function startCluster() {
  const port = await freePort();
  const run = await Child.start(process.execPath, {
    args: [up, 'cluster'],
    env: { PORT: String(port), HOST: '' },
    ready: /Ctrl-C ends all/,
  });
  onTestFinished(async () => {
    await run.stop('SIGINT');
  });
  // Those of the nodes stand without brackets, in the order of their names.
  const pids = new Map(
    [...run.output.matchAll(/(node-\d) :\d+/g)].map(([, name], index) => {
      const [, pid] = [...run.output.matchAll(/pid (\d+)(?!\))\b/g)][index] ?? [];
      return [String(name), Number(pid)];
    }),
  );
  return { run, url: `http://localhost:${port}`, pids };
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function open(url: string, name: string, options: BrowserContextOptions = {}): Promise<Tab> {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const tab = await Tab.open(await browser.newContext(options), url, `name=${name}&room=reef`);
  await tab.isIn('reef');
  return tab;
}

/** The server that a page says it is connected to. */
async function nodeOf(tab: Tab): Promise<string> {
  const title = tab.page.getByRole('status');
  await eventually(() => title.textContent()).toMatch(/^Connected to node-\d$/);
  return (await title.textContent())?.replace('Connected to ', '') ?? '';
}

describe.skipIf(!redisProgram || !nginxProgram)('npm run cluster', () => {
  test('Ctrl-C ends all of it', async () => {
    const { run, pids } = await startCluster();
    const all = [...run.output.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
    expect([pids.size, new Set(all).size, all.every(isThere)]).toEqual([3, 5, true]);
    expect(await run.stop('SIGINT')).toBe(0);
    expect(all.filter(isThere)).toEqual([]);
  });

  test('a port in use: says so, names another command, exit code 1', async () => {
    const { url } = await startCluster();
    const { port } = new URL(url);
    const again = Child.start(process.execPath, {
      args: [up, 'cluster'],
      env: { PORT: port },
      ready: /never/,
    });
    await expect(again).rejects.toThrow(`PORT=${Number(port) + 1} npm run cluster`);
  });

  test.skipIf(!existsSync(chromium))(
    'a page says which server it has, and goes on at another one when that is killed',
    async () => {
      const { run, url, pids } = await startCluster();
      const ada = await open(url, 'Ada');
      const grace = await open(url, 'Grace', {
        ...{ viewport: { width: 360, height: 740 }, isMobile: true, colorScheme: 'dark' },
      });
      const first = await nodeOf(ada);
      const pid = pids.get(first) ?? Number.NaN;
      const visited = [first];
      await ada.say('before');
      await grace.hears('before');
      process.kill(pid, 'SIGKILL');
      await ada.say('into the gap');
      await ada.hasFate('into the gap', 'acknowledged');
      await expect.poll(() => nodeOf(ada), { timeout: 20_000 }).not.toBe(first);
      visited.push(await nodeOf(ada));
      await grace.say('heard you');
      await ada.hears('heard you');
      expect(await grace.heard()).toEqual(['before', 'into the gap']);
      expect((await ada.page.locator('#logbook .what').allTextContents()).join()).toContain(
        `served by ${visited[1]}`,
      );
      expect(await ada.page.locator('#label-far').textContent()).toBe(visited[1]);
      await eventually(() => run.output).toContain(`${first} (pid ${pid}) has died of SIGKILL`);
      await eventually(() => run.output).toContain(`${first} is back`);

      await nodeOf(grace);
      const overflow = () =>
        grace.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
      expect(await overflow()).toBe(0);
      expect(await grace.page.getByText('Several servers:').isVisible()).toBe(true);
      expect([...ada.noises, ...grace.noises]).toEqual([]);
    },
  );
});
