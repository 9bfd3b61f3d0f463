import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

// The same table as "paths" in tsconfig.base.json: these tests run on the sources, without a build.
const alias = [
  {
    find: /^@holdfast\/(protocol|client|server|testing|redis|nats|react|vue)$/,
    replacement: source('$1/src/index.ts'),
  },
  { find: /^@holdfast\/(client|server)\/ports$/, replacement: source('$1/src/ports.ts') },
  { find: '@holdfast/client/payload-codec', replacement: source('client/src/payload-codec.ts') },
  { find: '@holdfast/client/plain', replacement: source('client/src/plain.ts') },
  { find: '@holdfast/client/explain', replacement: source('client/src/explain.ts') },
  {
    find: /^@holdfast\/client\/(lite|react-native|storage(?:-file)?|stream|tabs|users)$/,
    replacement: source('client/src/$1.ts'),
  },
  { find: '@holdfast/server/jwt', replacement: source('server/src/jwt.ts') },
  { find: '@holdfast/server/metrics', replacement: source('server/src/metrics.ts') },
  { find: '@holdfast/testing/tcp-proxy', replacement: source('testing/src/tcp-proxy.ts') },
  { find: /^@holdfast\/(protocol|client|server)\/msgpack$/, replacement: source('$1/src/msgpack.ts') },
];

const long = process.env['HOLDFAST_LONG'] === '1';

// `npm test` sets this: a forgotten `.only` must not pass for the whole.
const allowOnly = process.env['HOLDFAST_WHOLE'] !== '1';

/** Tests on the sources. A warning, an error on the console or a stray rejection fails them. */
const onSources = (name: string, testTimeout: number, ...more: readonly string[]) => ({
  resolve: { alias },
  test: {
    name,
    include: [`packages/*/test/${name}/**/*.test.{ts,tsx}`, ...more],
    setupFiles: ['./test/quiet.ts'],
    allowOnly,
    testTimeout,
  },
});

/** The tests of the hooks once more, on the oldest React that they are for. */
const onReact18 = () => {
  const sources = onSources('unit', 10_000);
  const inReact18 = (replacement: string) => source(`react/test/react-18/node_modules/${replacement}`);
  const react = { find: /^(react|react-dom)(?=\/|$)/, replacement: inReact18('$1') };
  return {
    resolve: { alias: [react, ...alias] },
    test: {
      ...sources.test,
      name: 'react 18',
      env: { REACT: '18' },
      include: ['packages/react/test/unit/*.test.tsx'],
    },
  };
};

/** Tests on what is built: @holdfast/* resolves to dist through node_modules, as it does for a user. */
const onBuild = (name: string, more: { maxConcurrency?: number; globalSetup?: string[] } = {}) => ({
  test: {
    name,
    include: [`e2e/${name}/**/*.test.ts`],
    allowOnly,
    // What a test waits for has a deadline of its own, and a name; this one is for a machine with much beside it.
    testTimeout: long ? 900_000 : 90_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    ...more,
  },
});

export default defineConfig({
  test: {
    retry: 0,
    // Two cores: a third worker only makes the real-time tests jumpy.
    maxWorkers: 2,
    projects: [
      // The benchmark itself is run by hand; that it counts right is tested.
      onSources('unit', 10_000, 'bench/test/*.test.ts'),
      onReact18(),
      onSources('simulation', long ? 900_000 : 60_000),
      // A Redis of their own, and a NATS.
      onSources('redis', long ? 900_000 : 60_000),
      onBuild('sockets'),
      // Several processes each, which share the two cores.
      onBuild('cluster'),
      // Its tests mostly wait for what will not come.
      onBuild('conformance', { maxConcurrency: 6 }),
      onBuild('browser'),
      onBuild('packages'),
      onBuild('runtimes', { globalSetup: ['e2e/runtimes/setup.mjs'] }),
    ],
  },
});
