// Publishes the tarballs that `npm test` has packed and looked at (.build/packed), each after those that it asks for. What is
// published already is passed over, so that a run that broke in the middle can be repeated. For .github/workflows/release.yml;
// it uses nothing but Node and npm.
//
//   --tag v1.2.3                what is to be released; every tarball has to be of that version
//   --dry-run                   npm only says what it would do, without provenance
//   --repository OWNER/NAME     instead of all this: writes into every manifest where it comes from

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Dependencies first. */
const order = ['protocol', 'client', 'server', 'redis', 'nats', 'testing', 'react', 'vue', 'cli'];

const { values } = parseArgs({
  options: { tag: { type: 'string' }, 'dry-run': { type: 'boolean' }, repository: { type: 'string' } },
});
if (values.repository) nameRepository(values.repository);
else publish(values.tag ?? '', values['dry-run'] ?? false);

function nameRepository(repository) {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) fail(`--repository: '${repository}' is not OWNER/NAME`);
  for (const name of order) {
    const path = join(root, 'packages', name, 'package.json');
    const { dependencies, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
    const url = `git+https://github.com/${repository}.git`;
    const said = { ...manifest, repository: { type: 'git', url, directory: `packages/${name}` } };
    writeFileSync(path, `${JSON.stringify(dependencies ? { ...said, dependencies } : said, null, 2)}\n`);
  }
}

function publish(tag, isDry) {
  const tarballs = order.map((name) => tarballOf(name, tag));
  for (const { name, version, file } of tarballs) {
    if (!isDry && isPublished(name, version)) {
      console.log(`${name}@${version} is there already`);
      continue;
    }
    const manner = isDry ? ['--dry-run'] : ['--provenance'];
    const { status } = spawnSync('npm', ['publish', file, '--access', 'public', ...manner], {
      stdio: 'inherit',
    });
    if (status !== 0) fail(`${name}@${version} could not be published`);
  }
}

function tarballOf(name, tag) {
  const folder = join(root, '.build/packed', name);
  const files = readdirSync(folder);
  const version = tag.replace(/^v/, '');
  const wanted = `holdfast-${name}-${version}.tgz`;
  if (files.length !== 1 || files[0] !== wanted) {
    fail(`--tag '${tag}' asks for ${wanted}, and packed is ${files.join(', ') || 'nothing'}`);
  }
  return { name: `@holdfast/${name}`, version, file: join(folder, wanted) };
}

function isPublished(name, version) {
  const { stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' });
  return stdout.trim() === version;
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
