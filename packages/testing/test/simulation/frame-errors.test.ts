import { stream } from '@holdfast/client/stream';
import { type HoldfastServer, json } from '@holdfast/server';
import { expect, test } from 'vitest';
import { endOf, openBed, silent } from './people.js';

// The error that ends a connection when a frame breaks the protocol is thrown by the codec, which an application may use itself.
const unreadable = (): never => json().decode('not JSON') as never;

test('what an application cannot read fails its own message, and nothing else', async () => {
  const told: string[] = [];
  const bed = openBed({
    logger: silent,
    concurrency: 2,
    setup(server: HoldfastServer) {
      server.onError((_error, { name }) => told.push(name));
      server.on('heard', () => undefined);
      server.on('said', unreadable);
      server.handle('at-once', unreadable);
      server.handle('later', async () => unreadable());
      server.handleStream('items', async function* () {
        yield 1;
        unreadable();
      });
      server.rooms('*', { join: unreadable });
      server.useMessages(({ name }) => (name === 'heard' ? unreadable() : undefined));
    },
  });
  const client = bed.createClient({ logger: silent });
  await bed.until(client.connect());
  const ends = [
    client.request('at-once', 1),
    client.request('at-once', 2),
    client.request('later', 3),
    client.request('later', 4),
    client.send('heard', 5),
    client.send('said', 6),
    client.send('said', 7, { delivery: 'volatile' }),
    client.room('lobby').join(),
    (async () => {
      for await (const _item of stream(client, 'items', 8));
    })(),
  ].map((said) => endOf(said as PromiseLike<unknown>));
  await bed.advance(1_000);
  const failed = 'ERR_HANDLER_FAILED rejected';
  // A listener that throws has heard its event all the same.
  expect(ends.map(({ end }) => end)).toEqual([...Array(5).fill(failed), 'ok', 'ok', failed, failed]);
  expect(told).toHaveLength(9);
  expect(bed.dials(client)).toBe(1);
});
