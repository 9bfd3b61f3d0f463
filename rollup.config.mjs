// Builds every package to ESM and CommonJS with source maps and rolled-up declarations, the client also to
// one script for a <script> tag, the command `holdfast` to a Node program, and the playground to a page and two of them.
//
//   rollup -c                all of it; declarations come from .build/types (tsc -p tsconfig.build.json)
//   rollup -c --configJs     JavaScript only, which is all that `npm start` needs

import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { transform } from 'esbuild';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** The published packages with the entries they export: `.` is index, `./ports` is ports. */
const published = ['protocol', 'client', 'server', 'redis', 'nats', 'testing', 'react', 'vue'].map((name) => {
  const { dependencies, peerDependencies, exports } = readJson(`packages/${name}/package.json`);
  const entries = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => (key === '.' ? 'index' : key.slice(2)));
  // Hooks are for what runs in a browser: React's bundlers ask for that to be said.
  const banner = name === 'react' ? "'use client';" : '';
  return {
    ...{ dir: `packages/${name}`, entries, banner },
    external: externalOf({ ...dependencies, ...peerDependencies }),
  };
});

/** What a package depends on is never copied into it, subpaths included, and neither is Node. */
function externalOf(dependencies) {
  const names = Object.keys(dependencies);
  return (id) => isBuiltin(id) || names.some((name) => id === name || id.startsWith(`${name}/`));
}

const inputs = (dir, entries, extension) =>
  Object.fromEntries(entries.map((entry) => [entry, join(root, dir, `${entry}${extension}`)]));

/** An unresolved import, a cycle or an export that is not there is a broken package, not a warning. */
const strict = {
  onwarn(warning) {
    // An entry of nothing but types is empty as JavaScript, and has to be there for those who import it.
    if (warning.code === 'EMPTY_BUNDLE') return;
    throw new Error(`${warning.code ?? 'WARNING'}: ${warning.message}`);
  },
};

/**
 * Types, verdicts and close codes are written out as the numbers that they stand for: the bundler of an application would
 * keep the object of all of them, and each of their names wherever one is used.
 */
const { Type, Verdict } = await constantsOf('packages/protocol/src/frame.ts');
const { CloseCode } = await constantsOf('packages/protocol/src/close-codes.ts');
const codes = { Type, Verdict, CloseCode };
const withCodes = {
  name: 'codes',
  transform: (code) => ({
    // Blanks keep everything else where the source map says that it is.
    code: code.replace(/(?<!typeof |[.\w])(Type|Verdict|CloseCode)\.([A-Z_]+)\b/g, (use, object, name) =>
      String(codes[object][name] ?? use).padEnd(use.length),
    ),
    map: null,
  }),
};

async function constantsOf(path) {
  const source = readFileSync(join(root, path), 'utf8');
  const { code } = await transform(source, { loader: 'ts' });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

const compile = (options = {}) => [
  withCodes,
  esbuild({ target: 'es2022', tsconfig: false, sourceMap: true, ...options }),
];

/** Browser bundles are made of the sources, so that what is not used falls out and maps lead to them. */
const fromSources = {
  name: 'workspace-sources',
  resolveId(id) {
    const [, name, entry = 'index'] = /^@holdfast\/([^/]+)(?:\/([^/]+))?$/.exec(id) ?? [];
    return name === undefined ? null : join(root, 'packages', name, 'src', `${entry}.ts`);
  },
};

const forBrowser = () => [fromSources, nodeResolve({ browser: true }), commonjs()];

/** An entry that exports what these do. */
const madeOf = (name, entries) => ({
  name: 'made-of',
  resolveId: (id) => (id === name ? id : null),
  load: (id) => (id === name ? entries.map((entry) => `export * from '${entry}';`).join('\n') : null),
});

const copyFolder = (from, to) => ({
  name: 'copy-folder',
  buildStart() {
    for (const file of filesIn(from)) this.addWatchFile(file);
  },
  writeBundle() {
    for (const file of filesIn(from)) {
      const target = join(root, to, file.slice(join(root, from).length));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(file, target);
    }
  },
});

const filesIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/**
 * What imports a library whose package does not say that it has no side effects stands in a file of its own: such an import
 * stays in the bundle of everybody who needs anything of its file. So does one that is hoisted into an entry.
 */
const apart = {
  hoistTransitiveImports: false,
  onlyExplicitManualChunks: true,
  manualChunks: (id) => (id.endsWith('protocol/src/listeners.ts') ? 'listeners' : null),
};

const packageCode = ({ dir, entries, external, banner }) => ({
  ...strict,
  input: inputs(`${dir}/src`, entries, '.ts'),
  external,
  plugins: [nodeResolve({ extensions: ['.ts'] }), compile()],
  output: [
    {
      dir: join(root, dir, 'dist'),
      format: 'es',
      ...apart,
      banner,
      sourcemap: true,
      // Bundlers warn of an import for its effects alone in a package that says it has none.
      hoistTransitiveImports: false,
      entryFileNames: '[name].js',
      chunkFileNames: 'shared/[name].js',
    },
    {
      dir: join(root, dir, 'dist'),
      format: 'cjs',
      ...apart,
      banner,
      sourcemap: true,
      exports: 'named',
      // isomorphic-ws is CommonJS in Node and an ES module in a browser's bundle: look before taking the default.
      interop: 'auto',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'shared/[name].cjs',
    },
  ],
});

/**
 * `await using` is known to the compilers of all users, but its names only to those who have asked for them: ours do, wherever
 * they are used. (Those of Node's types ask for the same.)
 */
const withDisposal = {
  name: 'with-disposal',
  renderChunk: (code) =>
    code.includes('Symbol.asyncDispose') ? `/// <reference lib="esnext.disposable" />\n${code}` : null,
};

/** Twice, because a CommonJS user's compiler reads .d.cts, whose imports must lead to .cjs. */
const packageTypes = ({ dir, entries, external }) => ({
  ...strict,
  input: inputs(`.build/types/${dir}/src`, entries, '.d.ts'),
  external,
  plugins: [dts(), withDisposal],
  output: ['d.ts', 'd.cts'].map((extension) => ({
    dir: join(root, dir, 'dist'),
    format: 'es',
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `shared/[name].${extension}`,
  })),
});

/** The client as one script for a <script> tag; `entries`: of which it is made. */
const clientScript = (name, entries) => ({
  ...strict,
  input: name,
  // esbuild shortens the names of private fields, which terser leaves; terser finds what spans the whole script.
  plugins: [
    madeOf(name, entries),
    ...forBrowser(),
    compile({ minify: true, legalComments: 'none' }),
    terser({ ecma: 2020, compress: { passes: 3 } }),
  ],
  output: {
    file: join(root, `packages/client/dist/${name}`),
    format: 'iife',
    name: 'Holdfast',
    exports: 'named',
    sourcemap: true,
  },
});

const playgroundPage = {
  ...strict,
  input: join(root, 'playground/src/page/main.ts'),
  plugins: [...forBrowser(), compile(), copyFolder('playground/public', 'playground/dist/public')],
  output: { file: join(root, 'playground/dist/public/main.js'), format: 'es', sourcemap: true },
};

const command = {
  ...strict,
  input: inputs('packages/cli/src', ['holdfast'], '.ts'),
  external: externalOf(readJson('packages/cli/package.json').dependencies),
  plugins: [nodeResolve({ extensions: ['.ts'] }), compile()],
  output: {
    dir: join(root, 'packages/cli/dist'),
    format: 'es',
    sourcemap: true,
    banner: '#!/usr/bin/env node',
  },
};

const playgroundPrograms = {
  ...strict,
  input: inputs('playground/src', ['serve', 'bot', 'limpet-alone'], '.ts'),
  external: externalOf(readJson('playground/package.json').dependencies),
  plugins: [nodeResolve({ extensions: ['.ts'] }), compile()],
  output: {
    dir: join(root, 'playground/dist'),
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name].js',
  },
};

export default (args) => {
  const onlyJs = args.configJs === true;
  // Rollup refuses flags it does not know.
  delete args.configJs;
  return [
    ...published.map(packageCode),
    clientScript('holdfast.global.js', ['@holdfast/client']),
    clientScript('holdfast.msgpack.global.js', ['@holdfast/client', '@holdfast/client/msgpack']),
    command,
    playgroundPage,
    playgroundPrograms,
    ...(onlyJs ? [] : published.map(packageTypes)),
  ];
};
