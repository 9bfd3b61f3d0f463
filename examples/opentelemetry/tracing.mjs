// What binds traces of OpenTelemetry to messages of Holdfast.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('holdfast');

/** The span as it goes with a message: `session.send(event, payload, { traceparent: traceparentOf(span) })`. */
export function traceparentOf(span) {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Where a message comes from, as the parent of spans. The server has checked its form. */
function parentOf(traceparent) {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = traceparent.split('-');
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}

/**
 * A handler in a span of its own: `server.on('order', traced('order', (payload, context, span) => …))`. Not async itself:
 * a `RejectError` thrown at once still refuses the message before it is acknowledged.
 */
export function traced(name, handler) {
  return (payload, context) => {
    const { seq, redelivered, session } = context;
    const attributes = { 'messaging.system': 'holdfast', 'session.id': session.id, seq, redelivered };
    const parent = parentOf(context.traceparent);
    const span = tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes }, parent);
    const failed = (error) => {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      throw error;
    };
    try {
      const result = handler(payload, context, span);
      if (typeof result?.then !== 'function') {
        span.end();
        return result;
      }
      return result.then((value) => {
        span.end();
        return value;
      }, failed);
    } catch (error) {
      return failed(error);
    }
  };
}
