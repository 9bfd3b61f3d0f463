import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { describe, expect, test } from 'vitest';
import { type Bundle, bundlers } from './bundlers.js';
import { inApp } from './places.js';

// What is in a page's script, and what is not.

let count = 0;
const write = (code: string): string => {
  const file = `entry-${++count}.mjs`;
  writeFileSync(inApp(file), code);
  return file;
};

/** Packages of which something is in a bundle, other than the entry itself. */
function packagesIn({ modules }: Bundle): string[] {
  const names = modules.map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/?]+)/.exec(file)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

const ofNode =
  /\bnode:|\brequire\(|from ?["'](?:fs|net|http|https|stream|crypto|events|buffer|util|url|zlib|tls)["']/;

describe.each(Object.entries(bundlers))('%s', (name, bundler) => {
  const bundle = (code: string) => {
    const entry = write(code);
    return bundler(entry, inApp(`bundles/${name}/${basename(entry, '.mjs')}.js`));
  };

  test('a client: nothing of Node, not ws, no MessagePack, no stores', async () => {
    const made = await bundle(
      `import { createClient } from '@holdfast/client'; globalThis.client = createClient({ url: '/realtime' });`,
    );
    expect(made.warnings).toEqual([]);
    expect(packagesIn(made)).toEqual([
      '@holdfast/client',
      '@holdfast/protocol',
      'eventemitter3',
      'isomorphic-ws',
    ]);
    expect(made.code).not.toMatch(ofNode);
    expect(made.code).not.toMatch(/indexedDB|Sec-WebSocket-Key/);
  });

  test('what is asked for is there', async () => {
    const made = await bundle(`
      import { createClient } from '@holdfast/client';
      import { msgpack } from '@holdfast/client/msgpack';
      import { indexedDbOutbox } from '@holdfast/client/storage';
      globalThis.client = createClient({ url: '/realtime', codec: msgpack(), outbox: { storage: indexedDbOutbox() } });`);
    expect(made.warnings).toEqual([]);
    expect(packagesIn(made)).toEqual(expect.arrayContaining(['@msgpack/msgpack', 'idb']));
    expect(made.code).not.toMatch(ofNode);
  });

  test('one thing: nothing of the connection', async () => {
    const made = await bundle(`
      import { isHoldfastError } from '@holdfast/client';
      console.log(isHoldfastError(globalThis.error));`);
    // webpack lists the modules that it has looked at; what it has left of them is seen by the length.
    if (name !== 'webpack') expect(packagesIn(made)).toEqual(['@holdfast/protocol']);
    expect(made.code.length).toBeLessThan(4_000);
    expect(made.code).not.toMatch(/WebSocket|setTimeout|reconnecting|addEventListener/);
  });

  test('nothing: nothing', async () => {
    const client = ['client', 'client/lite', 'client/msgpack', 'client/plain', 'client/storage'];
    const names = ['protocol', ...client, 'react', 'vue'];
    const made = await bundle(names.map((one) => `import '@holdfast/${one}';`).join('\n'));
    expect(made.code.replace(/\/\/.*|\(\(?\)? ?=> ?\{.*\}\)\(\);?/g, '').trim()).toBe('');
  });
});

test('it is so: without the word of the packages that they have no side effects, too', async () => {
  const entry = write(`import { isHoldfastError } from '@holdfast/client'; console.log(isHoldfastError(1));`);
  const distrust = {
    name: 'distrust',
    resolveId: {
      order: 'pre' as const,
      async handler(
        this: { resolve: (...args: unknown[]) => Promise<object | null> },
        ...[id, from, options]: unknown[]
      ) {
        const found = await this.resolve(id, from, { ...(options as object), skipSelf: true });
        return found && { ...found, moduleSideEffects: true };
      },
    },
  };
  const build = await rollup({
    input: inApp(entry),
    plugins: [distrust as never, nodeResolve({ browser: true }), commonjs()],
    onwarn: () => undefined,
  });
  const { output } = await build.generate({ format: 'es' });
  const left = Object.entries(output[0].modules).filter(
    ([file, { renderedLength }]) => renderedLength > 0 && /@holdfast/.test(file),
  );
  expect(left.map(([file]) => file.replace(/.*node_modules/, ''))).toEqual([
    '/@holdfast/protocol/dist/index.js',
  ]);
  expect(left[0]?.[1].renderedLength).toBeLessThan(500);
});
