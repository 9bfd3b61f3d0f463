import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ExampleFolder, freePort } from '../support/examples.js';

const run = promisify(execFile);
const folder = new ExampleFolder();
afterAll(() => folder.remove());

test('the example of docs/lite.md runs as it says', async () => {
  const program = folder.write('lite.mjs', await freePort(), 'docs/lite.md');
  const { stdout, stderr } = await run(process.execPath, [program], { timeout: 25_000 });
  expect(stderr).toBe('');
  const lines = ['coffee for ada', 'ada: hello', 'acknowledged', 'ERR_NO_HANDLER rejected', ''];
  expect(stdout.split('\n').sort()).toEqual(lines.sort());
});
