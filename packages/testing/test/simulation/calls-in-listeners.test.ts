import { describe, expect, test } from 'vitest';
import { durable, lasting } from './lasting.js';
import { endOf, openBed, person } from './people.js';

/** What a listener does while a call of the application is being carried out comes behind that call, not into it. */
describe('a listener that calls the client while a call is being carried out', () => {
  test('what it sends goes behind what was being sent', async () => {
    const noted: unknown[] = [];
    const bed = openBed({ setup: (server) => void server.on('note', (payload) => noted.push(payload)) });
    const client = bed.createClient({ outbox: { maxMessages: 2, overflow: 'drop-oldest' } });
    client.onUndelivered(({ payload }) => {
      if (payload === 1) void client.send('note', 'of the listener');
    });
    for (const payload of [1, 2, 3]) void client.send('note', payload);
    await bed.until(client.connect());
    await bed.advance(500);
    expect(noted).toEqual([3, 'of the listener']);
  });

  test('what makes way for a big one is not written any more', async () => {
    const noted: unknown[] = [];
    const bed = openBed({ setup: (server) => void server.on('note', (payload) => noted.push(payload)) });
    const client = bed.createClient({ outbox: { maxBytes: 4_000, overflow: 'drop-oldest' } });
    await bed.until(client.connect());
    // The listener's own fill a frame, which is written before the task is over.
    const small: unknown[] = Array.from({ length: 31 }, (_, n) => n);
    client.onUndelivered(({ payload }) => {
      if (payload === 0) for (const n of [100, 101]) void client.send('note', n);
    });
    const ends = small.map((n) => ({ n, ending: endOf(client.send('note', n)) }));
    void client.send('note', 'x'.repeat(3_000));
    await bed.advance(500);
    const dropped = ends.filter(({ ending }) => ending.end === 'ERR_OUTBOX_FULL unsent');
    expect(dropped.length).toBeGreaterThan(0);
    expect(noted.filter((n) => dropped.some((one) => one.n === n))).toEqual([]);
  });

  test('a room that is left while it is being joined stays left', async () => {
    const bed = openBed();
    const { client, room } = person(bed);
    await bed.until(client.connect());
    const stop = room.onState(({ status }) => {
      if (status === 'joining') void room.leave();
    });
    const joining = endOf(room.join());
    stop();
    await bed.advance(1_000);
    expect([room.getState().status, joining.end]).toEqual(['left', 'ERR_NOT_JOINED unsent']);
    expect(bed.server.stats().rooms).toBe(0);
  });

  test('a room that is joined while it is being left is joined', async () => {
    const bed = openBed();
    const { client, room } = person(bed);
    await bed.until(client.connect());
    await bed.until(room.join());
    const endings: ReturnType<typeof endOf>[] = [];
    const stop = room.onState(({ status }) => {
      if (status === 'left') endings.push(endOf(room.join()));
    });
    void room.leave();
    stop();
    await bed.advance(1_000);
    expect([room.getState().status, endings]).toEqual(['joined', [{ end: 'ok', times: 1 }]]);
  });
});

test('a durable message that an earlier life may have brought to the server never ends as unsent', async () => {
  const { bed, noted, life, crash } = lasting();
  const before = life({}, 'ada');
  await bed.until(before.client.connect());
  bed.freeze(before.client, 'down');
  void before.client.send('note', 1, { ...durable, ttlMs: 60_000 });
  await bed.advance(500);
  expect(noted).toEqual(['ada 1']);
  crash(before.client);
  // This life is offline until the time of the message is over.
  const { restored } = life({}, 'ada');
  await bed.advance(100);
  const [ending] = restored.map(({ sending }) => endOf(sending));
  expect(ending?.end).toBe('open');
  await bed.advance(60_000);
  expect(ending?.end).toBe('ERR_SESSION_LOST unknown');
});
