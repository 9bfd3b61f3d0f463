import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface ClientSize {
  readonly bytes: number;
  readonly gzipBytes: number;
}

const sizeOf = (code: Uint8Array): ClientSize => ({
  bytes: code.length,
  gzipBytes: gzipSync(code, { level: 9 }).length,
});

/** The script for a page, as the budget of the client counts it. */
export const scriptSize = (): ClientSize =>
  sizeOf(readFileSync(new URL('../../../packages/client/dist/holdfast.global.js', import.meta.url)));

/** Of what a page imports, bundled for browsers and minified. */
export async function bundleSize(source: string): Promise<ClientSize> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('../../', import.meta.url)) },
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    // What is published, not what it was made of, to which the paths of this project lead.
    tsconfigRaw: {},
    target: 'es2022',
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  });
  return sizeOf(outputFiles[0]?.contents ?? new Uint8Array());
}
