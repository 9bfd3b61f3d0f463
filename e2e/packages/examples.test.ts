import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@holdfast/client';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { ExampleFolder, freePort, startExample } from '../support/examples.js';

test('a bot in Node answers in its room, and says what it has begun when it is stopped', async () => {
  const { child, url, stop, complaints } = await startExample('node-bot', { PORT: String(await freePort()) });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ada = createClient({ url, auth: 'ada' });
  onTestFinished(() => ada.close());
  const lobby = ada.room('chat:lobby');
  const heard: string[] = [];
  lobby.on('message', (payload) => heard.push((payload as { text: string }).text));
  await ada.connect();
  await lobby.join();
  expect(lobby.members.map(({ userId }) => userId)).toContain('bot');
  await lobby.send('message', { text: 'good morning' });
  await lobby.send('message', { text: '!time' });
  await expect.poll(() => heard).toEqual([expect.stringMatching(/^ada: \d{4}-\d\d-\d\dT/)]);
  await lobby.send('message', { text: '!count 5' });
  await expect.poll(() => heard.slice(1)).toEqual(['1', '2', '3', '4', '5']);
  // In the middle of something long: no more is begun, and nothing is said to have failed.
  await lobby.send('message', { text: '!count 1000' });
  await expect.poll(() => heard.slice(6)).toContain('2');
  expect(await stop()).toBe(0);
  expect(await complaints()).toBe('');
});

test('a device that speaks MessagePack and a page that speaks JSON hear each other', async () => {
  const { child, output } = await startExample('mixed-codecs', { PORT: String(await freePort()) });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await output()).toBe(`the page hears {
  from: 'camera',
  taken: 1970-01-01T00:00:00.000Z,
  serial: 18446744073709551616n,
  bytes: Uint8Array(3) [ 1, 2, 3 ]
}
the device hears { from: 'page', at: Uint8Array(1) [ 9 ] }
`);
  expect(child.exitCode).toBe(0);
});

test('a test of an application, with the kit', async () => {
  const folder = new ExampleFolder();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, 'testing.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../samples/testing.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'node20',
    tsconfigRaw: {},
  });
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', file]);
  expect(stdout).toMatch(/^# pass 1$/m);
});
