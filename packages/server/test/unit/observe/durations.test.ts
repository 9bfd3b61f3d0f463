import { prometheus } from '@holdfast/server/metrics';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** On a bound, between two, beyond all. */
const MS = [0, 1, 1.5, 2.5, 7, 1_000, 30_000, 31_000];

/** What a histogram of prom-client says of the same. */
function asPromClient(name: string, help: string, labelNames: string[] = []) {
  const registry = new Registry();
  const histogram = new Histogram({ name, help, labelNames, buckets: BUCKETS, registers: [registry] });
  return { registry, histogram };
}

const handled = (kind: 'event' | 'request', name: string, ms: number) =>
  ({ sessionId: 's', kind, name, ms, code: undefined }) as const;

test('what is told with each message stands in the registry as in a histogram of prom-client', async () => {
  const metrics = prometheus();
  const { registry, histogram } = asPromClient(
    'holdfast_handler_seconds',
    'Listeners and handlers of the application',
    ['kind', 'name'],
  );
  for (const [kind, name] of [
    ['event', 'say "hi"'],
    ['request', 'ask'],
    ['request', 'ask'],
  ] as const) {
    for (const ms of MS) {
      metrics.handled?.(handled(kind, name, ms));
      histogram.observe({ kind, name }, ms / 1_000);
    }
  }
  const [ours, theirs] = [metrics.registry, registry].map((each) =>
    each.getSingleMetricAsString('holdfast_handler_seconds'),
  );
  expect(await ours).toBe(await theirs);
  expect(await ours).toContain('holdfast_handler_seconds_bucket{le="+Inf",kind="request",name="ask"} 16');
});

test('what nobody has told of yet is nothing, as there', async () => {
  const metrics = prometheus();
  const help = 'From a message written to its acknowledgement by the client';
  const { registry, histogram } = asPromClient('holdfast_ack_seconds', help);
  const said = (from: Registry) => from.getSingleMetricAsString('holdfast_ack_seconds');
  expect(await said(metrics.registry)).toBe(await said(registry));
  metrics.acknowledged?.(12);
  histogram.observe(0.012);
  expect(await said(metrics.registry)).toBe(await said(registry));
});

test('they are added up over the processes of a cluster, and can be set back', async () => {
  const metrics = prometheus();
  metrics.handled?.(handled('event', 'say', 3));
  const told = await metrics.registry.getMetricsAsJSON();
  expect(told).toContainEqual(
    expect.objectContaining({ name: 'holdfast_handler_seconds', type: 'histogram', aggregator: 'sum' }),
  );
  metrics.registry.resetMetrics();
  expect(await metrics.registry.metrics()).toContain(
    'holdfast_handler_seconds_count{kind="event",name="say"} 0',
  );
  metrics.handled?.(handled('event', 'say', 3));
  expect(await metrics.registry.metrics()).toContain(
    'holdfast_handler_seconds_sum{kind="event",name="say"} 0.003',
  );
});
