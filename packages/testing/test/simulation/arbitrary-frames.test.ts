import { msgpack } from '@holdfast/client/msgpack';
import { createClientOn, type TransportEvents, type WireData } from '@holdfast/client/ports';
import { type Codec, json } from '@holdfast/protocol';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silent } from './people.js';

// Whatever comes: nothing is thrown out of the frame handlers, and a bad frame ends the connection it came on.

const codecs = [json(), msgpack()] as const;
const HELLO = { v: 1, c: 'nonce', n: 1, w: [1_000, 1_048_576] };
const WELCOME = { v: 1, s: 's', q: 0, u: 'u', k: 'k', e: 'e', x: 0, h: 20_000, w: [1_000, 1_048_576] };
const LIMITS = { m: 1_048_576, o: 1_000, ttl: 120_000, d: 'memory' };

/** What the other end says first, to get as far as frames. */
const opening = (codec: Codec, item: unknown) => codec.frame(0, 0, [codec.encode(item as never)]);

/** Frames as nobody writes them, and some that are nearly right. */
const junk = (codec: Codec) => {
  const nearly = fc
    .tuple(
      fc.nat({ max: 3 }),
      fc.nat({ max: 3 }),
      fc.array(fc.array(fc.jsonValue(), { maxLength: 5 }), { maxLength: 4 }),
    )
    .map(([ack, firstSeq, items]) => {
      try {
        return codec.frame(
          ack,
          firstSeq,
          items.map((item) => codec.encode(item as never)),
        );
      } catch {
        return '';
      }
    });
  return fc.oneof(fc.string(), fc.json(), fc.uint8Array({ maxLength: 200 }), nearly);
};

/** With any frames, from an end that has been let in or has not. */
const always = (codec: Codec, run: (frames: readonly WireData[], isIn: boolean) => Promise<void>) =>
  fc.assert(fc.asyncProperty(fc.array(junk(codec), { minLength: 1, maxLength: 6 }), fc.boolean(), run), {
    numRuns: 300,
  });

describe.each(codecs)('in $name', (codec) => {
  test('a server takes anything', async () => {
    await always(codec, async (frames, isIn) => {
      const clock = new VirtualClock();
      const closed: number[] = [];
      const ports = { clock, random: seededRandom(1), digest: systemDigest, logger: silent };
      const { server, accept } = createServerOn(ports, { codecs });
      const transport = {
        send: () => undefined,
        close: (code: number) => closed.push(code),
        bufferedBytes: 0,
      };
      const events = accept(transport, codec, { address: 'x' });
      if (isIn) events.message(opening(codec, [0, HELLO]));
      for (const frame of frames) {
        events.message(frame);
        await clock.settle();
      }
      await clock.advance(10_000);
      // Who has said nothing that counts is sent away by then.
      expect(closed.length).toBeGreaterThanOrEqual(isIn ? 0 : 1);
      await clock.until(server.close());
    });
  });

  test('a client takes anything', async () => {
    await always(codec, async (frames, isIn) => {
      const clock = new VirtualClock();
      const dialled: TransportEvents[] = [];
      const transport = { send: () => undefined, close: () => undefined, bufferedBytes: 0 };
      const dialer = {
        dial: (_url: string, _protocols: readonly string[], events: TransportEvents) => {
          dialled.push(events);
          return transport;
        },
      };
      const signals = { listen: () => () => undefined };
      const ports = { clock, random: seededRandom(1), dialer, signals, logger: silent };
      const client = createClientOn(ports, { url: 'ws://x', codec });
      const faults: string[] = [];
      client.onError(({ message }) => faults.push(message));
      void client.connect().catch(() => undefined);
      await clock.settle();
      const [events] = dialled;
      events?.open(`holdfast.v1.${codec.name}`);
      if (isIn) events?.message(opening(codec, [1, { ...WELCOME, ...LIMITS }]));
      for (const frame of frames) {
        events?.message(frame);
        await clock.settle();
      }
      const { status } = client.getState();
      expect(['connecting', 'connected', 'reconnecting', 'failed', 'needs-auth']).toContain(status);
      // A fault of its own is told, too, and stops nothing.
      expect(faults.filter((text) => text.includes('the client itself'))).toEqual([]);
      await clock.until(client.close());
    });
  });
});
