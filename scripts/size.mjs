// What a page pays: the client as one script for a <script> tag, everything in it, and what the bindings add to a client in an
// application's own bundle; minified and compressed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './lib/process.mjs';

/** `budget`: what must not be passed; lowered whenever it gets smaller. `goal`: where it is to come down to. */
const parts = [
  { path: 'packages/client/dist/holdfast.global.js', budget: 29_470, goal: 8 * 1024 },
  { path: 'packages/client/dist/holdfast.msgpack.global.js', budget: 36_750, goal: 16 * 1024 },
  { path: 'packages/react/dist/index.js', budget: 1024, goal: 1024, without: ['react', '@holdfast/client'] },
  { path: 'packages/vue/dist/index.js', budget: 1024, goal: 1024, without: ['vue', '@holdfast/client'] },
];

async function codeOf({ path, without }) {
  const file = join(root, path);
  if (!without) return readFileSync(file);
  const beside = {
    name: 'beside',
    // By the whole name: what comes by an entry of its own is counted.
    setup: ({ onResolve }) =>
      onResolve({ filter: /^[^.]/ }, ({ path: name, kind }) =>
        kind !== 'entry-point' && without.includes(name) ? { path: name, external: true } : undefined,
      ),
  };
  const { outputFiles } = await build({
    ...{ entryPoints: [file], plugins: [beside], bundle: true, minify: true, format: 'esm', write: false },
  });
  return outputFiles[0].contents;
}

for (const part of parts) {
  const size = gzipSync(await codeOf(part), { level: 9 }).length;
  console.log(`${part.path}: ${size} bytes gzip; budget ${part.budget}, goal ${part.goal}`);
  if (size <= part.budget) continue;
  console.error(`over the budget by ${size - part.budget} bytes`);
  process.exitCode = 1;
}
