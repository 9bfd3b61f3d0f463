// One trace: a click at a client, the handler of its message, and what that publishes.
// node examples/opentelemetry/main.mjs

import { createClient } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';
import { SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { traced, traceparentOf } from './tracing.mjs';

// Yours would be a BatchSpanProcessor with an exporter for OTLP.
const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
trace.setGlobalTracerProvider(provider);

const server = createHoldfastServer();
server.rooms('orders', { join: true });
server.on(
  'order',
  traced('handle order', ({ item }, _context, span) => {
    server.to('orders').send('ordered', { item }, { traceparent: traceparentOf(span) });
  }),
);
const { port } = await server.listen(0, '127.0.0.1');

const client = createClient({ url: `ws://127.0.0.1:${port}/realtime` });
const published = new Promise((resolve) => {
  client.room('orders').on('ordered', (_payload, { traceparent }) => resolve(traceparent));
});
await client.connect();
await client.room('orders').join();
const click = trace.getTracer('shop').startSpan('click', { kind: SpanKind.PRODUCER });
await client.send('order', { item: 'tea' }, { traceparent: traceparentOf(click) });
const [, traceId, spanId] = (await published).split('-');
click.end();
await provider.forceFlush();

const spans = new Map(exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span]));
const handled = spans.get(spanId);
console.log(`the publication belongs to '${handled.name}'`);
console.log(`whose parent is '${spans.get(handled.parentSpanContext.spanId).name}'`);
console.log(traceId === click.spanContext().traceId ? 'in one trace' : 'in another trace');

await client.close();
await server.close();
