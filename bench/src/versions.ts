import { readFileSync } from 'node:fs';

/** As installed; `exports` of a package may hide its own manifest from `import`. `modules`: where they are, from the caller. */
export function versionOf(name: string, modules: URL): string {
  const manifest = new URL(`${name}/package.json`, modules);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
