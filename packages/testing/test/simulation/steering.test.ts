import type { ConnectionState, HoldfastClient } from '@holdfast/client';
import { explain } from '@holdfast/client/explain';
import { createClientOn, type Signal } from '@holdfast/client/ports';
import { MemoryNetwork, seededRandom, type VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person, silent } from './people.js';
import { play } from './scripted.js';

describe('disconnect() and connect()', () => {
  test('the session goes on: what waited is sent, what was in flight comes once', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    const before = alice.client.getState();
    const inFlight = endOf(alice.say('in flight'));
    await bed.settle();
    await alice.client.disconnect();
    expect(alice.client.getState()).toEqual({ status: 'idle' });
    const waiting = endOf(alice.say('waiting'));
    await bed.until(bob.say('meanwhile'));
    await bed.advance(60_000);
    expect(bed.server.stats()).toMatchObject({ sessions: 2, connections: 1 });
    await bed.until(alice.client.connect());
    await bed.advance(1_000);
    expect(alice.client.getState()).toMatchObject({
      ...{ status: 'connected', recovered: true },
      sessionId: 'sessionId' in before && before.sessionId,
    });
    expect([inFlight, waiting]).toEqual([
      { end: 'ok', times: 1 },
      { end: 'ok', times: 1 },
    ]);
    expect([alice.heard, bob.heard]).toEqual([['meanwhile'], ['in flight', 'waiting']]);
  });

  test('disconnect() rejects who waits in connect(), and resolves', async () => {
    const { client, clock } = play({ auth: () => new Promise(() => undefined) });
    const connecting = endOf(client.connect());
    await client.disconnect();
    await clock.settle();
    expect(connecting.end).toMatch('ERR_CONNECTION_LOST');
    expect(clock.timers).toBe(0);
  });

  test.each(['disconnect', 'close'] as const)(
    '%s() before autoConnect has begun: it does not',
    async (what) => {
      const { client, clock, calls } = play({ autoConnect: true });
      await client[what]();
      await clock.advance(60_000);
      expect(calls).toEqual([]);
    },
  );
});

describe('flush()', () => {
  test('resolves when all is settled, in whatever way, and at once when nothing is open', async () => {
    const bed = openBed();
    const { client } = person(bed);
    await bed.until(client.flush());
    const ends = [
      endOf(client.send('note', 1)),
      endOf(client.send('nobody', 2)),
      endOf(client.request('echo', 3)),
    ];
    const flushed = endOf(client.flush());
    await bed.advance(10_000);
    expect(flushed.end).toBe('open');
    void client.connect();
    await bed.advance(100);
    expect(flushed).toEqual({ end: 'ok', times: 1 });
    expect(ends.map(({ end }) => end)).toEqual(['ok', 'ERR_NO_HANDLER rejected', 'ok']);
  });

  test('waits for what comes while it waits', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.connect();
    void client.send('note', 1);
    const flushed = endOf(client.flush());
    await bed.advance(11);
    bed.freeze(client);
    void client.send('note', 2);
    await bed.advance(1_000);
    expect(flushed.end).toBe('open');
    bed.heal(client);
    await bed.advance(1_000);
    expect(flushed.end).toBe('ok');
  });

  test('rejects after timeoutMs, by default 30 s, or when aborted; leaves no timer', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.send('note', 1);
    const aborter = new AbortController();
    const ends = [
      endOf(client.flush()),
      endOf(client.flush({ timeoutMs: 500 })),
      endOf(client.flush({ signal: aborter.signal })),
      endOf(client.flush({ signal: AbortSignal.abort(new Error('before')) })),
    ];
    await bed.advance(500);
    aborter.abort(new Error('enough'));
    await bed.settle();
    expect(ends.map(({ end }) => end)).toEqual(['open', 'ERR_TIMEOUT unknown', 'enough', 'before']);
    await bed.advance(29_500);
    expect(ends[0]?.end).toBe('ERR_TIMEOUT unknown');
    expect(bed.clock.timers).toBe(0);
  });

  test('close() ends the waiting: all is settled then', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.send('note', 1);
    const flushed = endOf(client.flush());
    await client.close();
    await bed.settle();
    expect(flushed.end).toBe('ok');
    await bed.until(client.flush());
  });

  test('misuse is named', () => {
    const { client } = play();
    expect(() => client.flush({ timeoutMs: -1 })).toThrow(TypeError);
    expect(() => client.flush({ timeout: 5 } as never)).toThrow("flush(options): unknown option 'timeout'");
    expect(() => client.flush({ signal: 5 as never })).toThrow(
      'flush(options).signal must be an AbortSignal, not 5',
    );
  });
});

describe('reconnect.policy', () => {
  test('decides when, and gives up', async () => {
    const seen: unknown[] = [];
    const policy = ({ attempt, elapsedMs, error }: { attempt: number; elapsedMs: number; error: Error }) => {
      seen.push([attempt, elapsedMs, (error as Error & { code: string }).code]);
      return attempt > 3 ? null : 1_000;
    };
    const { clock, client, calls } = play({ reconnect: { policy } }, (call) => call.end(1013));
    await expect(clock.until(client.connect())).rejects.toMatchObject({ code: 'ERR_GAVE_UP' });
    expect(calls.map(({ at }) => at - (calls[0]?.at ?? 0))).toEqual([0, 1_010, 2_020]);
    expect(seen).toEqual([
      [2, 10, 'ERR_CONNECTION_LOST'],
      [3, 1_020, 'ERR_CONNECTION_LOST'],
      [4, 2_030, 'ERR_CONNECTION_LOST'],
    ]);
  });

  test.each([
    ['throws', () => JSON.parse('{')],
    ['gives nothing', () => undefined as never],
    ['gives a negative number', () => -1],
    ['gives NaN', () => Number.NaN],
    ['never again', () => Infinity],
    ['gives a promise', () => Promise.resolve(5) as never],
  ])('one that %s is told, and the backoff counts', async (_, policy) => {
    const { clock, client, calls, errors } = play({ reconnect: { policy } }, (call, n) =>
      n === 1 ? call.end(1013) : call.welcome(),
    );
    await clock.until(client.connect());
    expect(errors).toEqual(['ERR_LISTENER_FAILED']);
    expect(calls).toHaveLength(2);
  });

  test('whoever hears of that sees the machine at rest, and may call it', async () => {
    const { clock, client, calls } = play({ reconnect: { policy: () => -1 } }, (call) => call.end(1013));
    const states: ConnectionState['status'][] = [];
    client.onError(() => {
      states.push(client.getState().status);
      void client.close();
    });
    await expect(clock.until(client.connect())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(states).toEqual(['reconnecting']);
    expect(calls).toHaveLength(1);
  });

  test('maxElapsedMs: failed when no attempt is left in that time, and connect() begins anew', async () => {
    const { clock, client, calls } = play({ reconnect: { maxElapsedMs: 20_000 } }, (call) => call.end(1013));
    const since = clock.now();
    await expect(clock.until(client.connect())).rejects.toMatchObject({ code: 'ERR_GAVE_UP' });
    expect(clock.now() - since).toBeGreaterThan(2_000);
    expect(clock.now() - since).toBeLessThanOrEqual(20_000);
    const before = calls.length;
    await expect(clock.until(client.connect())).rejects.toMatchObject({ code: 'ERR_GAVE_UP' });
    expect(calls.length - before).toBeGreaterThan(2);
  });
});

describe('a listener of onState that steers', () => {
  const acts: { readonly [name: string]: (client: HoldfastClient) => unknown } = {
    connect: (client) => client.connect().catch(() => undefined),
    'connect anew': (client) =>
      client.connect({ auth: `${Math.floor(client.inspect().at)}` }).catch(() => undefined),
    disconnect: (client) => client.disconnect(),
    close: (client) => client.close(),
    send: (client) => client.send('note', 1),
    flush: (client) => client.flush().catch(() => undefined),
    throw: () => {
      throw new Error('mine');
    },
  };

  test.each(Object.keys(acts))(
    '%s, in each state once: it settles, not nested, nothing hangs',
    async (name) => {
      const bed = openBed({ logger: silent });
      const { client } = person(bed, { reconnect: { baseMs: 100, capMs: 1_000 } });
      const seen = new Set<string>();
      let depth = 0;
      client.onState((state) => {
        expect(depth).toBe(0);
        depth++;
        const key = 'phase' in state ? state.phase : state.status;
        try {
          if (!seen.has(key)) {
            seen.add(key);
            acts[name]?.(client);
          }
        } finally {
          depth--;
        }
      });
      void client.connect().catch(() => undefined);
      await bed.advance(1_000);
      bed.cut(client);
      await bed.advance(60_000);
      const { status } = client.getState();
      expect(status).toBe({ close: 'closed', disconnect: 'idle' }[name] ?? 'connected');
      // Whatever it did: the machine still answers.
      for (let n = 0; n < 5 && status === 'idle'; n++)
        await bed.until(client.connect().catch(() => undefined));
      if (status !== 'closed') await bed.until(client.connect());
    },
  );
});

test('a thousand clients, made, connected, shaken and closed: no listener and no timer is left', async () => {
  const bed = openBed({ logger: silent });
  const listeners = new Set<(signal: Signal) => void>();
  const network = new MemoryNetwork(bed.clock, 5);
  const clock: VirtualClock = bed.clock;
  const clients = Array.from({ length: 1_000 }, (_, n) => {
    const real = bed.createClient({ auth: () => Promise.resolve(`user-${n}`) });
    // Half of them on a network where nobody answers.
    if (n % 2 === 0) return real;
    const signals = {
      listen(listener: (signal: Signal) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const ports = { clock, random: seededRandom(n), dialer: network.link(`${n}`), signals, logger: silent };
    return createClientOn(ports, { url: 'ws://nowhere' });
  });
  const ends = clients.map((client) => endOf(client.connect()));
  await bed.advance(20_000);
  expect(listeners.size).toBe(500);
  for (const listener of [...listeners]) listener('online');
  await bed.advance(5);
  await Promise.all(clients.map((client) => client.close()));
  await bed.advance(20);
  expect(listeners.size).toBe(0);
  expect(ends.filter(({ times }) => times !== 1)).toEqual([]);
  await bed.until(bed.server.close());
  await bed.advance(10);
  expect(clock.timers).toBe(0);
});

test('explain() of a living client, from the first word to the last', async () => {
  const { clock, client, calls } = play({ auth: async () => 'token' }, (call, n) =>
    n === 2 ? call.end(1013, 'ra=60000') : call.welcome(),
  );
  const story = [explain(client)];
  const tell = async (ms: number) => {
    await clock.advance(ms);
    story.push(explain(client));
  };
  const connecting = client.connect();
  story.push(explain(client));
  await clock.until(connecting);
  await tell(10_000);
  void client.send('note', 1);
  calls[0]?.end(1006);
  await tell(5);
  await tell(1_000);
  await client.disconnect();
  await tell(0);
  await client.close();
  await tell(0);
  expect(story).toEqual([
    'Not connected, and not asked to be: nothing happens until connect().',
    'Attempt 1 fetches the token and the address and is given up in 10 s.',
    "Connected for 10 s as 'u' (session s, round trip 5 ms); a ping goes out after 15 s of silence.",
    expect.stringMatching(
      /^Waiting \d+ ms for attempt 1, because the connection was lost \(code 1006\) \[ERR_CONNECTION_LOST\]\. Waiting: 1 message to be acknowledged\.$/,
    ),
    expect.stringMatching(/^Waiting \d+ s, as the server asked, for attempt 2, because .*60000 ms/),
    'Down since disconnect() was called, until connect(). Waiting: 1 message to be acknowledged.',
    'Closed for good: close() was called.',
  ]);
});
