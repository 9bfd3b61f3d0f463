import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, type Person, person } from './people.js';
import { play } from './scripted.js';

type Bed = ReturnType<typeof openBed>;

/** Lets time run until the connection is noticed to be dead, at most for so long. */
async function noticedAfter(bed: Bed, { client }: Person, limitMs: number): Promise<number> {
  const since = bed.clock.now();
  while (client.getState().status === 'connected' && bed.clock.now() - since < limitMs) await bed.advance(50);
  return bed.clock.now() - since;
}

describe('half-open, at any moment of a heartbeat', () => {
  const moments = [0, 500, 4_000, 11_000, 19_990, 20_010, 33_333];

  test.each(moments)('%i ms after the start, idle: noticed within 33 s', async (ms) => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(ms);
    bed.freeze(alice.client);
    expect(await noticedAfter(bed, alice, 60_000)).toBeLessThanOrEqual(33_000);
  });

  test.each(moments)('%i ms after the start, a send waits for its ack: within 8 s', async (ms) => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(ms);
    bed.freeze(alice.client);
    const sent = endOf(alice.client.send('note', 1));
    expect(await noticedAfter(bed, alice, 60_000)).toBeLessThanOrEqual(8_000);
    bed.heal(alice.client);
    await bed.advance(10_000);
    expect(sent).toEqual({ end: 'ok', times: 1 });
  });

  test.each(['online', 'visible', 'awake', 'offline'] as const)(
    'a signal, %s: within 2 s',
    async (signal) => {
      const bed = openBed();
      const alice = await member(bed);
      await bed.advance(1_000);
      bed.freeze(alice.client);
      await bed.advance(1_000);
      bed.signal(alice.client, signal);
      expect(alice.client.getState()).toMatchObject({ status: 'connected', health: 'suspect' });
      expect(await noticedAfter(bed, alice, 60_000)).toBeLessThanOrEqual(2_050);
    },
  );

  test('on a slow link: within four round trips of the signal, and a sound one is left alone', async () => {
    const bed = openBed({ latencyMs: 400 });
    const alice = await member(bed);
    await bed.advance(1_000);
    bed.signal(alice.client, 'visible');
    await bed.advance(900);
    expect(alice.client.getState()).toMatchObject({ status: 'connected', health: 'good', rttMs: 800 });
    bed.freeze(alice.client);
    bed.signal(alice.client, 'visible');
    const ms = await noticedAfter(bed, alice, 60_000);
    expect(ms).toBeGreaterThan(3_000);
    expect(ms).toBeLessThanOrEqual(3_250);
  });

  test('who looks at the page again and again finds out all the same', async () => {
    const bed = openBed();
    const alice = await member(bed);
    bed.freeze(alice.client);
    const since = bed.clock.now();
    while (alice.client.getState().status === 'connected' && bed.clock.now() - since < 20_000) {
      bed.signal(alice.client, 'visible');
      await bed.advance(500);
    }
    expect(bed.clock.now() - since).toBeLessThanOrEqual(2_500);
  });

  test('signals on a sound link cost a ping each, and no reconnect', async () => {
    const bed = openBed();
    const alice = await member(bed);
    for (let n = 0; n < 50; n++) {
      bed.signal(alice.client, (['online', 'visible', 'awake', 'offline'] as const)[n % 4] ?? 'online');
      await bed.advance(300);
    }
    expect(bed.dials(alice.client)).toBe(1);
    expect(alice.client.getState()).toMatchObject({ status: 'connected', health: 'good' });
  });
});

describe('a device that slept, with its timers', () => {
  test.each([10_000, 60_000, 3_600_000])(
    'for %i ms, on a link that lives: the same connection',
    async (ms) => {
      const { clock, client, calls, sleep } = play();
      await clock.until(client.connect());
      for (const awakeMs of [0, 4_000, 24_000, 26_000]) {
        await clock.advance(awakeMs);
        sleep(ms);
        await clock.advance(30_000);
      }
      expect(calls).toHaveLength(1);
      expect(client.getState()).toMatchObject({ status: 'connected', health: 'good' });
    },
  );

  test.each([60_000, 3_600_000])(
    'for %i ms, on a link that died meanwhile: known 2 s after the first timer',
    async (ms) => {
      for (const awakeMs of [0, 4_000, 24_000, 26_000]) {
        const { clock, client, calls, sleep, statuses } = play();
        await clock.until(client.connect());
        await clock.advance(awakeMs);
        const [call] = calls;
        if (call) call.isDead = true;
        sleep(ms);
        // The timer that stood when it fell asleep is at most 25 s away, and then there are 2 s to answer.
        await clock.advance(27_100);
        expect(statuses).toContain('reconnecting');
      }
    },
  );

  test('and is woken: known within an interval, however long the pong before lay in the socket', async () => {
    const { clock, client, calls, sleep, signal, statuses } = play();
    await clock.until(client.connect());
    signal('awake');
    sleep(3_600_000);
    await clock.advance(10);
    expect(client.inspect().rttMs).toBeGreaterThan(3_600_000);
    const [call] = calls;
    if (call) call.isDead = true;
    signal('awake');
    await clock.advance(20_100);
    expect(statuses).toContain('reconnecting');
  });
});

describe('a server that lets in and throws out', () => {
  const dials = async (end: (call: Parameters<NonNullable<Parameters<typeof play>[1]>>[0]) => void) => {
    const { clock, client, calls } = play({}, (call) => {
      call.welcome();
      end(call);
    });
    client.connect().catch(() => undefined);
    await clock.advance(60_000);
    const first = calls.length;
    await clock.advance(600_000);
    return { first, later: (calls.length - first) / 10, client };
  };

  test.each([1000, 1001, 1006, 1011, 1012, 1013, 3008, 4401, 4408, 4409, 4429])(
    'with %i: fewer than 15 dials in the first minute, than 8 in each after it',
    async (code) => {
      const { first, later } = await dials((call) => call.end(code));
      expect(first).toBeGreaterThan(3);
      expect(first).toBeLessThan(15);
      expect(later).toBeLessThan(8);
    },
  );

  test('with "come back at once": the same order', async () => {
    const { first, later } = await dials((call) => call.end(1013, 'ra=0'));
    expect(first).toBeLessThan(30);
    expect(later).toBeLessThan(25);
  });

  test.each([1002, 1003, 1007, 1009, 4400])('with the fault %i: twice, and it is over', async (code) => {
    const { first, later, client } = await dials((call) => call.end(code));
    expect([first, later]).toEqual([2, 0]);
    expect(client.getState()).toMatchObject({ status: 'failed', error: { code: 'ERR_PROTOCOL' } });
  });

  test('with an order: not before it', async () => {
    const { clock, client, calls } = play({}, (call, n) =>
      n === 1 ? call.end(4429, 'ra=45000') : call.welcome(),
    );
    const connecting = client.connect();
    await clock.advance(42_000);
    expect(calls).toHaveLength(1);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_SERVER_BUSY', retryAfterMs: 45_000 } });
    await clock.until(connecting);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(42_750);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeLessThan(47_300);
  });
});

test('a quiet night: the state changes no more often than the round-trip time', async () => {
  const bed = openBed();
  const { client } = person(bed);
  await bed.until(client.connect());
  await bed.advance(100);
  let changes = 0;
  client.onState(() => changes++);
  await bed.advance(8 * 3_600_000);
  expect(changes).toBe(0);
  expect(client.getState()).toMatchObject({ health: 'good', rttMs: 10 });
});
