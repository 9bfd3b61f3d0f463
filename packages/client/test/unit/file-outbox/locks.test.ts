import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileOutbox } from '../../../src/platform/node/file-outbox.js';
import { fill, folder, look, messages, refusal } from './files.js';

const holding = (path: string) => {
  const code =
    "require('node:fs').writeFileSync(process.argv[1], String(process.pid)); process.send(1); setInterval(() => 0, 1e6)";
  const child = spawn(process.execPath, ['-e', code, `${path}.lock`], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

test('that another process has: an error that names it, and nothing is touched', async () => {
  const path = join(folder(), 'outbox');
  await fill(path, messages(1, 1));
  const child = holding(path);
  await once(child, 'message');
  expect(await refusal(path)).toContain(`the process ${child.pid} has it`);
  expect(await refusal(path)).toContain(`${path}.lock`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Its lock is left, and counts for nothing.
  expect(existsSync(`${path}.lock`)).toBe(true);
  expect((await look(path)).numbers).toEqual([1]);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test.each(['', 'nonsense', '-1', '0', String(process.pid)])(
  'a lock that says "%s" is no lock',
  async (content) => {
    const path = join(folder(), 'outbox');
    writeFileSync(`${path}.lock`, content);
    expect(await refusal(path)).toBe('it has opened');
  },
);

test('twice in one program: the second is told so, by whatever name, until the first has closed', async () => {
  const home = folder();
  const path = join(home, 'outbox');
  const first = await new FileOutbox(path).open('ada');
  expect(await refusal(path)).toBe('another client of this program has it');
  expect(await refusal(`${home}/x/../outbox`)).toBe('another client of this program has it');
  await first.close();
  expect(await refusal(path)).toBe('it has opened');
});

test('a refusal leaves nothing behind that would refuse the next', async () => {
  const home = folder();
  const path = join(home, 'outbox');
  mkdirSync(path);
  expect(await refusal(path)).toMatch(/EISDIR/);
  expect(await refusal(path)).toMatch(/EISDIR/);
  expect(readdirSync(home)).toEqual(['outbox']);
});

test('a path through a file, and a folder that nobody may write to', async () => {
  const home = folder();
  writeFileSync(join(home, 'file'), '');
  expect(await refusal(join(home, 'file', 'outbox'))).toMatch(/ENOTDIR|EEXIST/);
  if (process.getuid?.() === 0) return;
  mkdirSync(join(home, 'closed'));
  chmodSync(join(home, 'closed'), 0o500);
  expect(await refusal(join(home, 'closed', 'outbox'))).toMatch(/EACCES/);
});
