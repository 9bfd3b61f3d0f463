import { json } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { median } from '../../slow/figures.js';

/** µs for one message. */
export interface CodecCost {
  readonly codec: string;
  /** Of the payload as JSON. */
  readonly bytes: number;
  /** Of what stands on the wire. */
  readonly encodedBytes: number;
  readonly encodeMicros: number;
  readonly decodeMicros: number;
}

const SIZES = [100, 1_000, 64_000];
const BATCHES = 9;
const BATCH_MS = 40;

/** Lines of a chat, as many as go into so many bytes. */
export function payloadOf(bytes: number): unknown {
  const line = (id: number) => ({
    id,
    user: 'u-1138',
    text: 'Are you still there?',
    at: 1_790_000_000_000 + id,
  });
  const lines = [line(1)];
  while (JSON.stringify({ lines }).length < bytes) lines.push(line(lines.length + 1));
  if (lines.length > 1) lines.pop();
  return { lines };
}

interface Coder {
  readonly codec: string;
  encode(payload: unknown): string | Uint8Array;
  decode(data: string | Uint8Array): unknown;
}

/** A frame with one event (2) and its id, acknowledging nothing. */
const holdfastCoder = (codec: string, { encode, frame, decode }: ReturnType<typeof json>): Coder => ({
  codec,
  encode: (payload) => frame(0, 1, [encode([2, 'say', payload, { i: '0123456789abcdef' }])]),
  decode,
});

const coders: readonly Coder[] = [
  { codec: 'JSON.stringify, JSON.parse', encode: JSON.stringify, decode: (data) => JSON.parse(String(data)) },
  holdfastCoder('holdfast, a frame of JSON', json()),
  holdfastCoder('holdfast, a frame of MessagePack', msgpack()),
];

export function codecCosts(): CodecCost[] {
  return SIZES.flatMap((size) => {
    const payload = payloadOf(size);
    return coders.map(({ codec, encode, decode }) => {
      const encoded = encode(payload);
      return {
        codec,
        bytes: JSON.stringify(payload).length,
        encodedBytes: encoded.length,
        encodeMicros: microsOf(() => encode(payload)),
        decodeMicros: microsOf(() => decode(encoded)),
      };
    });
  });
}

/** Median of batches, the first of which warms up. */
function microsOf(act: () => unknown): number {
  const batches = Array.from({ length: BATCHES + 1 }, () => {
    const startedAt = performance.now();
    let count = 0;
    while (performance.now() - startedAt < BATCH_MS) {
      // The clock costs as much as a small message.
      for (let times = 0; times < 16; times++) act();
      count += 16;
    }
    return ((performance.now() - startedAt) / count) * 1_000;
  });
  return median(batches.slice(1));
}
