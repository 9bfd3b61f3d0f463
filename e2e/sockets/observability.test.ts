import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';
import { prometheus } from '@holdfast/server/metrics';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/examples.js';

test('examples/opentelemetry shows one trace from the client to the publication', async () => {
  const program = fileURLToPath(new URL('../../examples/opentelemetry/main.mjs', import.meta.url));
  const run = spawn(process.execPath, [program]);
  onTestFinished(() => void run.kill('SIGKILL'));
  const [said, complained] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'exit')]);
  expect(complained).toBe('');
  expect(said).toBe("the publication belongs to 'handle order'\nwhose parent is 'click'\nin one trace\n");
});

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;
const token = 'a-token-of-sixteen-or-more';

/** A real Prometheus that scrapes `target` each second. Returns its address. */
async function startPrometheus(target: string): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-prometheus-'));
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [
      {
        job_name: 'holdfast',
        authorization: { credentials: token },
        static_configs: [{ targets: [target] }],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(home, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`--config.file=${join(home, 'prometheus.yml')}`, `--storage.tsdb.path=${join(home, 'data')}`];
  const run: ChildProcess = spawn('prometheus', [...args, `--web.listen-address=${address}`], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    const exit = once(run, 'exit');
    run.kill('SIGKILL');
    await exit;
    rmSync(home, { recursive: true });
  });
  return `http://${address}`;
}

/** The value of an expression, as soon as there is one. */
async function asked(url: string, query: string): Promise<string> {
  for (let left = 300; left > 0; left--) {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
      () => undefined,
    );
    if (response?.ok) {
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      const [first] = data.result;
      if (first) return first.value[1];
    }
    await sleep(200);
  }
  throw new Error(`Prometheus has no answer to ${query}`);
}

test.skipIf(!hasPrometheus)('a real Prometheus, where one is installed, scrapes /metrics', async () => {
  const metrics = prometheus();
  const server = createHoldfastServer({ observe: metrics });
  server.handle('echo', (input) => input);
  const pages = server.operations({ metrics, allow: token });
  const http = createServer((request, response) => {
    if (!pages(request, response)) response.writeHead(404).end();
  });
  server.attach(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = createClient({ url: `ws://${target}/realtime` });
  onTestFinished(async () => {
    await client.close();
    await server.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  await client.connect();
  expect(await client.request('echo', 1)).toBe(1);

  const url = await startPrometheus(target);
  expect(await asked(url, 'holdfast_connections == 1')).toBe('1');
  expect(await asked(url, 'holdfast_messages_total{direction="in"}')).toBe('1');
  expect(await asked(url, 'holdfast_attaches_total{verdict="new"}')).toBe('1');
  expect(await asked(url, 'holdfast_handler_seconds_count{kind="request",name="echo"}')).toBe('1');
  expect(await asked(url, 'up{job="holdfast"}')).toBe('1');
});
