import type { EventMeta, WireMeta } from '@holdfast/protocol';

/** What a listener is told beside the payload. */
export function eventMeta(
  { i = '', t = 0, s, f, c }: WireMeta = {},
  seq: number,
  room?: string | undefined,
): EventMeta {
  // A session does not outlive its page or process: no listener has run for this before.
  return { id: i, at: t, sentAt: s, seq, room, from: f, redelivered: false, traceparent: c };
}
