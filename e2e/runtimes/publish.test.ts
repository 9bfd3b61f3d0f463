import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// What publishes the packages, as far as that can be looked at without doing it.

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const publish = (...args: readonly string[]) =>
  spawnSync(process.execPath, [`${root}/scripts/publish.mjs`, ...args], { encoding: 'utf8' });

test('every package is in the order, and in the versions that rise together', () => {
  const names = readdirSync(`${root}/packages`).sort();
  const [, order = ''] = /const order = \[(.*)\];/.exec(read('scripts/publish.mjs')) ?? [];
  expect([...order.matchAll(/'(\w+)'/g)].map(([, name]) => name).sort()).toEqual(names);
  const { fixed } = JSON.parse(read('.changeset/config.json'));
  expect(fixed[0].sort()).toEqual(names.map((name) => `@holdfast/${name}`));
});

test('a tag that is not of what is packed publishes nothing', () => {
  const { status, stdout, stderr } = publish('--tag', 'v99.0.0', '--dry-run');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^--tag 'v99\.0\.0' asks for holdfast-protocol-99\.0\.0\.tgz, and packed is holdfast-/,
  );
});

test('the one that is goes through to npm, which has nothing against it', () => {
  const { version } = JSON.parse(read('packages/protocol/package.json'));
  const { status, stdout, stderr } = publish('--tag', `v${version}`, '--dry-run');
  expect(status, stderr).toBe(0);
  const published = [...stdout.matchAll(/^\+ (\S+)$/gm)].map(([, name]) => name);
  expect(published).toHaveLength(9);
  expect(published[0]).toBe(`@holdfast/protocol@${version}`);
});

test.each(['test', 'release'])('%s.yml: actions by hash, and no more rights than it needs', (name) => {
  const text = read(`.github/workflows/${name}.yml`);
  const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
  for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
  expect(text).toMatch(/^permissions: \{\}$/m);
  const rights = [...text.matchAll(/^ {6}([\w-]+): (read|write)$/gm)].map(
    ([, right, how]) => `${right} ${how}`,
  );
  expect(rights).toEqual(name === 'test' ? ['contents read'] : ['contents read', 'id-token write']);
});
