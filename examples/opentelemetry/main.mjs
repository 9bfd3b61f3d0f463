// One trace: a click at a client, the handler of its message, and what that publishes.
// node examples/opentelemetry/main.mjs

import { createHoldfastServer } from '@holdfast/server';
import { SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { WebSocket } from 'ws';
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

// A client on a bare WebSocket, as PROTOCOL.md says: `c` beside a payload is the trace.
const click = trace.getTracer('shop').startSpan('click', { kind: SpanKind.PRODUCER });
const socket = new WebSocket(`ws://127.0.0.1:${port}/realtime`, 'holdfast.v1.json');
const say = (firstSeq, item) => socket.send(JSON.stringify([0, firstSeq, item]));
socket.on('open', () => {
  say(0, [0, { v: 1, c: crypto.randomUUID(), n: 1, w: [100, 100_000] }]);
});
const published = new Promise((resolve) => {
  socket.on('message', (data) => {
    const [, , ...items] = JSON.parse(data);
    for (const [type, ...item] of items) {
      if (type === 1) say(1, [3, '$join', { room: 'orders' }]);
      if (type === 4) say(2, [2, 'order', { item: 'tea' }, { i: 'order-1', c: traceparentOf(click) }]);
      if (type === 6) resolve(item[4].c);
    }
  });
});
const [, traceId, spanId] = (await published).split('-');
click.end();
await provider.forceFlush();

const spans = new Map(exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span]));
const handled = spans.get(spanId);
console.log(`the publication belongs to '${handled.name}'`);
console.log(`whose parent is '${spans.get(handled.parentSpanContext.spanId).name}'`);
console.log(traceId === click.spanContext().traceId ? 'in one trace' : 'in another trace');

socket.close();
await server.close();
