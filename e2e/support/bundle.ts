import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * An entry (a file, or a package as its user names it) as one classic script that leaves it in a global, resolved as a
 * user's bundler would for a browser or for Node.
 */
export async function bundle(
  entry: string,
  globalName: string,
  platform: 'browser' | 'node' = 'browser',
): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    globalName,
    platform,
    target: 'es2022',
    logLevel: 'warning',
    // Not by the "paths" of ours, which lead to the sources: the packages as they are built.
    tsconfigRaw: {},
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`nothing came of ${entry}`);
  return file.text;
}
