import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

/** All files under the given files and folders, sorted, as paths from the root. What is not there is left out. */
export function filesUnder(...paths) {
  const skip = new Set(['node_modules', 'dist', '.build', '.git']);
  const walk = (path) => {
    if (!existsSync(join(root, path))) return [];
    if (statSync(join(root, path)).isFile()) return [path];
    return readdirSync(join(root, path))
      .filter((name) => !skip.has(name))
      .flatMap((name) => walk(`${path}/${name}`));
  };
  return paths.flatMap(walk).sort();
}

/** The folders of the workspace, with a trailing part: `packagesEach('src')` is packages/client/src and so on. */
export const packagesEach = (part) =>
  readdirSync(join(root, 'packages')).map((name) => (part ? `packages/${name}/${part}` : `packages/${name}`));

/** Contents, not times: a checkout or a copy changes those without changing anything. */
export function hashOf(files, ...more) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.update(more.join('\0')).digest('hex');
}
