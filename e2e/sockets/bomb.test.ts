import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

// A decoder makes room for what a header promises. Ours looks at the headers first.

const program = fileURLToPath(new URL('./programs/bomb.mjs', import.meta.url));

/** In a process with a heap of 128 MiB. */
async function explode(...args: string[]) {
  const child = spawn(process.execPath, ['--max-old-space-size=128', program, ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await ended;
  return { said, complaints, isWell: code === 0 && signal === null };
}

test('nine thousand bytes kill a process that hands them to the library', async () => {
  const { complaints, isWell } = await explode('library');
  expect(isWell).toBe(false);
  expect(complaints).toContain('out of memory');
});

test('a server refuses them two hundred times, and grows by less than 32 MiB', async () => {
  const { said, complaints, isWell } = await explode('server', '200');
  expect([complaints, isWell]).toEqual(['', true]);
  const seen = JSON.parse(said);
  expect(seen).toMatchObject({ bytes: 9_000, codes: [4400] });
  expect(seen.grownBytes).toBeLessThan(32 * 1_048_576);
  expect(seen.peakBytes).toBeLessThan(192 * 1_048_576);
});
