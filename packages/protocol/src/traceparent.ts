/** Version, trace, parent, flags; what a later version than 00 adds stands behind another hyphen. */
const FORM = /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{1,72})?$/;

/** Whether it is a traceparent (W3C Trace Context, section 3.2). Of up to 128 characters, as all that goes with a message. */
const isTraceparent = (value: unknown): value is string => typeof value === 'string' && FORM.test(value);

/** As a client gave it; one that is none is ignored (section 3.2.2.5), and must not be passed on. */
export const traceparentOf = (value: unknown): string | undefined =>
  isTraceparent(value) ? value : undefined;

/** Throws a `TypeError` unless it is absent or a traceparent. */
export function checkTraceparent(value: unknown, what: string): void {
  if (value === undefined || isTraceparent(value)) return;
  throw new TypeError(
    `${what} must be a W3C traceparent, 00-<trace>-<parent>-<flags>, not '${String(value).slice(0, 64)}'`,
  );
}
