import type { ConnectionState } from '@holdfast/client';
import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { endOf, openBed, person } from './people.js';

/** Delay of the step: from the moment of the failure to that of the next attempt. */
const delayOf = (state: ConnectionState): number | undefined =>
  state.status === 'reconnecting' && state.retryAt !== undefined ? state.retryAt - state.since : undefined;

describe('the server refuses to be dialled', () => {
  test('the steps grow to the cap, and each stays within its bounds', async () => {
    const bed = openBed();
    const { client } = person(bed, { reconnect: { baseMs: 100, capMs: 1_600 } });
    const delays: number[] = [];
    client.onState((state) => {
      const delay = delayOf(state);
      if (delay !== undefined) delays.push(delay);
    });
    bed.refuse(client);
    void client.connect();
    await bed.advance(60_000);
    expect(delays.length).toBeGreaterThan(40);
    delays.forEach((delay, index) => {
      expect(delay).toBeGreaterThanOrEqual(10);
      expect(delay).toBeLessThanOrEqual(Math.min(1_600, 100 * 2 ** (index + 1)));
    });
    expect(Math.max(...delays)).toBeGreaterThan(1_200);
  });

  test('a thousand clients of a fallen server do not come back in step', async () => {
    const bed = openBed({ setup: () => undefined });
    const clients = Array.from({ length: 1_000 }, () => person(bed, { reconnect: { baseMs: 1_000 } }).client);
    await bed.until(Promise.all(clients.map((client) => client.connect())));
    const backAt: number[] = [];
    for (const client of clients) {
      client.onState(({ status }, previous) => {
        if (status === 'connected' && previous.status !== status) backAt.push(bed.clock.now());
      });
    }
    // Long enough for a first attempt to start afresh.
    await bed.advance(6_000);
    const start = bed.clock.now();
    bed.restart({ keepStore: false });
    await bed.advance(10_000);
    const buckets = new Map<number, number>();
    for (const at of backAt) {
      const bucket = Math.floor((at - start) / 100);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
    expect(backAt).toHaveLength(1_000);
    // Full jitter over 100 to 1,000 ms: some 111 in each tenth of a second.
    expect(Math.max(...buckets.values())).toBeLessThan(170);
    expect(buckets.size).toBeGreaterThanOrEqual(9);
  });

  test('a server that lets in and throws out at once is not hammered', async () => {
    const bed = openBed();
    const { client } = person(bed);
    client.onState(({ status }) => {
      if (status === 'connected') bed.cut(client);
    });
    void client.connect();
    await bed.advance(60_000);
    const early = bed.dials(client);
    await bed.advance(600_000);
    expect(early).toBeLessThan(20);
    expect(bed.dials(client) - early).toBeLessThan(80);
  });

  test('a connection that held for minUptimeMs begins again with the first step', async () => {
    const bed = openBed();
    const { client } = person(bed, { reconnect: { baseMs: 100, capMs: 60_000, minUptimeMs: 5_000 } });
    bed.refuse(client);
    void client.connect();
    await bed.advance(100_000);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(5_000);
    bed.cut(client);
    await bed.settle();
    expect(client.getState()).toMatchObject({ status: 'reconnecting', attempt: 1 });
    expect(delayOf(client.getState())).toBeLessThanOrEqual(100);
  });

  test('online and visible end the wait, and never bring up who wants to be down', async () => {
    const bed = openBed();
    const { client } = person(bed, { reconnect: { baseMs: 60_000, capMs: 60_000 } });
    bed.signal(client, 'online');
    bed.signal(client, 'visible');
    await bed.advance(1_000);
    expect(bed.dials(client)).toBe(0);
    bed.refuse(client);
    void client.connect();
    await bed.advance(100);
    bed.heal(client);
    bed.signal(client, 'visible');
    await bed.advance(100);
    expect(client.getState().status).toBe('connected');
    client.disconnect();
    bed.signal(client, 'online');
    await bed.advance(600_000);
    expect(client.getState()).toEqual({ status: 'idle' });
    expect(bed.dials(client)).toBe(2);
  });

  test('online on a dead link: found dead within two seconds and a dial', async () => {
    const bed = openBed();
    const { client } = person(bed);
    await bed.until(client.connect());
    await bed.advance(1_000);
    bed.freeze(client);
    await bed.advance(100);
    bed.signal(client, 'online');
    await bed.advance(2_100);
    expect(client.getState()).toMatchObject({ status: 'reconnecting' });
  });
});

describe('connect() and disconnect()', () => {
  test('ten times connect() is one dial and one session', async () => {
    const bed = openBed();
    const { client } = person(bed);
    const ends = Array.from({ length: 10 }, () => endOf(client.connect()));
    await bed.advance(4);
    ends.push(endOf(client.connect()));
    await bed.advance(8);
    ends.push(endOf(client.connect()));
    await bed.advance(100);
    ends.push(endOf(client.connect()));
    await bed.settle();
    expect(ends.map(({ end, times }) => `${end} ${times}`)).toEqual(Array(13).fill('ok 1'));
    expect(bed.dials(client)).toBe(1);
    expect(bed.server.stats().sessions).toBe(1);
  });

  test.each([0, 3, 7, 12, 17, 25])('disconnect() %i ms after connect() stays down', async (ms) => {
    const bed = openBed();
    const { client } = person(bed);
    const connecting = endOf(client.connect());
    await bed.advance(ms);
    client.disconnect();
    await bed.advance(120_000);
    expect(client.getState()).toEqual({ status: 'idle' });
    expect(connecting.end).toMatch(/^ok$|^ERR_CONNECTION_LOST/);
    expect(connecting.times).toBe(1);
    expect(bed.dials(client)).toBe(1);
    await bed.advance(60_000);
    expect(bed.server.stats()).toMatchObject({ sessions: 0 });
    expect(bed.clock.timers).toBe(0);
    await bed.until(client.connect());
    expect(client.getState().status).toBe('connected');
  });

  test('disconnect() and connect() a hundred times in one task: one connection in the end', async () => {
    const bed = openBed();
    const { client } = person(bed);
    for (let n = 0; n < 100; n++) {
      void client.connect();
      client.disconnect();
    }
    await bed.until(client.connect());
    await bed.advance(60_000);
    expect(bed.server.stats()).toMatchObject({ connections: 1, sessions: 1 });
  });

  test('aborting connect() ends the waiting, not the connecting', async () => {
    const bed = openBed();
    const { client } = person(bed);
    const aborter = new AbortController();
    const impatient = endOf(client.connect({ signal: aborter.signal }));
    const patient = endOf(client.connect());
    aborter.abort(new Error('enough'));
    await bed.advance(100);
    expect([impatient.end, patient.end]).toEqual(['enough', 'ok']);
    expect(endOf(client.connect({ signal: aborter.signal })).times).toBe(0);
  });

  test('autoConnect dials in the next task', async () => {
    const bed = openBed();
    const { client } = person(bed, { autoConnect: true });
    expect(client.getState().status).toBe('idle');
    await bed.advance(100);
    expect(client.getState().status).toBe('connected');
  });
});

describe('who is it', () => {
  const auth = (token: string | undefined) => {
    if (!token?.startsWith('good')) throw new RejectError('bad token');
    return { user: { id: token } };
  };

  test('a refused token: needs-auth, no further dial; another one gets in', async () => {
    const bed = openBed({ auth });
    const { client } = person(bed, { auth: 'bad' });
    const first = endOf(client.connect());
    await bed.advance(600_000);
    expect(first.end).toBe('ERR_AUTH_REFUSED');
    expect(bed.dials(client)).toBe(1);
    await bed.until(client.connect({ auth: 'good 1' }));
    expect(client.getState()).toMatchObject({ status: 'connected', userId: 'good 1' });
  });

  test('another token on a connection that stands: opened anew; the same token: nothing', async () => {
    const bed = openBed({ auth });
    const { client } = person(bed, { auth: 'good 1' });
    await bed.until(client.connect());
    await bed.until(client.connect({ auth: 'good 1' }));
    expect(bed.dials(client)).toBe(1);
    await bed.until(client.connect({ auth: 'good 2' }));
    await bed.advance(100);
    expect(client.getState()).toMatchObject({ status: 'connected', userId: 'good 2' });
    expect(bed.dials(client)).toBe(2);
    // Who was here before may come back to what is his, with his token.
    expect(bed.server.stats()).toMatchObject({ sessions: 2, connections: 1, users: 2 });
  });

  test('a token that changes in the middle of the dial is the one that counts', async () => {
    const bed = openBed({ auth });
    const { client } = person(bed, { auth: 'bad' });
    const first = endOf(client.connect());
    await bed.advance(7);
    await bed.until(client.connect({ auth: 'good 3' }));
    expect(client.getState()).toMatchObject({ userId: 'good 3' });
    expect(first).toEqual({ end: 'ok', times: 1 });
  });
});
