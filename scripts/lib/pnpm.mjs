import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

let found;

/** The pnpm that package.json names: the installed one if it is that version, otherwise through npx. */
export function pnpm() {
  if (found) return found;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = packageManager.slice('pnpm@'.length);
  // On Windows npm, npx and pnpm are scripts for the shell.
  const shell = process.platform === 'win32';
  const installed = spawnSync('pnpm', ['--version'], { encoding: 'utf8', shell });
  found =
    installed.stdout?.trim() === version
      ? { file: 'pnpm', args: [], shell }
      : { file: 'npx', args: ['--yes', packageManager], shell };
  return found;
}
