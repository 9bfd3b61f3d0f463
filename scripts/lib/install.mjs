import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, hashOf, packagesEach } from './hash.mjs';
import { pnpm } from './pnpm.mjs';
import { exitUnlessFine, root } from './process.mjs';

const stamp = join(root, 'node_modules/.installed-for');
const members = () => ['bench', 'e2e', 'examples/protobuf', 'playground', ...packagesEach()];

/** Installing on a machine of another kind would need other binaries, hence platform and architecture. */
const wanted = () =>
  hashOf(
    filesUnder(
      'package.json',
      'pnpm-lock.yaml',
      'pnpm-workspace.yaml',
      ...members().map((member) => `${member}/package.json`),
    ),
    process.platform,
    process.arch,
  );

/** Somebody may have swept a member's node_modules away; one without dependencies never has any. */
function isLinked(member) {
  const manifest = join(root, member, 'package.json');
  if (!existsSync(manifest)) return true;
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
  const isNeeded = Object.keys({ ...dependencies, ...devDependencies }).length > 0;
  return !isNeeded || existsSync(join(root, member, 'node_modules'));
}

const isFresh = () =>
  existsSync(stamp) && members().every(isLinked) && readFileSync(stamp, 'utf8') === wanted();

/** Asks pnpm only when a manifest or the lockfile is not the one last installed: a look takes milliseconds. */
export function installIfStale() {
  if (isFresh()) return;
  console.log('Installing what is needed ...');
  const { file, args, shell } = pnpm();
  const result = spawnSync(file, [...args, 'install', '--reporter=append-only', '--loglevel=warn'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell,
  });
  if (result.status !== 0) console.error('The installation has failed; the reason is above.');
  exitUnlessFine(result);
  // Again, because the installation may have brought the lockfile up to date.
  writeFileSync(stamp, wanted());
}
