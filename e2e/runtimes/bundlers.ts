import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { build as esbuild } from 'esbuild';
import { type RollupOutput, rollup } from 'rollup';
import { build as vite } from 'vite';
import { inApp, inInstalled } from './places.js';

/** What came of one bundle. */
export interface Bundle {
  readonly code: string;
  /** Files of which something is in it. */
  readonly modules: readonly string[];
  /** What the bundler complained about. */
  readonly warnings: readonly string[];
}

/** Makes one script for browsers of a file of the application, as its users do: no plugin for us, no alias, no polyfill. */
export type Bundler = (entry: string, out: string) => Promise<Bundle>;

const byEsbuild: Bundler = async (entry, out) => {
  const { metafile, outputFiles, warnings } = await esbuild({
    ...{ absWorkingDir: inApp('.'), entryPoints: [entry], outfile: out, tsconfigRaw: {} },
    ...{ bundle: true, minify: true, metafile: true, format: 'esm', write: false, logLevel: 'silent' },
  });
  const { writeFile, mkdir } = await import('node:fs/promises');
  await mkdir(dirname(out), { recursive: true });
  const code = outputFiles[0]?.text ?? '';
  await writeFile(out, code);
  const [output] = Object.values(metafile.outputs);
  const parts = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { code, modules: parts.map(([file]) => file), warnings: warnings.map(({ text }) => text) };
};

/** Of Rollup, and of Vite, which speaks as Rollup does. */
function bundleOf({ output }: Pick<RollupOutput, 'output'>, warnings: readonly string[]): Bundle {
  const [chunk] = output;
  const parts = Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0);
  return { code: chunk.code, modules: parts.map(([file]) => file), warnings };
}

const byRollup: Bundler = async (entry, out) => {
  const { nodeResolve } = await import('@rollup/plugin-node-resolve');
  const { default: commonjs } = await import('@rollup/plugin-commonjs');
  const warnings: string[] = [];
  const build = await rollup({
    input: inApp(entry),
    plugins: [nodeResolve({ browser: true }), commonjs()],
    onwarn: ({ code, message }) => void (code === 'EMPTY_BUNDLE' || warnings.push(message)),
  });
  const made = await build.write({ file: out, format: 'es' });
  await build.close();
  return bundleOf(made, warnings);
};

const byVite: Bundler = async (entry, out) => {
  const warnings: string[] = [];
  const warn = (text: string): void => void (text.includes('empty chunk') || warnings.push(text));
  const nothing = (): void => undefined;
  const logger = { info: nothing, warn, warnOnce: warn, error: warn, clearScreen: nothing };
  const made = await vite({
    ...{ root: inApp('.'), configFile: false, logLevel: 'warn' },
    customLogger: { ...logger, hasErrorLogged: () => false, hasWarned: false },
    build: {
      ...{ outDir: dirname(out), emptyOutDir: false, modulePreload: false },
      rolldownOptions: { input: inApp(entry), output: { entryFileNames: basename(out) } },
    },
  });
  return bundleOf(made as unknown as RollupOutput, warnings);
};

interface WebpackStats {
  toJson(options: object): {
    readonly modules: readonly {
      readonly nameForCondition?: string;
      readonly modules?: readonly { readonly nameForCondition?: string }[];
    }[];
    readonly warnings: readonly { readonly message: string }[];
    readonly errors: readonly { readonly message: string }[];
  };
}
type Webpack = (options: object, done: (error: Error | null, stats: WebpackStats) => void) => void;

const byWebpack: Bundler = async (entry, out) => {
  const webpack = createRequire(import.meta.url)(inInstalled('webpack')) as Webpack;
  const options = {
    ...{ mode: 'production', context: inApp('.'), entry: `./${entry}`, target: 'web' },
    output: { path: dirname(out), filename: basename(out) },
  };
  const stats = await new Promise<WebpackStats>((resolve, reject) => {
    webpack(options, (error, made) => (error ? reject(error) : resolve(made)));
  });
  const { modules, warnings, errors } = stats.toJson({
    all: false,
    modules: true,
    nestedModules: true,
    warnings: true,
    errors: true,
  });
  const { readFile } = await import('node:fs/promises');
  const each = modules.flatMap(({ modules: inner, ...outer }) => inner ?? [outer]);
  return {
    code: await readFile(out, 'utf8'),
    modules: each.map(({ nameForCondition = '' }) => nameForCondition).filter((name) => name !== ''),
    warnings: [...warnings, ...errors].map(({ message }) => message),
  };
};

/** By the name under which package.json knows them. */
export const bundlers: Readonly<Record<'vite' | 'webpack' | 'esbuild' | 'rollup', Bundler>> = {
  vite: byVite,
  webpack: byWebpack,
  esbuild: byEsbuild,
  rollup: byRollup,
};
