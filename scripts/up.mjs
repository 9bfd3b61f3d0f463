// The door to everything: `npm start`, `npm test` and the rest come through here, on a machine that has
// nothing but Node and npm. It installs and builds what is missing or stale, then does what was asked.
// Until the installation is done, only Node's own modules may be imported.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale, buildJs, buildWithTypes } from './lib/build.mjs';
import { cleanEnvironment } from './lib/environment.mjs';
import { installIfStale } from './lib/install.mjs';
import { root, runOrExit } from './lib/process.mjs';

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`Holdfast needs Node 20 or newer; this is ${process.version}.`);
  process.exit(1);
}

process.chdir(root);
cleanEnvironment(process.env);
const [command = 'start', ...args] = process.argv.slice(2);

/**
 * Ctrl-C reaches this process twice: from the terminal, which signals everyone in the foreground, and from
 * npm, which passes on what it got. The program listens for the first; the second must not kill it while it
 * says goodbye. Whoever is still waiting after two seconds and presses again means it.
 */
function tolerateRepeatedSignals() {
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      first ||= Date.now();
      if (Date.now() - first > 2000) process.exit(130);
    });
  }
}

/**
 * Not part of the build: whoever does not run them need not wait for them. Without the "paths" of the workspace: what is
 * measured and tested is what is built.
 */
function bundle(out, ...programs) {
  const flags = ['--bundle', '--packages=external', '--platform=node', '--format=esm', '--target=node20'];
  const more = ['--tsconfig-raw={}', `--outdir=${out}`, '--log-level=warning'];
  runOrExit('node_modules/esbuild/bin/esbuild', [...programs, ...flags, ...more]);
}
const buildCuts = () => bundle('bench/dist', 'bench/src/cuts.ts', 'bench/src/side.ts');
const buildSlow = () =>
  bundle('bench/dist/slow', ...['main', 'server', 'crowd'].map((name) => `bench/src/slow/${name}.ts`));
const buildScale = () => bundle('bench/dist/scale', 'bench/src/scale/main.ts');
const buildSpeed = () =>
  bundle('bench/dist/speed', ...['main', 'server', 'client'].map((name) => `bench/src/speed/${name}.ts`));
const buildConformance = () => bundle('e2e/dist', 'e2e/conformance/main.ts');
const buildCluster = () => bundle('e2e/dist/cluster', 'e2e/cluster/main.ts');

/** The simulators run on the sources and need no build of the packages. */
async function simulate(room, command) {
  installIfStale();
  const program = `.build/simulation/${command}.mjs`;
  const flags = ['--bundle', '--external:esbuild', '--platform=node', '--format=esm', '--target=node20'];
  const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
  const out = ['--tsconfig=tsconfig.base.json', `--outfile=${program}`, '--log-level=warning'];
  const source = `packages/testing/test/${room}/cli.ts`;
  runOrExit('node_modules/esbuild/bin/esbuild', [source, ...flags, ...out, `--banner:js=${banner}`]);
  process.argv = [process.argv[0], command, ...args];
  await import(pathToFileURL(join(root, program)).href);
}

/** Redis and nginx are no packages of npm's. */
async function cluster() {
  installIfStale();
  const { ensurePart } = await import('./lib/system-parts.mjs');
  for (const name of ['redis', 'nginx']) {
    const { isThere, output } = await ensurePart(name);
    if (!isThere) {
      console.error(output);
      process.exit(1);
    }
  }
  await become('e2e/dist/cluster/main.js', buildCluster);
}

/** In this very process, so that there is nobody to forward signals, input and exit codes to. */
async function become(program, buildMore) {
  installIfStale();
  buildIfStale();
  buildMore?.();
  const path = join(root, program);
  if (!existsSync(path)) throw new Error(`${program} is not there, although the build has passed`);
  tolerateRepeatedSignals();
  process.argv = [process.argv[0], path, ...args];
  await import(pathToFileURL(path).href);
}

const commands = {
  start: () => become('playground/dist/serve.js'),
  bot: () => become('playground/dist/bot.js'),
  cluster,
  bench: () => become('bench/dist/speed/main.js', buildSpeed),
  'bench:cuts': () => become('bench/dist/cuts.js', buildCuts),
  'bench:slow': () => become('bench/dist/slow/main.js', buildSlow),
  'bench:scale': () => become('bench/dist/scale/main.js', buildScale),
  sim: () => simulate('simulator', 'sim'),
  herd: () => simulate('herd', 'herd'),
  conformance: () => become('e2e/dist/main.js', buildConformance),
  async test() {
    installIfStale();
    await (await import('./test.mjs')).main({ long: args.includes('--long') });
  },
  async check() {
    installIfStale();
    await (await import('./test.mjs')).main({ only: 'quick' });
  },
  build() {
    installIfStale();
    if (args.includes('--js')) buildJs();
    else buildWithTypes();
  },
  format() {
    installIfStale();
    runOrExit('node_modules/@biomejs/biome/bin/biome', ['check', '--write', '.']);
  },
};

if (!Object.hasOwn(commands, command)) {
  console.error(`unknown command "${command}"; there are: ${Object.keys(commands).join(', ')}`);
  process.exit(1);
}
await commands[command]();
