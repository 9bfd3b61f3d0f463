import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from './peers.js';

// A program that says durable messages is killed again and again, on a network that is cut now and then.

const LIVES = process.env['HOLDFAST_LONG'] === '1' ? 200 : 40;
const program = fileURLToPath(new URL('./programs/killed.mjs', import.meta.url));

/** All that a life has printed until it ended: by itself, or killed so many ms after its first word. */
async function live(args: readonly string[], killAtMs = Infinity): Promise<string[]> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '' && killAtMs < Infinity) setTimeout(() => child.kill('SIGKILL'), killAtMs);
    said += text;
  });
  await ended;
  return said.split('\n').slice(0, -1);
}

test(`killed ${LIVES} times: what was stored arrives, once and in order`, {
  timeout: 600_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { server, url } = await serve({ auth: (token) => ({ user: { id: token ?? 'nobody' } }) });
  const noted: number[] = [];
  server.on('note', (n) => noted.push(n as number));
  const proxy = await createTcpProxy({ target: { port: Number(new URL(url).port) } });
  onTestFinished(() => proxy.close());
  const path = join(folder, 'outbox');
  const args = [`ws://127.0.0.1:${proxy.port}/realtime`, path];
  const numbers = (lines: readonly string[]) => lines.map((line) => Number(line.split(' ')[1]));

  const stored: number[] = [];
  const complaints: string[] = [];
  for (let life = 0; life < LIVES; life++) {
    // Every third cannot reach its server, and leaves all to the next one.
    if (life % 3 === 2) proxy.refuse();
    else proxy.heal();
    const cut = setInterval(() => void proxy.cut({ how: life % 2 === 0 ? 'reset' : 'end' }), 90);
    const lines = await live([...args, String(1_000 * (life + 1))], Math.random() * 200);
    clearInterval(cut);
    stored.push(...numbers(lines.filter((line) => line.startsWith('stored '))));
    complaints.push(...lines.filter((line) => !line.startsWith('stored ')));
  }
  proxy.heal();
  const last = await live([...args, 'last']);
  const again = await live([...args, 'last']);

  expect(complaints).toEqual([]);
  const own = noted.filter((n) => n < 1e9);
  const arrived = new Set(own);
  expect(stored.filter((n) => !arrived.has(n))).toEqual([]);
  expect(own).toEqual([...arrived].sort((one, other) => one - other));
  // Nothing is left for another life; the file has not grown.
  expect([last.at(-1), again]).toEqual(['closed', ['closed']]);
  expect(statSync(path).size).toBeLessThan(1_000_000);
  expect(stored.length).toBeGreaterThan(LIVES);
  context.annotate(`${LIVES} kills: ${stored.length} reported as stored, ${own.length} arrived`);
});
