import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createHoldfastServer } from '@holdfast/server';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder } from '../support/examples.js';

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

test('the durable example of the README: said, killed, and sent by its next life', async () => {
  const server = createHoldfastServer({ auth: (token) => ({ user: { id: token ?? 'nobody' } }) });
  const orders: unknown[] = [];
  server.on('order', (order, { session }) => orders.push(`${session.user.id}: ${order}`));
  const { port } = await server.listen(0, '127.0.0.1');
  try {
    const program = folder.write('durable.mjs', port);
    expect(await run(program, 'say')).toEqual({ said: '', complaints: '', signal: 'SIGKILL' });
    expect(orders).toEqual([]);
    const next = await run(program);
    expect(next).toEqual({ said: 'two coffees acknowledged\n', complaints: '', signal: null });
    expect(orders).toEqual(['ada: two coffees', 'ada: and a cake']);
  } finally {
    await server.close();
  }
});
