import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder, freePort } from '../support/examples.js';

const run = promisify(execFile);
const folder = new ExampleFolder();
afterAll(() => folder.remove());

test('the server and the client of the README talk as it says', async () => {
  const port = await freePort();
  const server = spawn(process.execPath, [folder.write('server.mjs', port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(server.stdout, 'data');
    expect(said).toBe('listening\n');
    const { stdout, stderr } = await run(process.execPath, [folder.write('client.mjs', port)]);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'connecting',
      'connected',
      'welcome, ada',
      '3',
      "[ { userId: 'ada', sessions: 1 } ]",
      'acknowledged',
      'rejected no-name',
      'closed',
      '',
    ]);
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});

test('whom the README tells', async () => {
  const { stdout, stderr } = await run(process.execPath, [folder.write('targets.mjs', await freePort())]);
  expect(stderr).toBe('');
  expect(stdout.split('\n').sort()).toEqual(
    [
      'me on each of your devices',
      'not here: zoe',
      'chat:lobby once each, also for who is in both',
      "[ 'ada' ]",
      'the server has ended this session: logged out',
      '',
    ].sort(),
  );
});

test('who is there, what they say of themselves and who is typing, as the README shows it', async () => {
  const { stdout, stderr } = await run(process.execPath, [folder.write('presence.mjs', await freePort())]);
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'ada: here',
    'ada: here bob: here',
    'ada: here bob: busy',
    'bob is typing',
    '',
  ]);
});

test('the namespace of the README lets in whom it says, and reaches the others', async () => {
  const { stdout, stderr } = await run(process.execPath, [folder.write('namespaces.mjs', await freePort())]);
  expect(stderr).toBe('');
  expect(stdout).toBe('ERR_REJECTED admins-only\ntea at four\n1\n');
});

test('the streams of the README count to three, and end', async () => {
  const { stdout, stderr } = await run(process.execPath, [folder.write('streams.mjs', await freePort())]);
  expect(stderr).toBe('');
  expect(stdout).toBe('1\n2\n3\nleft, or done\n');
});

test('the test of the README passes in the test runner of Node', async () => {
  const { stdout } = await run(process.execPath, ['--test', folder.write('outage.test.mjs', 0)]);
  expect(stdout).toMatch(/# pass 1\n/);
  expect(stdout).toMatch(/# fail 0\n/);
});
