import { type PrometheusOptions, prometheus } from '@holdfast/server/metrics';
import { Counter, Registry } from 'prom-client';
import { expect, test } from 'vitest';

/** What a server says of itself whose store cannot tell what it holds. */
const STATS = {
  connections: 2,
  sessions: 3,
  users: 1,
  rooms: 0,
  messagesIn: 0,
  messagesOut: 0,
  errors: 0,
  degraded: true,
};

/** What a scrape says of one metric, line by line, without its help. */
async function scraped({ metrics }: { metrics(): Promise<string> }, name: string): Promise<string[]> {
  return (await metrics()).split('\n').filter((line) => line.startsWith(name));
}

test('a close code of a client that nobody knows makes no label of its own', async () => {
  const metrics = prometheus();
  for (const code of [1_006, 4_321, 4_322]) metrics.detached?.({ sessionId: 's', code, reason: '' });
  expect(await scraped(metrics, 'holdfast_detaches_total')).toEqual([
    'holdfast_detaches_total{code="1006"} 1',
    'holdfast_detaches_total{code="other"} 2',
  ]);
});

test('what a store was asked is counted by operation, and what has failed of it', async () => {
  const metrics = prometheus();
  metrics.storeAsked?.({ operation: 'accept', ms: 3, outcome: 'answered' });
  metrics.storeAsked?.({ operation: 'accept', ms: 7, outcome: 'failed' });
  metrics.storeAsked?.({ operation: 'read', ms: 2_000, outcome: 'answered' });
  expect(await scraped(metrics, 'holdfast_store_errors_total')).toEqual([
    'holdfast_store_errors_total{operation="accept"} 1',
  ]);
  expect(await scraped(metrics, 'holdfast_store_seconds_sum')).toEqual([
    'holdfast_store_seconds_sum{operation="accept"} 0.01',
    'holdfast_store_seconds_sum{operation="read"} 2',
  ]);
});

test('gauges say nothing where nothing is known: before there is a server, or of a store that cannot tell', async () => {
  const metrics = prometheus();
  expect(await scraped(metrics, 'holdfast_connections')).toEqual([]);
  metrics.serving?.(() => ({ ...STATS, draining: true }));
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 2']);
  expect(await scraped(metrics, 'holdfast_draining')).toEqual(['holdfast_draining 1']);
  expect(await scraped(metrics, 'holdfast_store_degraded')).toEqual(['holdfast_store_degraded 1']);
  expect(await scraped(metrics, 'holdfast_outbox_bytes')).toEqual([]);
});

test('a scrape asks the server once, and each scrape anew, also of one metric alone', async () => {
  const metrics = prometheus();
  let asked = 0;
  metrics.serving?.(() => ({ ...STATS, connections: ++asked, draining: false }));
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 1']);
  expect(await scraped(metrics, 'holdfast_connections')).toEqual(['holdfast_connections 2']);
  await metrics.registry.getSingleMetricAsString('holdfast_users');
  const alone = await metrics.registry.getSingleMetricAsString('holdfast_connections');
  expect(alone.split('\n').at(-1)).toBe('holdfast_connections 4');
});

test('names begin as it is said, labels stand on each, a registry may be shared', async () => {
  const own = prometheus({ prefix: 'chat_', labels: { app: 'x' } });
  own.serving?.(() => ({ ...STATS, draining: false }));
  expect(await scraped(own, 'chat_sessions{')).toEqual(['chat_sessions{app="x"} 3']);
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
