import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder, freePort } from '../support/examples.js';

const folder = new ExampleFolder();
afterAll(() => folder.remove());

async function run(program: string, ...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [, signal] = await ended;
  return { said, complaints, signal };
}

test('the durable example of the README, beside its server: said, killed, and sent by its next life', async () => {
  const port = await freePort();
  const server = spawn(process.execPath, [folder.write('server.mjs', port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const heard = text(server.stdout);
  try {
    await once(server.stdout, 'data');
    const program = folder.write('durable.mjs', port);
    expect(await run(program, 'say')).toEqual({ said: '', complaints: '', signal: 'SIGKILL' });
    const next = await run(program);
    expect(next).toEqual({ said: 'welcome, ada\ntwo coffees acknowledged\n', complaints: '', signal: null });
  } finally {
    server.kill();
  }
  expect(await heard).toBe('listening\nada orders two coffees\nada orders and a cake\n');
});
