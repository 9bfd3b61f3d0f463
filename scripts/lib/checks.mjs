// The checks of `npm test` that are no tests of vitest's: each counts as one.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm } from './pnpm.mjs';
import { root, run, runTool } from './process.mjs';

const bin = {
  attw: 'node_modules/@arethetypeswrong/cli/dist/index.js',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  depcruise: 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  knip: 'node_modules/knip/bin/knip.js',
  publint: 'node_modules/publint/src/cli.js',
  tsc: 'node_modules/typescript/bin/tsc',
  vueTsc: 'examples/vue-dashboard/node_modules/vue-tsc/bin/vue-tsc.js',
};

const quiet = { quiet: true };
const tool = (name, ...args) => runTool(bin[name], args, quiet);
const script = (path, ...args) => runTool(`scripts/${path}`, args, quiet);

/** Takes seconds: what `npm run check` runs. */
export const quickChecks = [
  { name: 'types', run: () => tool('tsc', '--noEmit', '-p', 'tsconfig.json') },
  { name: 'lint and format', run: () => tool('biome', 'check', '--error-on-warnings', '.') },
  { name: 'import law', run: checkImports },
  { name: 'law of globals', run: () => script('laws/globals.mjs') },
  { name: 'length of files', run: () => script('laws/length.mjs'), showsOutput: true },
  { name: 'dead code, unused dependencies', run: () => tool('knip', '--no-progress') },
  { name: 'each risk has its tests', run: () => script('audit-security.mjs') },
];

export const build = { name: 'build', run: () => script('up.mjs', 'build') };

/** What can be asked only of what is built. */
export const builtChecks = [
  ...readdirSync(join(root, 'packages')).map((name) => ({
    name: `package @holdfast/${name}`,
    run: () => checkPackage(name),
  })),
  { name: 'size of the client', run: () => script('size.mjs'), showsOutput: true },
  { name: 'integrity of its scripts', run: () => script('integrity.mjs'), showsOutput: true },
  // They are written for the packages as they are built.
  { name: 'types of examples/react-chat', run: () => tool('tsc', '-p', 'examples/react-chat') },
  { name: 'types of examples/vue-dashboard', run: () => tool('vueTsc', '-p', 'examples/vue-dashboard') },
  { name: 'cost of types', run: () => script('types-cost.mjs'), showsOutput: true },
];

function checkImports() {
  const folders = ['packages', 'playground', 'bench', 'e2e', 'examples', 'test'];
  return tool('depcruise', ...folders, '--config', '.dependency-cruiser.mjs', '--output-type', 'err-long');
}

/** Packs a package as it would be published, and has the tarball, not the folder, looked at. */
async function checkPackage(name) {
  const folder = join(root, '.build/packed', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { file, args, shell } = pnpm();
  const pack = [...args, '--dir', join(root, 'packages', name), 'pack', '--pack-destination', folder];
  const packed = await run(file, pack, { ...quiet, shell });
  const [tarball] = readdirSync(folder);
  if (!packed.ok || !tarball) return { ...packed, ok: false };
  const path = join(folder, tarball);
  const lint = await tool('publint', '--strict', path);
  // node16: Node before 12.7 knows no "exports" and would miss ./ports; the packages ask for Node 20.
  const types = await tool('attw', '--profile', 'node16', '--no-emoji', '--no-color', path);
  return { ok: lint.ok && types.ok, output: `${lint.output}\n${types.output}` };
}
