import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { bareServer } from './bare.js';
import { endOf, openBed, type Person, person, silent } from './people.js';

/** A life with everything in it, at any moment of which somebody may call `close()`. */
function begin(bed: ReturnType<typeof openBed>): { who: Person; ends: ReturnType<typeof endOf>[] } {
  const who = person(bed);
  const { client, room } = who;
  client.on('hello', () => undefined);
  const ends = [
    endOf(client.connect()),
    endOf(client.send('note', 'early')),
    endOf(room.join()),
    endOf(client.request('echo', 1)),
    endOf(client.request('slow', 1)),
    endOf(room.send('message', 'early')),
  ];
  return { who, ends };
}

const setup = {
  setup(server: ReturnType<typeof openBed>['server']) {
    server.rooms('*', { join: true, publish: true, presence: true });
    server.on('note', () => undefined);
    server.handle('echo', (input) => input);
    server.handle('slow', () => new Promise(() => undefined));
    server.onSession((session) => void session.send('hello', 1));
  },
};

const moments = [0, 1, 4, 5, 6, 9, 10, 11, 14, 15, 16, 19, 20, 21, 25, 26, 31, 60, 1_000, 30_000];

describe('close(), at any moment of a life', () => {
  test.each(moments)('after %i ms: all is settled, nothing is told or ticks afterwards', async (ms) => {
    const bed = openBed(setup);
    const { who, ends } = begin(bed);
    const { client } = who;
    await bed.advance(ms);
    let isClosed = false;
    const late: string[] = [];
    client.on('hello', () => isClosed && late.push('event'));
    client.onState(({ status }) => isClosed && late.push(status));
    client.onOutbox(() => isClosed && late.push('outbox'));
    client.onError(({ code }) => isClosed && late.push(code));
    who.room.onState(({ status }) => isClosed && late.push(status));
    const closing = client.close();
    isClosed = true;
    await closing;
    await bed.settle();
    expect(ends.filter(({ times }) => times !== 1)).toEqual([]);
    for (const { end } of ends) expect(end).toMatch(/^(ok|ERR_CLOSED|ERR_TIMEOUT|ERR_NOT_JOINED)/);
    expect(client.getState()).toEqual({ status: 'closed', reason: 'close() was called' });
    await bed.advance(120_000);
    expect(late).toEqual([]);
    expect(bed.server.stats()).toMatchObject({ sessions: 0, connections: 0 });
    await bed.until(bed.server.close());
    expect(bed.clock.timers).toBe(0);
  });

  test.each(moments)('after %i ms on a link that is dead: the same', async (ms) => {
    const bed = openBed({ ...setup, logger: silent });
    const { who, ends } = begin(bed);
    await bed.advance(ms);
    bed.freeze(who.client);
    await bed.advance(3);
    await who.client.close();
    await bed.settle();
    expect(ends.filter(({ times }) => times !== 1)).toEqual([]);
    // No goodbye got through: the session waits as long as any other.
    await bed.advance(200_000);
    expect(bed.server.stats()).toMatchObject({ sessions: 0, connections: 0 });
    await bed.until(bed.server.close());
    expect(bed.clock.timers).toBe(0);
  });

  test('while waiting for the next attempt, in needs-auth, failed, idle and closed', async () => {
    const bed = openBed({
      auth: (token) => {
        if (token) throw new RejectError('no');
        return { user: { id: 'guest' } };
      },
    });
    const waiting = bed.createClient({ reconnect: { baseMs: 60_000, capMs: 60_000 } });
    const failed = bed.createClient({ reconnect: { maxAttempts: 1 } });
    for (const client of [waiting, failed]) bed.refuse(client);
    const clients = [waiting, failed, bed.createClient({ auth: 'x' })];
    for (const client of clients) client.connect().catch(() => undefined);
    clients.push(bed.createClient());
    await bed.advance(100);
    expect(clients.map((client) => client.getState().status)).toEqual([
      'reconnecting',
      'failed',
      'needs-auth',
      'idle',
    ]);
    for (const client of clients) {
      await client.close();
      await client.close();
      expect(client.getState().status).toBe('closed');
      client.disconnect();
      await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      await expect(client.send('note')).rejects.toMatchObject({ code: 'ERR_CLOSED', delivery: 'unsent' });
      await expect(client.request('echo')).rejects.toMatchObject({ code: 'ERR_CLOSED', delivery: 'unsent' });
      expect(client.getState().status).toBe('closed');
    }
    expect(bed.clock.timers).toBe(0);
  });

  test('flushMs: what can be acknowledged is, and no longer than that', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.connect();
    const sent = endOf(client.send('note', 1));
    await bed.until(client.close({ flushMs: 5_000 }));
    expect(sent.end).toBe('ok');

    const other = person(bed).client;
    bed.refuse(other);
    void other.connect();
    const stuck = endOf(other.send('note', 1));
    const since = bed.clock.now();
    await bed.until(other.close({ flushMs: 5_000 }));
    expect(bed.clock.now() - since).toBe(5_000);
    expect(stuck).toEqual({ end: 'ERR_CLOSED unsent', times: 1 });
    expect(other.getState().status).toBe('closed');
  });

  test('a second close() without flushMs does not wait for the first', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.send('note', 1);
    const slow = endOf(client.close({ flushMs: 60_000 }));
    const quick = endOf(client.close());
    expect(client.getState().status).toBe('closed');
    await bed.advance(100);
    expect([slow.end, quick.end]).toEqual(['ok', 'ok']);
    expect(bed.clock.timers).toBe(0);
  });

  test('the server is told: reason closed, members gone, at once', async () => {
    const bed = openBed(setup);
    const { who } = begin(bed);
    await bed.advance(100);
    const ended: string[] = [];
    bed.server.onSessionEnd((_session, { reason }) => ended.push(reason));
    await who.client.close();
    await bed.advance(10);
    expect(ended).toEqual(['closed']);
    expect(bed.server.stats()).toMatchObject({ rooms: 0, users: 0 });
  });
});

test('a stream whose turn comes when its session has ended is not begun: nobody would tell its handler to stop', async () => {
  const { clock, server, dial } = bareServer({ concurrency: 1 });
  const begun: unknown[] = [];
  server.handle('slow', () => new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000)));
  server.handleStream('count', async function* (_input, { signal }) {
    begun.push(signal.aborted);
    yield 1;
  });
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.frame([0, 1, [3, 'slow', 1], [3, 'count', 1, { q: 1 }]]);
  await clock.advance(100);
  peer.say([13, '', '']);
  await clock.advance(3_000);
  expect(begun).toEqual([]);
});
