import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Edit, Mutant } from './mutants/mutant.js';

/** The text of a source with the wrong rule in it. Throws unless each place is there exactly once. */
export function mutated(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, { file, find, put }) => {
    const parts = before.split(find);
    if (parts.length !== 2) {
      throw new Error(`${file} holds ${parts.length - 1} times, not once: ${find}`);
    }
    return parts.join(put);
  }, text);
}

/** Builds the worker, with a wrong rule in it if one is given. */
export async function buildWorker(root: string, outfile: string, mutant?: Mutant): Promise<void> {
  const files = new Map<string, Edit[]>();
  for (const edit of mutant?.edits ?? []) {
    const path = join(root, 'packages', edit.file);
    files.set(path, [...(files.get(path) ?? []), edit]);
  }
  const plugin: Plugin = {
    name: 'wrong-rule',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.ts$/ }, ({ path }) => {
        const edits = files.get(path);
        if (!edits) return undefined;
        return { contents: mutated(readFileSync(path, 'utf8'), edits), loader: 'ts' };
      });
    },
  };
  await build({
    entryPoints: [join(root, 'packages/testing/test/simulator/worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    // The sources, as in every test, without a build before.
    tsconfig: join(root, 'tsconfig.base.json'),
    // ws is CommonJS and asks for Node's own modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [plugin],
  });
}
