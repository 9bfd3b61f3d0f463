import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from './usage-error.js';

/**
 * The settings in a `.json` file, or the default export of an `.mjs`. Throws a `UsageError` that names the file: it is not
 * there, cannot be read, or holds no object.
 */
export async function readConfigFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const content = await load(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${path} must hold an object of settings`);
  }
  return content as Record<string, unknown>;
}

async function load(path: string): Promise<unknown> {
  if (path.endsWith('.mjs')) {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown };
    return module.default;
  }
  if (!path.endsWith('.json')) throw new Error('its name must end in .json or .mjs');
  return JSON.parse(await readFile(path, 'utf8'));
}
