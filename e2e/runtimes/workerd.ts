import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { environment } from './ground.js';
import { app } from './places.js';

/** Starts workerd with workerd.capnp, and asks its worker for the story. */
export async function tellInWorkerd(program: string, origin: string): Promise<unknown> {
  const args = ['serve', 'workerd.capnp', '--control-fd=3'];
  const child = spawn(program, args, {
    cwd: app,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const ended = once(child, 'exit');
  try {
    const [line] = await Promise.race([once(child.stdio[3] as Readable, 'data'), ended]);
    const { port } = JSON.parse(String(line));
    const answer = await fetch(`http://127.0.0.1:${port}/?ground=${encodeURIComponent(origin)}`);
    return JSON.parse(await answer.text());
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
