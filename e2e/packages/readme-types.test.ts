import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder, example } from '../support/examples.js';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const folder = new ExampleFolder();
afterAll(() => folder.remove());

test('what the README shows in TypeScript compiles as it stands there', async () => {
  const files = ['contract.ts', 'chat.tsx', 'dashboard.ts'];
  for (const name of files) folder.writeCode(name, example(name));
  // Its own declarations are not installed here.
  folder.writeCode(
    'react-dom.d.ts',
    `declare module 'react-dom/client' {
      export function createRoot(place: Element): { render(what: import('react').ReactNode): void };
    }`,
  );
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, jsx: 'react-jsx', types: [] },
    ...{
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022', 'dom', 'dom.iterable'],
    },
  };
  const project = { compilerOptions, files: [...files, 'react-dom.d.ts'] };
  const config = folder.writeCode('tsconfig.json', JSON.stringify(project));
  const complaints = await promisify(execFile)(process.execPath, [tsc, '-p', config]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  expect(complaints).toBe('');
});
