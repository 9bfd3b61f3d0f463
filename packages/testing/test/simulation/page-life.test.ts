import { describe, expect, test } from 'vitest';
import { endOf, member, openBed } from './people.js';
import { play } from './scripted.js';

const idOf = ({ client }: Awaited<ReturnType<typeof member>>) => {
  const state = client.getState();
  return state.status === 'connected' ? state.sessionId : undefined;
};

describe('a page that is put away and comes back', () => {
  test.each([1_000, 60_000, 110_000])(
    'after %i ms: the same session, nothing lost, no error told',
    async (ms) => {
      const bed = openBed();
      const alice = await member(bed, { reconnect: { capMs: 600_000 } });
      const bob = await member(bed);
      const told: unknown[] = [];
      alice.client.onError((error) => told.push(error));
      alice.client.onSessionLost((lost) => told.push(lost));
      alice.client.onUndelivered((message) => told.push(message));
      await bed.advance(10_000);
      const session = idOf(alice);
      bed.signal(alice.client, 'asleep');
      expect(alice.client.getState()).toMatchObject({ status: 'reconnecting', waitingFor: 'visible' });
      await bed.advance(100);
      expect(bed.server.stats()).toMatchObject({ connections: 1, sessions: 2 });
      const typed = endOf(alice.say('typed asleep'));
      for (let n = 0; n < 20; n++) await bed.until(bob.say(`${n}`));
      await bed.advance(ms);
      expect(bed.dials(alice.client)).toBe(1);
      bed.signal(alice.client, 'awake');
      await bed.advance(150);
      expect(idOf(alice)).toBe(session);
      expect(alice.client.getState()).toMatchObject({ recovered: true });
      await bed.advance(100);
      expect(alice.heard).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
      expect(typed).toEqual({ end: 'ok', times: 1 });
      expect(bob.heard).toEqual(['typed asleep']);
      expect(told).toEqual([]);
    },
  );

  test('what was in flight when it went is written again', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    const said = endOf(alice.say('just before'));
    await bed.settle();
    expect(alice.client.getOutbox().inflight).toBe(1);
    bed.signal(alice.client, 'asleep');
    await bed.advance(5_000);
    bed.signal(alice.client, 'visible');
    await bed.advance(200);
    expect([said, bob.heard]).toEqual([{ end: 'ok', times: 1 }, ['just before']]);
  });

  test('a page that did not sleep after all comes back by itself', async () => {
    const bed = openBed();
    const alice = await member(bed);
    bed.signal(alice.client, 'asleep');
    await bed.advance(31_000);
    expect(alice.client.getState()).toMatchObject({ status: 'connected', recovered: true });
  });

  test('asleep in every moment of a dial: it comes back', async () => {
    for (const ms of [0, 3, 7, 12, 17, 25]) {
      const bed = openBed();
      const client = bed.createClient();
      const connecting = endOf(client.connect());
      await bed.advance(ms);
      bed.signal(client, 'asleep');
      await bed.advance(1_000);
      bed.signal(client, 'awake');
      await bed.advance(1_000);
      expect(connecting).toEqual({ end: 'ok', times: 1 });
      expect(client.getState().status).toBe('connected');
      expect(bed.server.stats().connections).toBe(1);
    }
  });

  test('who is down stays down', async () => {
    const bed = openBed();
    const alice = await member(bed);
    await alice.client.disconnect();
    for (const signal of ['asleep', 'awake', 'visible', 'online', 'offline', 'gone'] as const) {
      bed.signal(alice.client, signal);
    }
    await bed.advance(60_000);
    expect(alice.client.getState()).toEqual({ status: 'idle' });
    expect(bed.dials(alice.client)).toBe(1);
  });
});

describe('a page that goes for good', () => {
  test('says goodbye: the session ends at once', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const ended: string[] = [];
    bed.server.onSessionEnd((_session, { reason }) => ended.push(reason));
    bed.signal(alice.client, 'gone');
    await bed.advance(100);
    expect(ended).toEqual(['closed']);
    expect(bed.server.stats()).toMatchObject({ connections: 0, sessions: 0 });
  });

  test('BYE is the last thing that it says', async () => {
    const { clock, client, calls, signal } = play();
    await clock.until(client.connect());
    signal('gone');
    expect(calls[0]?.heard.at(-1)).toEqual([13, 'closed', '']);
    expect(calls[0]?.hungUp).toBe(1000);
  });

  test('unless it sleeps only: then not', async () => {
    const { clock, client, calls, signal } = play();
    await clock.until(client.connect());
    signal('asleep');
    expect(calls[0]?.heard.some(([type]) => type === 13)).toBe(false);
  });
});

describe('the network comes and goes', () => {
  test('offline: attempts are rare; online: at once', async () => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(10_000);
    bed.signal(alice.client, 'offline');
    bed.refuse(alice.client);
    bed.cut(alice.client);
    await bed.settle();
    expect(alice.client.getState()).toMatchObject({ status: 'reconnecting', waitingFor: 'online' });
    await bed.advance(100_000);
    expect(bed.dials(alice.client)).toBeLessThanOrEqual(5);
    const before = bed.dials(alice.client);
    bed.heal(alice.client);
    bed.signal(alice.client, 'online');
    await bed.advance(200);
    expect(alice.client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(bed.dials(alice.client)).toBe(before + 1);
  });

  test('a platform that is wrong about it: the connection comes back all the same', async () => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(10_000);
    bed.signal(alice.client, 'offline');
    bed.cut(alice.client);
    await bed.advance(31_000);
    expect(alice.client.getState().status).toBe('connected');
  });

  test('no signal hurries what the server has ordered; connect() does', async () => {
    const { clock, client, calls, signal } = play({}, (call, n) =>
      n === 1 ? call.end(1013, 'ra=60000') : call.welcome(),
    );
    const connecting = client.connect();
    await clock.advance(1_000);
    for (const each of ['offline', 'online', 'visible', 'awake', 'asleep', 'awake'] as const) signal(each);
    await clock.advance(10_000);
    expect(calls).toHaveLength(1);
    void client.connect();
    await clock.until(connecting);
    expect(calls).toHaveLength(2);
  });
});
