import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { UsageError } from './usage-error.js';

/** How long a module may take until it has its settings. */
const DEADLINE_MS = 10_000;

/** Sets a timer; the function it gives takes it back. */
export type SetTimer = (run: () => void, delayMs: number) => () => void;

const systemTimer: SetTimer = (run, delayMs) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

/**
 * The settings in a `.json` file, or the default export of an `.mjs`. Throws a `UsageError` that names the file: it is not
 * there, cannot be read, has not settled within 10 s, or holds no object.
 */
export async function readConfigFile(
  path: string,
  setTimer: SetTimer = systemTimer,
): Promise<Readonly<Record<string, unknown>>> {
  const content = await inTime(load(path), setTimer).catch((cause: unknown) => {
    // A module may throw anything.
    const why = cause instanceof Error ? cause.message : `it threw ${inspect(cause)}`;
    throw new UsageError(`${path} cannot be read: ${why}`);
  });
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${path} must hold an object of settings`);
  }
  return content as Record<string, unknown>;
}

function inTime<V>(loading: Promise<V>, setTimer: SetTimer): Promise<V> {
  return new Promise((resolve, reject) => {
    const late = new Error(`it has not settled within ${DEADLINE_MS / 1_000} s`);
    const cancel = setTimer(() => reject(late), DEADLINE_MS);
    loading.then(resolve, reject).finally(cancel);
  });
}

async function load(path: string): Promise<unknown> {
  if (path.endsWith('.mjs')) {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown };
    return module.default;
  }
  if (!path.endsWith('.json')) throw new Error('its name must end in .json or .mjs');
  const text = await readFile(path, 'utf8');
  // Some editors begin a file with a byte order mark, which is no JSON (RFC 8259, section 8.1).
  return JSON.parse(text.replace(/^\uFEFF/, ''));
}
