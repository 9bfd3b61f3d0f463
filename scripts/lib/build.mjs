import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, hashOf, packagesEach } from './hash.mjs';
import { root, runOrExit } from './process.mjs';

const rollup = 'node_modules/rollup/dist/bin/rollup';
const tsc = 'node_modules/typescript/bin/tsc';
const stamp = join(root, '.build/built-from');
/** The command has no door but its program. */
const products = () => [
  'playground/dist/serve.js',
  ...packagesEach('dist/index.js').map((path) => path.replace('cli/dist/index', 'cli/dist/holdfast')),
];

const sources = () =>
  hashOf(
    filesUnder(
      ...packagesEach('src'),
      ...packagesEach('package.json'),
      'playground/src',
      'playground/public',
      'playground/package.json',
      'pnpm-lock.yaml',
      'rollup.config.mjs',
      'tsconfig.base.json',
      'tsconfig.build.json',
    ),
  );

/** The sources may change while they are built; then the stamp tells of the older ones, and the next run builds. */
function stamped(build) {
  const builtFrom = sources();
  rmSync(stamp, { force: true });
  build();
  mkdirSync(join(root, '.build'), { recursive: true });
  writeFileSync(stamp, builtFrom);
}

export function buildIfStale() {
  const isFresh =
    existsSync(stamp) &&
    products().every((path) => existsSync(join(root, path))) &&
    readFileSync(stamp, 'utf8') === sources();
  if (isFresh) return;
  console.log('Building ...');
  buildJs();
}

/** What `npm start` needs: no declarations, so it takes two seconds. */
export const buildJs = () => stamped(() => runOrExit(rollup, ['-c', '--configJs', '--silent']));

/** What is published: from nothing, so that no file of an older build slips into a package. */
export const buildWithTypes = () =>
  stamped(() => {
    for (const path of ['.build/types', 'playground/dist', ...packagesEach('dist')]) {
      rmSync(join(root, path), { recursive: true, force: true });
    }
    runOrExit(tsc, ['-p', 'tsconfig.build.json']);
    runOrExit(rollup, ['-c', '--silent']);
    // Where nobody commits what a build writes, it is looked at by the checks.
    if (process.env['CI']) return;
    runOrExit('scripts/integrity.mjs', ['--write']);
    runOrExit('scripts/size.mjs', ['--write']);
  });
