import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder, example, freePort } from '../support/examples.js';

const run = promisify(execFile);
const folder = new ExampleFolder();
afterAll(() => folder.remove());

test('the program of docs/authentication.md lets in, refuses and revokes', async () => {
  const code = example('auth.mjs', 'docs/authentication.md').replaceAll('3000', String(await freePort()));
  const { stdout, stderr } = await run(process.execPath, [folder.writeCode('auth.mjs', code)]);
  expect([stdout.split('\n'), stderr]).toEqual([
    ['bob ERR_REJECTED', 'eve ERR_AUTH_REFUSED banned', 'ada token-revoked', ''],
    '',
  ]);
});
