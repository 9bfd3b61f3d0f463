import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { freePort } from './examples.js';
import type { Visitor } from './visitor.js';

const DEADLINE_MS = 20_000;

/** Debian and Ubuntu keep it by architecture and version of the library. */
function miniBrowser(): string {
  for (const folder of ['/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)]) {
    let entries: string[] = [];
    try {
      entries = readdirSync(folder);
    } catch {
      // A file, or nothing that we may look into.
    }
    const found = entries.filter((name) => /^webkit2?gtk-\d/.test(name)).sort();
    const newest = found.at(-1);
    if (newest) return `${folder}/${newest}/MiniBrowser`;
  }
  throw new Error('WebKitWebDriver is there, but no MiniBrowser');
}

/** A display that nobody looks at; it says itself which number it has chosen. */
async function startDisplay(program: string): Promise<{ child: ChildProcess; display: string }> {
  const args = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const display = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
    child.stdio[3]?.once('data', (number: Buffer) => resolve(`:${String(number).trim()}`));
  });
  return { child, display };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** W3C WebDriver, as much of it as is needed here. */
async function command(url: string, method: 'GET' | 'POST' | 'DELETE', body?: object): Promise<unknown> {
  const content = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await fetch(url, { method, ...content, signal: AbortSignal.timeout(DEADLINE_MS) });
  const { value } = (await response.json()) as { value: unknown };
  if (!response.ok) throw new Error(`WebDriver: ${JSON.stringify(value)}`);
  return value;
}

async function ready(url: string): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; ; ) {
    try {
      await command(`${url}/status`, 'GET');
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

/** The tabs of one session; the driver speaks to one of them at a time. */
class Tabs {
  readonly #session: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: string) {
    this.#session = session;
  }

  tab(handle: string): Visitor {
    const ask = (path: string, method: 'POST' | 'DELETE', body?: object): Promise<unknown> => {
      const asked = this.#last.then(async () => {
        await command(`${this.#session}/window`, 'POST', { handle });
        return command(`${this.#session}${path}`, method, body);
      });
      this.#last = asked.catch(() => undefined);
      return asked;
    };
    return {
      goTo: async (url) => void (await ask('/url', 'POST', { url })),
      back: async () => void (await ask('/back', 'POST', {})),
      read: async <V>(expression: string) =>
        (await ask('/execute/sync', 'POST', { script: `return (${expression});`, args: [] })) as V,
      newTab: async () => {
        const made = (await ask('/window/new', 'POST', { type: 'tab' })) as { handle: string };
        return this.tab(made.handle);
      },
      close: async () => void (await ask('/window', 'DELETE')),
    };
  }
}

/** WebKitGTK through its own driver, which Playwright cannot speak to. */
export async function startWebKit(driverProgram: string, displayProgram: string): Promise<Visitor> {
  const { child: screen, display } = await startDisplay(displayProgram);
  const port = await freePort();
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: '1' };
  const driver = spawn(driverProgram, [`--port=${port}`, '--host=127.0.0.1'], { env, stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(url);
    const options = { binary: miniBrowser(), args: ['--automation'] };
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
    const made = (await command(`${url}/session`, 'POST', { capabilities })) as { sessionId: string };
    const session = `${url}/session/${made.sessionId}`;
    const first = (await command(`${session}/window`, 'GET')) as string;
    return {
      ...new Tabs(session).tab(first),
      close: async () => {
        await command(session, 'DELETE').catch(() => undefined);
        await ended(driver);
        await ended(screen);
      },
    };
  } catch (error) {
    await ended(driver);
    await ended(screen);
    throw error;
  }
}
