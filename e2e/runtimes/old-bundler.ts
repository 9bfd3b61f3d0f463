import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { inApp, inInstalled } from './places.js';

type Webpack4 = (
  options: object,
  done: (error: Error | null, stats: { toJson(options: object): Faults }) => void,
) => void;
interface Faults {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const { resolve } = createRequire(import.meta.url);

/** What docs/runtimes.md says for old bundlers. */
const recipe = () => ({
  rules: [
    { test: /\.mjs$/, type: 'javascript/auto' },
    {
      test: /\.[cm]?js$/,
      include: /node_modules.@(holdfast|msgpack)/,
      loader: inApp('compile-down.cjs'),
      options: { esbuild: resolve('esbuild') },
    },
  ],
});

/** webpack 4, which knows neither `exports` nor the syntax of ES2022; what it complained about. */
export async function buildByWebpack4(
  entry: string,
  out: string,
  { compiledDown }: { readonly compiledDown: boolean },
): Promise<string[]> {
  const webpack = createRequire(import.meta.url)(inInstalled('webpack-4')) as Webpack4;
  const options = {
    ...{ mode: 'production', context: inApp('.'), entry: `./${entry}`, target: 'web' },
    ...{ performance: false, optimization: { minimize: false } },
    output: { path: dirname(out), filename: basename(out) },
    ...(compiledDown ? { module: recipe() } : {}),
  };
  const { errors, warnings } = await new Promise<Faults>((resolve, reject) => {
    webpack(options, (error, made) =>
      error ? reject(error) : resolve(made.toJson({ all: false, errors: true, warnings: true })),
    );
  });
  return [...errors, ...warnings];
}
