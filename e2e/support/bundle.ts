import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

/** As a user's bundler resolves and builds it; fails over whatever that would warn of. */
async function built(options: BuildOptions): Promise<string> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    bundle: true,
    target: 'es2022',
    logLevel: 'silent',
    // Not by the "paths" of ours, which lead to the sources: the packages as they are built.
    tsconfigRaw: {},
    ...options,
    write: false,
  });
  const [warning] = warnings;
  if (warning) throw new Error(`a bundler warns: ${warning.text}`);
  const [file] = outputFiles;
  if (!file) throw new Error('nothing came of it');
  return file.text;
}

/**
 * An entry (a file, or a package as its user names it) as one classic script that leaves it in a global, resolved as a
 * user's bundler would for a browser or for Node.
 */
export const bundle = (
  entry: string,
  globalName: string,
  platform: 'browser' | 'node' = 'browser',
): Promise<string> => built({ entryPoints: [entry], format: 'iife', globalName, platform });

/** The program of a page or worker as a module script, JSX included. */
export const bundlePage = (input: Pick<BuildOptions, 'entryPoints' | 'stdin'>): Promise<string> =>
  built({
    ...input,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
