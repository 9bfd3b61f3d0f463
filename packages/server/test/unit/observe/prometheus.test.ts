import { RejectError } from '@holdfast/server';
import { type PrometheusOptions, prometheus } from '@holdfast/server/metrics';
import { createTestbed, type TestbedOptions } from '@holdfast/testing';
import { Counter, Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';

function openBed(options: TestbedOptions) {
  const bed = createTestbed(options);
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
}

/** What a scrape says of one metric, line by line, without its help. */
async function scraped({ metrics }: { metrics(): Promise<string> }, name: string): Promise<string[]> {
  return (await metrics()).split('\n').filter((line) => line.startsWith(name));
}

test('a scrape says what the server has done', async () => {
  const metrics = prometheus();
  const bed = openBed({
    observe: metrics,
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('note', () => undefined);
      server.handle('slow', () => new Promise((resolve) => bed.clock.setTimer(() => resolve('done'), 70)));
      server.handle('no', () => Promise.reject(new RejectError('no')));
      server.onSession((session) => void session.send('welcome', {}));
    },
  });
  const client = bed.createClient();
  client.on('welcome', () => undefined);
  await bed.until(client.connect());
  await bed.until(client.room('lobby').join());
  await bed.until(client.send('note', 1));
  await bed.until(client.request('slow'));
  await bed.until(client.request('no').catch(() => undefined));
  await bed.until(client.send('made\nup', 1).catch(() => undefined));
  await bed.advance(1_000);
  bed.cut(client);
  await bed.until(client.connect());
  await bed.advance(1_000);
  const text = await metrics.metrics();
  for (const line of [
    'holdfast_connections 1',
    'holdfast_sessions 1',
    'holdfast_users 1',
    'holdfast_rooms 1',
    'holdfast_outbox_bytes 0',
    'holdfast_draining 0',
    'holdfast_attaches_total{verdict="new"} 1',
    'holdfast_attaches_total{verdict="resumed"} 1',
    'holdfast_attaches_total{verdict="lost"} 0',
    'holdfast_detaches_total{code="1006"} 1',
    'holdfast_messages_total{direction="in"} 5',
    'holdfast_messages_total{direction="out"} 5',
    'holdfast_dropped_messages_total{reason="outbox-full"} 0',
    'holdfast_limited_total{limit="handshakes"} 0',
    'holdfast_errors_total{code="ERR_REJECTED"} 1',
    'holdfast_errors_total{code="ERR_NO_HANDLER"} 1',
    'holdfast_failures_total 0',
    'holdfast_handshake_seconds_count 2',
    'holdfast_handshake_seconds_bucket{le="0.05"} 2',
    'holdfast_ack_seconds_count 5',
    'holdfast_ack_seconds_bucket{le="0.1"} 5',
    'holdfast_handler_seconds_sum{kind="request",name="slow"} 0.07',
    'holdfast_handler_seconds_count{kind="event",name="note"} 1',
    'holdfast_handler_seconds_count{kind="request",name="$join"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('made');
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('a close code of a client that nobody knows makes no label of its own', async () => {
  const metrics = prometheus();
  for (const code of [1_006, 4_321, 4_322]) metrics.detached?.({ sessionId: 's', code, reason: '' });
  expect(await scraped(metrics, 'holdfast_detaches_total')).toEqual([
    'holdfast_detaches_total{code="1006"} 1',
    'holdfast_detaches_total{code="other"} 2',
  ]);
});

test('gauges say nothing where nothing is known: before there is a server, or of a store that cannot tell', async () => {
  const metrics = prometheus();
  expect(await scraped(metrics, 'holdfast_connections')).toEqual([]);
  const stats = { connections: 2, sessions: 3, users: 1, rooms: 0, messagesIn: 0, messagesOut: 0, errors: 0 };
  metrics.serving?.(() => ({ ...stats, draining: true }));
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 2']);
  expect(await scraped(metrics, 'holdfast_draining')).toEqual(['holdfast_draining 1']);
  expect(await scraped(metrics, 'holdfast_outbox_bytes')).toEqual([]);
});

test('a scrape asks the server once, and each scrape anew, also of one metric alone', async () => {
  const metrics = prometheus();
  const stats = { sessions: 0, users: 0, rooms: 0, outboxBytes: 0, messagesIn: 0, messagesOut: 0, errors: 0 };
  let asked = 0;
  metrics.serving?.(() => ({ ...stats, connections: ++asked, draining: false }));
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 1']);
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 2']);
  await metrics.registry.getSingleMetricAsString('holdfast_users');
  const alone = await metrics.registry.getSingleMetricAsString('holdfast_connections');
  expect(alone.split('\n').at(-1)).toBe('holdfast_connections 4');
});

test('names begin as it is said, labels stand on each, a registry may be shared', async () => {
  const own = prometheus({ prefix: 'chat_', labels: { app: 'x' } });
  openBed({ observe: own });
  expect(await scraped(own, 'chat_sessions{')).toEqual(['chat_sessions{app="x"} 0']);
  const registry = new Registry();
  new Counter({ name: 'mine_total', help: 'mine', registers: [registry] }).inc();
  const shared = prometheus({ registry });
  expect(await scraped(shared, 'mine_total')).toEqual(['mine_total 1']);
  expect(await registry.metrics()).toContain('holdfast_failures_total 0');
});

test('misuse is told where it happens', () => {
  const refused = (options: unknown) => () => prometheus(options as PrometheusOptions);
  expect(refused({ prefix: 'a-b' })).toThrow("prefix must be letters, digits, '_' and ':', not 'a-b'");
  expect(refused({ labels: { 'a-b': 'x' } })).toThrow("labels: 'a-b' cannot name a label");
  expect(refused({ labels: { a: 3 } })).toThrow('labels.a must be a string, not 3');
  expect(refused({ labels: { a: 'x' }, registry: new Registry() })).toThrow('set them on the registry');
  expect(refused({ registry: {} })).toThrow('registry must be a Registry of prom-client');
  expect(refused({ name: 'x' })).toThrow("prometheus(options): unknown option 'name'");
});
