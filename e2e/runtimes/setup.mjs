// Before the tests of this folder: installs the runtimes, if they are not there, and a project of somebody who has installed
// the packed packages. Both take the npm registry only.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesUnder, hashOf } from '../../scripts/lib/hash.mjs';
import { pnpm } from '../../scripts/lib/pnpm.mjs';
import { root } from '../../scripts/lib/process.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const installed = join(here, 'installed');
const stamp = join(installed, 'node_modules/.installed-for');
const packed = join(root, '.build/packed');

/** What its programs import; React and Vue for what the compilers read. */
const beside = ['@types/node', '@types/react', 'react', 'vue', 'prom-client'];

function run(file, args, cwd, shell) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, encoding: 'utf8', shell });
  if (status !== 0)
    throw new Error(`${[file, ...args].join(' ')} has failed:\n${stdout}${stderr}${error ?? ''}`);
}

function installRuntimes() {
  const wanted = hashOf(
    filesUnder('e2e/runtimes/installed/package.json', 'e2e/runtimes/installed/pnpm-lock.yaml'),
    process.platform,
    process.arch,
  );
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Installing the runtimes: 1.1 GB, once ...');
  const { file, args, shell } = pnpm();
  const more = ['--ignore-workspace', 'install', '--frozen-lockfile', '--ignore-scripts', '--loglevel=error'];
  run(file, [...args, ...more], installed, shell);
  writeFileSync(stamp, wanted);
}

function tarballOf(name) {
  const folder = join(packed, name);
  const [file] = existsSync(folder) ? readdirSync(folder) : [];
  if (file === undefined) throw new Error(`@holdfast/${name} is not packed: npm test does that`);
  return join(folder, file);
}

/** The versions that the workspace has. */
function versionOf(name) {
  const places = [
    'node_modules',
    'packages/react/node_modules',
    'packages/vue/node_modules',
    'packages/server/node_modules',
  ];
  const manifest = places.map((place) => join(root, place, name, 'package.json')).find(existsSync);
  return `${name}@${JSON.parse(readFileSync(manifest, 'utf8')).version}`;
}

/** Away from this repository: some tools would read its tsconfig.json, and find the sources. */
function makeApp() {
  const app = mkdtempSync(join(tmpdir(), 'holdfast-runtimes-'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'an-app', private: true }));
  const packages = readdirSync(join(root, 'packages'));
  const what = [...packages.map(tarballOf), ...beside.map(versionOf)];
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...what];
  run('npm', args, app, process.platform === 'win32');
  cpSync(join(here, 'programs'), app, { recursive: true });
  return app;
}

export default function setup({ provide }) {
  installRuntimes();
  const app = makeApp();
  provide('app', app);
  return () => rmSync(app, { recursive: true });
}
