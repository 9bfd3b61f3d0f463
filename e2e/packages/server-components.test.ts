import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('server components render what uses the hooks as a reference for the browser, and are told where hooks do not belong', async () => {
  const program = fileURLToPath(new URL('programs/server-components/main.mjs', import.meta.url));
  const env = { ...process.env, NODE_ENV: 'production' };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--conditions', 'react-server', program],
    { env },
  );
  expect(stderr).toBe('');
  expect(stdout).toContain('1:I["chat",[],"Chat"]');
  expect(stdout).toContain('0:["$","main",null,{"children":["rendered at the server",["$","$L1",null,{}]]}]');
  expect(stdout).toContain(
    'Attempted to call createHooks() from the server but createHooks is on the client',
  );
});
