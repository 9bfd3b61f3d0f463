import { describe, expect, test } from 'vitest';
import { liteBed } from './lite-bed.js';
import { endOf } from './people.js';

describe('connect, disconnect, close', () => {
  test('dials nothing by itself; connect() resolves when connected, again and again', async () => {
    const bed = liteBed();
    const { client, link, statuses } = bed.guest();
    await bed.advance(60_000);
    expect([client.getState(), link.dials]).toEqual([{ status: 'idle' }, 0]);
    await bed.until(Promise.all([client.connect(), client.connect()]));
    await bed.until(client.connect());
    expect(link.dials).toBe(1);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false, health: 'good' });
    expect(new Set(statuses)).toEqual(new Set(['connecting', 'connected']));
  });

  test('disconnect() keeps session and outbox, and nothing is heard of it twice', async () => {
    const bed = liteBed();
    const { client, link, statuses } = await bed.connected();
    const before = client.getState();
    await client.disconnect();
    await client.disconnect();
    const waiting = endOf(client.send('note', 1));
    await bed.advance(60_000);
    expect([client.getState(), waiting.end, link.dials]).toEqual([{ status: 'idle' }, 'open', 1]);
    expect(statuses.filter((status) => status === 'idle')).toHaveLength(1);
    await bed.until(client.connect());
    const { sessionId } = before as { sessionId: string };
    expect(client.getState()).toMatchObject({ recovered: true, sessionId });
    await bed.advance(100);
    expect(waiting.end).toBe('ok');
  });

  test('close() is for good, ends the session and tells all who wait', async () => {
    const ended: string[] = [];
    const bed = liteBed({
      setup: (server) => {
        server.handle('never', () => new Promise(() => undefined));
        server.onSessionEnd((_session, { reason }) => ended.push(reason));
      },
    });
    const { client, room, link, statuses } = await bed.connected();
    const asked = endOf(client.request('never'));
    await bed.advance(50);
    const sent = endOf(client.send('note', 1));
    const joining = endOf(room.join());
    await client.close();
    await client.close();
    const late = [
      ...[client.connect(), client.send('note', 2), client.request('echo', 3)],
      ...[room.join(), room.send('message', 4)],
    ].map(endOf);
    await bed.advance(60_000);
    expect([asked.end, sent.end, joining.end]).toEqual([
      'ERR_CLOSED unknown',
      'ERR_CLOSED unsent',
      'ERR_CLOSED unsent',
    ]);
    expect(late.map(({ end }) => end)).toEqual([
      ...Array(4).fill('ERR_CLOSED unsent'),
      'ERR_NOT_JOINED unsent',
    ]);
    await client.disconnect();
    expect(client.getState()).toEqual({ status: 'closed', reason: 'close() was called' });
    expect([ended, link.dials, statuses.at(-1)]).toEqual([['closed'], 1, 'closed']);
  });

  test('close() leaves no timer, whatever was to be waited for', async () => {
    const bed = liteBed();
    const { client } = await bed.connected();
    await bed.until(client.request('echo', 1));
    void client.send('note', 1, { timeoutMs: 100_000 });
    await client.close();
    await bed.until(bed.server.close());
    await bed.advance(100);
    expect(bed.clock.timers).toBe(0);
  });

  test.each([0, 3, 7, 12])(
    'close() %i ms after connect(): connect() rejects, nothing is left',
    async (ms) => {
      const bed = liteBed();
      const { client } = bed.guest();
      const connecting = endOf(client.connect());
      await bed.advance(ms);
      await client.close();
      await bed.advance(60_000);
      expect(connecting.end).toBe('ERR_CLOSED unsent');
      expect(bed.server.stats().connections).toBe(0);
    },
  );

  test('who is awaited by nobody is no unhandled rejection', async () => {
    const bed = liteBed();
    const { client, room } = bed.guest({ auth: () => Promise.reject(new Error('no network')) });
    void client.connect();
    void client.send('note', 1);
    void client.request('echo', 1);
    void room.join();
    void room.send('message', 1);
    void client.room('other').send('message', 1);
    await bed.advance(60_000);
    await client.close();
    void client.connect();
    // The quiet-log rule of the tests finds a rejection that nobody handles.
    await bed.advance(100);
  });
});

describe('a cut', () => {
  test('what both ends said meanwhile arrives once and in order; the session goes on', async () => {
    const noted: unknown[] = [];
    const bed = liteBed({ setup: (server) => void server.on('note', (payload) => noted.push(payload)) });
    const { client, link, statuses, lost } = await bed.connected();
    const told: unknown[] = [];
    client.on('tick', (n) => told.push(n));
    const ends = [];
    for (let n = 0; n < 50; n++) {
      ends.push(endOf(client.send('note', n)));
      void bed.session.send('tick', n);
      await bed.advance(3);
      if (n % 7 === 3) link.cut();
      if (n % 11 === 5) await bed.advance(2_000);
    }
    await bed.advance(60_000);
    expect(noted).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(told).toEqual(noted);
    expect(ends.every(({ end, times }) => end === 'ok' && times === 1)).toBe(true);
    expect([client.getState(), lost]).toMatchObject([{ status: 'connected', recovered: true }, []]);
    expect(statuses).toContain('reconnecting');
  });

  test('a network that is away: waits longer and longer, and connect() tries at once', async () => {
    const bed = liteBed();
    const { client, link } = await bed.connected();
    link.refuse();
    link.cut();
    await bed.advance(600_000);
    const { dials } = link;
    // Full jitter up to 30 s: some 15 s each.
    expect(dials).toBeGreaterThan(20);
    expect(dials).toBeLessThan(80);
    expect(client.getState()).toMatchObject({
      status: 'reconnecting',
      lastError: { code: 'ERR_DIAL_FAILED' },
    });
    link.heal();
    void client.connect();
    await bed.advance(50);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false });
  });

  test.each(['online', 'visible', 'awake'] as const)('%s ends the wait', async (signal) => {
    const bed = liteBed();
    const guest = await bed.connected({ reconnect: { baseMs: 1_000_000, capMs: 1_000_000 } });
    guest.link.refuse();
    guest.link.cut();
    await bed.advance(1_000);
    guest.link.heal();
    const { dials } = guest.link;
    guest.signal(signal);
    await bed.advance(200);
    expect([guest.link.dials - dials, guest.client.getState().status]).toEqual([1, 'connected']);
  });

  test('a link that is dead without a word is found by the heartbeat', async () => {
    const bed = liteBed();
    const { client, link, statuses } = await bed.connected();
    link.freeze();
    const sent = endOf(client.send('note', 1));
    await bed.advance(2_000 + 5_000 + 100);
    expect([statuses.includes('reconnecting'), sent.end]).toEqual([true, 'open']);
    link.heal();
    await bed.advance(10_000);
    expect([client.getState(), sent]).toMatchObject([{ recovered: true }, { end: 'ok', times: 1 }]);
  });

  test('…also when nothing is said, within 1.25 heartbeats and the 5 s of a ping', async () => {
    const bed = liteBed({ heartbeat: { intervalMs: 20_000 } });
    const { link, statuses } = await bed.connected();
    await bed.advance(60_000);
    expect(statuses).not.toContain('reconnecting');
    link.freeze();
    await bed.advance(25_000 + 5_000 + 100);
    expect(statuses).toContain('reconnecting');
  });

  test.each(['online', 'visible', 'awake'] as const)(
    'a connection that stands has to prove itself within 2 s of %s',
    async (signal) => {
      const bed = liteBed();
      const guest = await bed.connected();
      guest.signal(signal);
      await bed.advance(3_000);
      expect(guest.statuses).not.toContain('reconnecting');
      guest.link.freeze();
      guest.signal(signal);
      await bed.advance(2_100);
      expect(guest.statuses).toContain('reconnecting');
    },
  );
});

describe('a lost session', () => {
  test('what was on the wire is unknown and named, what waited goes out in the next one', async () => {
    const noted: unknown[] = [];
    const bed = liteBed({
      setup: (server) => {
        server.on('note', (payload) => noted.push(payload));
        server.handle('never', () => new Promise(() => undefined));
      },
    });
    const { client, link, lost, undelivered } = await bed.connected();
    await bed.until(client.send('note', 'before'));
    await bed.advance(1_000);
    link.freeze('up');
    const sent = endOf(client.send('note', 'on the wire', { id: 'mine' }));
    const asked = endOf(client.request('never'));
    await bed.advance(10);
    bed.stop();
    const waiting = endOf(client.send('note', 'waited'));
    bed.start({ keepStore: false });
    link.heal();
    await bed.advance(60_000);
    expect([sent.end, asked.end, waiting.end]).toEqual([
      'ERR_SESSION_LOST unknown',
      'ERR_SESSION_LOST unknown',
      'ok',
    ]);
    expect(lost).toMatchObject([
      { handled: 0, unknown: [{ kind: 'event', id: 'mine', event: 'note', payload: 'on the wire' }] },
    ]);
    expect(undelivered).toEqual(['note ERR_SESSION_LOST unknown', 'never ERR_SESSION_LOST unknown']);
    expect(noted).toEqual(['before', 'waited']);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false });
  });

  test('is told before anything of the next one', async () => {
    const bed = liteBed({
      setup: (server) => void server.onSession((session) => void session.send('hello')),
    });
    const guest = bed.guest();
    const story: string[] = [];
    guest.client.on('hello', () => story.push('hello'));
    guest.client.onSessionLost(() => story.push('lost'));
    await bed.until(guest.client.connect());
    await bed.advance(100);
    bed.stop();
    bed.start({ keepStore: false });
    await bed.advance(60_000);
    expect(story).toEqual(['hello', 'lost', 'hello']);
  });

  test('that the server has ended fails, and connect() begins another', async () => {
    const bed = liteBed();
    const { client, lost } = await bed.connected();
    void bed.session.end('logged out');
    await bed.advance(100);
    expect(client.getState()).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_SESSION_ENDED', reason: 'logged out' },
    });
    expect(lost).toHaveLength(1);
    await bed.until(client.connect());
    expect(client.getState()).toMatchObject({ recovered: false });
  });

  test('which has slept too long: both are told, and it goes on', async () => {
    const bed = liteBed();
    const { client, link, lost } = await bed.connected();
    link.refuse();
    link.cut();
    await bed.advance(600_000);
    link.heal();
    await bed.advance(60_000);
    expect(lost).toMatchObject([{ handled: 0, unknown: [] }]);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false });
  });
});
