import type { Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Flow } from '../../src/tcp-proxy/flow.js';

/** A sink whose writes end as told: what a socket does in time of its own. */
function flowInto(error: Error | undefined) {
  const source = new PassThrough();
  const sink = new Duplex({ write: (_bytes, _encoding, done) => done(error), read: () => undefined });
  sink.on('error', () => undefined);
  const conditions = { frozen: false, delayMs: 0, bytesPerSecond: Infinity };
  const flow = new Flow(source as unknown as Socket, sink as unknown as Socket, conditions);
  return { source, flow };
}

for (const [what, error, springs] of [
  ['springs once the bytes have left', undefined, 1],
  ['does not spring when they could not leave', new Error('nobody there'), 0],
] as const) {
  test(`a trap ${what}`, async () => {
    const { source, flow } = flowInto(error);
    let sprung = 0;
    flow.trap(3, () => {
      sprung++;
    });
    flow.start();
    source.write('hello');
    // Streams in memory: all of it happens in the microtasks before this.
    await new Promise(setImmediate);
    expect([sprung, flow.carried]).toEqual([springs, 3]);
  });
}
