import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Made by setup.mjs. */
    readonly app: string;
  }
}

/** A project of somebody who has installed the packed packages, with the programs of this folder. */
export const app = inject('app');
export const inApp = (file: string): string => join(app, file);

const installed = fileURLToPath(new URL('installed', import.meta.url));

/** Where something of `installed/package.json` lies. */
export const inInstalled = (path: string): string => join(installed, 'node_modules', path);

/** The version that `installed/package.json` or the root names. */
export function versionOf(name: string): string {
  for (const folder of [installed, fileURLToPath(new URL('../..', import.meta.url))]) {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const version: string | undefined = { ...dependencies, ...optionalDependencies, ...devDependencies }[
      name
    ];
    if (version !== undefined) return version.slice(version.lastIndexOf('@') + 1);
  }
  throw new Error(`no package.json names ${name}`);
}

/** npm has the runtimes as packages for each kind of machine; those named here are for one. */
export const areRuntimesHere = process.platform === 'linux' && process.arch === 'x64';

/** Throws where it should be and is not. */
export function runtime(path: string): string {
  const program = inInstalled(path);
  if (!existsSync(program)) throw new Error(`${program} is not there: the installation has left it out`);
  return program;
}
