import type { HoldfastClient } from '@holdfast/client';
import type { Testbed } from '@holdfast/testing';
import { describe, expect, test, vi } from 'vitest';
import { endOf, openBed, type Person, person, silent } from './people.js';

/** Everything that an application can listen to, and a life in which all of it is told at least once. */
const hooks: { readonly [name: string]: (who: Person, listener: () => unknown) => unknown } = {
  onState: ({ client }, listener) => client.onState(listener),
  onOutbox: ({ client }, listener) => client.onOutbox(listener),
  onSessionLost: ({ client }, listener) => client.onSessionLost(listener),
  onGap: ({ client }, listener) => client.onGap(listener),
  onUndelivered: ({ client }, listener) => client.onUndelivered(listener),
  on: ({ client }, listener) => client.on('message', listener),
  'room.on': ({ room }, listener) => room.on('message', listener),
  'room.onState': ({ room }, listener) => room.onState(listener),
  'room.onMembers': ({ room }, listener) => room.onMembers(listener),
};

const bedOf = (): Testbed =>
  openBed({
    setup(server) {
      server.rooms('*', { join: true, publish: true, presence: true });
      server.on('note', () => undefined);
    },
  });

/** Connects, joins, hears, loses a message in flight with its session, loses the room's log, comes back. */
async function live(bed: Testbed, who: Person): Promise<void> {
  void who.client.connect();
  void who.room.join();
  await bed.advance(100);
  void bed.server.to('lobby').send('message', 'one');
  await bed.advance(100);
  void who.client.send('note', 1);
  await bed.advance(1);
  bed.restart({ keepStore: false });
  await bed.advance(10_000);
  void who.client.send('note', 2);
  void bed.server.to('lobby').send('message', 'two');
  await bed.advance(10_000);
}

describe.each(Object.keys(hooks))('a listener of %s', (name) => {
  const hook = hooks[name] ?? (() => undefined);

  test('is called in that life', async () => {
    const bed = bedOf();
    const who = person(bed);
    let calls = 0;
    hook(who, () => calls++);
    await live(bed, who);
    expect(calls).toBeGreaterThan(0);
  });

  test('throws, at once or later: reported, and all goes on as without it', async () => {
    for (const fail of [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
      // Without a prototype, and so without words.
      () => Promise.reject(Object.create(null)),
      () => {
        throw Object.create(null);
      },
    ]) {
      const bed = bedOf();
      const who = person(bed);
      const errors: string[] = [];
      who.client.onError(({ code, message, cause }) =>
        errors.push(`${code} ${cause === undefined} ${message}`),
      );
      hook(who, fail);
      await live(bed, who);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.every((line) => /^ERR_LISTENER_FAILED false .*(mine|object)$/.test(line))).toBe(true);
      expect(who.client.getState().status).toBe('connected');
      expect(who.room.getState().status).toBe('joined');
      expect(who.heard).toEqual(['one', 'gap 0 new-epoch', 'two']);
      expect(bed.dials(who.client)).toBeLessThan(6);
    }
  });

  const acts: { readonly [what: string]: (client: HoldfastClient, who: Person) => unknown } = {
    'send()': (client) => void client.send('note', 'from a listener'),
    'room.send()': (_client, { room }) => void room.send('message', 'from a listener'),
    'connect()': (client) => void client.connect(),
    'request()': (client) => void client.request('nothing').catch(() => undefined),
    'join() another room': (client) => void client.room('other').join(),
    'leave() and join()': (_client, { room }) => {
      void room.leave();
      void room.join();
    },
    'close() and connect()': (client) => {
      void client.close();
      client.connect().catch(() => undefined);
    },
    'disconnect() and connect()': (client) => {
      client.disconnect();
      void client.connect();
    },
    'close()': (client) => void client.close(),
    'leave()': (_client, { room }) => void room.leave(),
    'disconnect()': (client) => client.disconnect(),
  };

  test.each(Object.keys(acts))(
    'calls %s: no listener is nested, the wish of the last word holds',
    async (act) => {
      const bed = bedOf();
      const who = person(bed);
      let depth = 0;
      let deepest = 0;
      let acted = 0;
      for (const [each, listen] of Object.entries(hooks)) {
        listen(who, () => {
          deepest = Math.max(deepest, ++depth);
          // Some of this calls the listener anew: a few times are enough.
          if (each === name && acted++ < 5) acts[act]?.(who.client, who);
          depth--;
        });
      }
      await live(bed, who);
      await bed.advance(60_000);
      expect(acted).toBeGreaterThan(0);
      expect(deepest).toBe(1);
      const { status } = who.client.getState();
      if (act.startsWith('close()')) expect(status).toBe('closed');
      else if (act === 'disconnect()') expect(status).toMatch(/^(idle|connected)$/);
      else expect(status).toBe('connected');
      if (act === 'leave() and join()' && status === 'connected') {
        expect(who.room.getState().status).toBe('joined');
      }
      const end = endOf(who.client.send('note', 'the last'));
      await bed.advance(100);
      expect(end.end).toBe(
        { closed: 'ERR_CLOSED unsent', idle: 'open', connected: 'ok' }[
          status as 'closed' | 'idle' | 'connected'
        ],
      );
    },
  );
});

describe('close() inside a listener', () => {
  test('no handler of a message is called after it, not even for the rest of its frame', async () => {
    const bed = openBed({
      setup: (server) =>
        void server.onSession((session) => {
          for (let n = 0; n < 10; n++) void session.send('tell', n);
        }),
    });
    const { client } = person(bed);
    const heard: unknown[] = [];
    client.on('tell', (n) => {
      heard.push(n);
      if (n === 3) void client.close();
    });
    client.on('tell', (n) => heard.push(`second ${n}`));
    void client.connect();
    await bed.advance(1_000);
    expect(heard.filter((n) => typeof n === 'number')).toEqual([0, 1, 2, 3]);
    expect(heard.at(-1)).toMatch(/3/);
    expect(bed.clock.timers).toBe(0);
  });

  test('a listener that goes away while it is called is called no more', async () => {
    const bed = openBed({
      setup: (server) =>
        void server.onSession((session) => {
          for (let n = 0; n < 5; n++) void session.send('tell', n);
        }),
    });
    const { client } = person(bed);
    const heard: string[] = [];
    const off = client.on('tell', (n) => {
      heard.push(`a${n}`);
      off();
      client.on('tell', (m) => heard.push(`b${m}`), { once: true });
    });
    client.on('tell', (n) => heard.push(`c${n}`));
    void client.connect();
    await bed.advance(100);
    expect(heard).toEqual(['a0', 'c0', 'c1', 'b1', 'c2', 'c3', 'c4']);
  });
});

test('events that nobody listens to are in the log once for each of 100 names; onError is told each time', async () => {
  const error = vi.fn();
  const bed = openBed();
  const client = bed.createClient({ logger: { ...silent, error } });
  await bed.until(client.connect());
  const say = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) void bed.server.toAll().send(`name ${n}`, n);
    await bed.advance(100);
  };
  await say(10);
  await say(10);
  expect(error).toHaveBeenCalledTimes(10);
  await say(200);
  await say(200);
  expect(error).toHaveBeenCalledTimes(100);
  const told = vi.fn();
  client.onError(told);
  await say(200);
  expect([told.mock.calls.length, error.mock.calls.length]).toEqual([200, 100]);
});

test('a logger that throws stops nothing', async () => {
  const noted: unknown[] = [];
  const bed = openBed({ setup: (server) => void server.on('note', (payload) => noted.push(payload)) });
  const broken = () => {
    throw new Error('the disk is full');
  };
  const client = bed.createClient({ logger: { ...silent, warn: broken, error: broken } });
  client.onState(broken);
  client.on('message', broken);
  const stopErrors = client.onError(broken);
  await bed.until(client.connect());
  void bed.server.toAll().send('message', 1);
  await bed.advance(100);
  stopErrors();
  void bed.server.toAll().send('message', 2);
  expect(await bed.until(client.send('note', 1))).toMatchObject({ outcome: 'acknowledged' });
  expect([noted, client.getState().status, bed.dials(client)]).toEqual([[1], 'connected', 1]);
});
