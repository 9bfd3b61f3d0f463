import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inApp } from './places.js';

// What stands in the manifests as they are packed: pnpm writes them anew, npm would leave the words of the workspace in.

const ours = 'node_modules/@holdfast';
const names = readdirSync(inApp(ours));

test('every package is packed and installed', () => {
  const folders = readdirSync(new URL('../../packages', import.meta.url));
  expect(names.sort()).toEqual(folders.sort());
});

describe.each(names)('@holdfast/%s', (name) => {
  const text = readFileSync(inApp(`${ours}/${name}/package.json`), 'utf8');
  const manifest = JSON.parse(text);

  test('asks for its neighbours by version, exactly or as a peer', () => {
    expect(text).not.toMatch(/workspace:|link:|file:/);
    const exact = Object.entries<string>(manifest.dependencies ?? {}).filter(([one]) =>
      one.startsWith('@holdfast/'),
    );
    for (const [, version] of exact) expect(version).toBe(manifest.version);
    for (const version of Object.values<string>(manifest.dependencies ?? {})) expect(version).toMatch(/^\d/);
  });

  test('runs nothing when it is installed, has a license, and nothing but what is built', () => {
    expect(Object.keys(manifest.scripts ?? {})).toEqual([]);
    expect(existsSync(inApp(`${ours}/${name}/LICENSE`))).toBe(true);
    const rest = readdirSync(inApp(`${ours}/${name}`)).filter(
      (file) => file !== 'README.md' && file !== 'node_modules',
    );
    expect(rest.sort()).toEqual(['LICENSE', 'dist', 'package.json']);
  });
});
