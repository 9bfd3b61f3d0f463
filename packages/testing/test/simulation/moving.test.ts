import { createClientOn, type Dialer, type TransportEvents } from '@holdfast/client/ports';
import { json } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { MemoryNetwork, seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endOf, silent } from './people.js';
import { play } from './scripted.js';

/** The real client and the real server; the test may put a GOAWAY into what comes down, and end connections. */
function house() {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const network = new MemoryNetwork(clock, 5);
  const { server, accept } = createServerOn({ clock, random, digest: systemDigest, logger: silent }, {});
  let tell: (n: number) => unknown = () => undefined;
  server.onSession((session) => {
    tell = (n) => session.send('tell', n);
  });
  const got: unknown[] = [];
  server.on('note', (n) => void got.push(n));
  server.rooms('*', { join: true, publish: true });
  server.handle('echo', (input) => input);
  network.listener = {
    connect: () => ({
      protocol: 'holdfast.v1.json',
      serve: (transport) => accept(transport, json(), { address: 'x' }),
    }),
  };
  const link = network.link('client');
  const story: string[] = [];
  const lines: TransportEvents[] = [];
  const dialer: Dialer = {
    dial(url, protocols, events) {
      const n = lines.push(events);
      story.push(`dial ${n}`);
      const transport = link.dial(url, protocols, events);
      return {
        send: (data) => transport.send(data),
        close(code, reason) {
          story.push(`hang up ${n}`);
          transport.close(code, reason);
        },
        get bufferedBytes() {
          return transport.bufferedBytes;
        },
      };
    },
  };
  const signals = { listen: () => () => undefined };
  const client = createClientOn({ clock, random, dialer, signals, logger: silent }, { url: 'ws://house' });
  const statuses: string[] = [];
  client.onState(({ status }) => statuses.push(status));
  const heard: unknown[] = [];
  client.on('tell', (n) => heard.push(n));
  onTestFinished(async () => {
    await client.close();
    await clock.until(server.close());
    await clock.advance(10);
    expect(clock.timers).toBe(0);
  });
  const goaway = (afterMs: number, n = lines.length) =>
    lines[n - 1]?.message(JSON.stringify([0, 0, [11, 'drain', afterMs]]));
  return {
    ...{ clock, server, client, link, lines, story, statuses, got, heard, goaway },
    tell: (n: number) => tell(n),
  };
}

describe('the server drains', () => {
  test('the second connection is dialled before the first is closed; all arrives once, both ways; always "connected"', async () => {
    const { clock, server, client, story, statuses, got, heard, goaway, tell } = house();
    await clock.until(client.connect());
    const before = client.getState();
    goaway(300);
    const ends = [];
    for (let n = 0; n < 500; n++) {
      ends.push(endOf(client.send('note', n)));
      void tell(n);
      await clock.advance(1);
    }
    await clock.advance(1_000);
    expect(story).toEqual(['dial 1', 'dial 2', 'hang up 1']);
    expect(new Set(statuses)).toEqual(new Set(['connecting', 'connected']));
    expect(statuses.lastIndexOf('connecting')).toBeLessThan(statuses.indexOf('connected'));
    expect(got).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(heard).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(ends.filter(({ end, times }) => end !== 'ok' || times !== 1)).toEqual([]);
    expect(client.getState()).toMatchObject({
      ...{ status: 'connected', recovered: true },
      sessionId: 'sessionId' in before && before.sessionId,
    });
    expect(server.stats()).toMatchObject({ sessions: 1, connections: 1 });
  });

  test('requests that are under way during the move get their one answer', async () => {
    const { clock, client, goaway } = house();
    await clock.until(client.connect());
    goaway(0);
    const answers = [];
    for (let n = 0; n < 60; n++) {
      answers.push(client.request('echo', n));
      await clock.advance(1);
    }
    expect(await clock.until(Promise.all(answers))).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  test('nobody answers elsewhere: the first connection goes on, and so do the attempts', async () => {
    const { clock, server, client, link, statuses, got, heard, goaway, lines } = house();
    await clock.until(client.connect());
    await clock.until(client.room('lobby').join());
    link.refuse();
    goaway(0);
    for (let n = 0; n < 30; n++) {
      void client.send('note', n);
      void server.to('lobby').send('tell', n);
      await clock.advance(1_000);
    }
    expect(got).toHaveLength(30);
    expect(heard).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(client.room('lobby').getState().status).toBe('joined');
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.length).toBeLessThan(20);
    expect(statuses).not.toContain('reconnecting');
    link.heal();
    await clock.advance(31_000);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(link.connections).toBe(1);
  });

  test('the first is gone in the middle of the move, at any moment: all arrives once', async () => {
    for (const ms of [0, 1, 3, 6, 8, 11, 13, 16, 19, 22]) {
      const { clock, client, lines, got, goaway } = house();
      await clock.until(client.connect());
      await clock.advance(100);
      goaway(0);
      const ends = [endOf(client.send('note', 1))];
      await clock.advance(ms);
      lines[0]?.close({ code: 1012, reason: '' });
      ends.push(endOf(client.send('note', 2)));
      await clock.advance(5_000);
      expect([ms, got, ends.map(({ end }) => end)]).toEqual([ms, [1, 2], ['ok', 'ok']]);
      expect(client.getState().status).toBe('connected');
    }
  });

  test('close() or disconnect() in the middle of the move leave neither', async () => {
    for (const ms of [0, 3, 7, 12, 17]) {
      for (const end of ['close', 'disconnect'] as const) {
        const { clock, client, link, goaway, server } = house();
        await clock.until(client.connect());
        goaway(0);
        await clock.advance(ms);
        await client[end]();
        await clock.advance(1_000);
        expect([link.connections, server.stats().connections]).toEqual([0, 0]);
      }
    }
  });
});

describe('the server to move to', () => {
  test('knows nothing of the session, and says so by 4401: what stands is no worse for it', async () => {
    const lost: unknown[] = [];
    const { clock, client, calls, statuses } = play({}, (call, n) =>
      n === 2 ? call.end(4401) : call.welcome(),
    );
    client.onSessionLost((told) => lost.push(told));
    await clock.until(client.connect());
    calls[0]?.goaway(0);
    await clock.advance(5_000);
    expect(lost).toEqual([]);
    expect(calls[2]?.hello).toMatchObject({ s: 's' });
    expect(statuses).not.toContain('reconnecting');
  });

  test('refuses the token: the connection stands, and the next attempt shows another one', async () => {
    let n = 0;
    const auth = () => `t${++n}`;
    const { clock, client, calls, statuses } = play({ auth }, (call, n) =>
      n === 2 ? call.expire() : call.welcome(),
    );
    await clock.until(client.connect());
    calls[0]?.goaway(0);
    await clock.advance(5_000);
    expect(calls.map(({ hello }) => hello?.a)).toEqual(['t1', 't1', 't2']);
    expect(statuses).not.toContain('reconnecting');
  });

  test('is busy: it is asked when it said', async () => {
    const { clock, client, calls } = play({}, (call, n) =>
      n === 2 ? call.end(1013, 'ra=30000') : call.welcome(),
    );
    await clock.until(client.connect());
    calls[0]?.goaway(0);
    await clock.advance(28_000);
    expect(calls).toHaveLength(2);
    await clock.advance(4_000);
    expect(calls).toHaveLength(3);
    expect(calls.map(({ hungUp }) => hungUp)).toEqual([1000, 1000, undefined]);
  });

  test('gives the session up for lost: a new one, and the application is told before', async () => {
    let isAnswered = false;
    const { clock, client, calls } = play(
      {},
      (call, n) => {
        if (n === 1) call.welcome();
        else call.welcome({ q: 2 });
      },
      (call, n) => {
        const hellos = call.heard.filter(([type]) => type === 0);
        if (n === 2 && hellos.length === 2 && !isAnswered) {
          isAnswered = true;
          call.welcome({ q: 0, s: 's2' });
        }
      },
    );
    const story: string[] = [];
    client.onSessionLost(({ sessionId }) => story.push(`lost ${sessionId}`));
    client.onState((state) => story.push(state.status === 'connected' ? state.sessionId : state.status));
    await clock.until(client.connect());
    await clock.advance(100);
    story.length = 0;
    calls[0]?.goaway(0);
    await clock.advance(5_000);
    expect(story[0]).toBe('lost s');
    expect(new Set(story.slice(1))).toEqual(new Set(['s2']));
  });
});
