import type { LiteClient } from '@holdfast/client/lite';
import { payloadCodec } from '@holdfast/client/payload-codec';
import { createLiteClientOn } from '@holdfast/client/ports';
import { MemoryNetwork, seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type Guest, type LiteBed, liteBed } from './lite-bed.js';
import { endOf, silent } from './people.js';
import { playLite } from './scripted.js';

/** Everything that an application can listen to. */
const hooks: { readonly [name: string]: (who: Guest, listener: () => unknown) => unknown } = {
  onState: ({ client }, listener) => client.onState(listener),
  onSessionLost: ({ client }, listener) => client.onSessionLost(listener),
  onGap: ({ client }, listener) => client.onGap(listener),
  onUndelivered: ({ client }, listener) => client.onUndelivered(listener),
  on: ({ client }, listener) => client.on('message', listener),
  'room.on': ({ room }, listener) => room.on('message', listener),
  'room.onState': ({ room }, listener) => room.onState(listener),
};

/** A life in which all of it is told at least once: connects, joins, loses a message with its session, comes back. */
async function live(bed: LiteBed, who: Guest): Promise<void> {
  void who.client.connect();
  void who.room.join();
  await bed.advance(100);
  void bed.server.to('lobby').send('message', 'one');
  await bed.advance(100);
  void who.client.send('note', 1);
  await bed.advance(1);
  bed.stop();
  bed.start({ keepStore: false });
  await bed.advance(10_000);
  void who.client.send('note', 2);
  void bed.server.to('lobby').send('message', 'two');
  await bed.advance(10_000);
}

describe.each(Object.keys(hooks))('a listener of %s', (name) => {
  const hook = hooks[name] ?? (() => undefined);

  test('throws, at once or later: reported, and all goes on as without it', async () => {
    for (const fail of [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
      // Without a prototype, and so without words.
      () => {
        throw Object.create(null);
      },
    ]) {
      const bed = liteBed();
      const who = bed.guest();
      hook(who, fail);
      await live(bed, who);
      expect(new Set(who.errors)).toEqual(new Set(['ERR_LISTENER_FAILED']));
      expect(who.client.getState().status).toBe('connected');
      expect(who.room.getState().status).toBe('joined');
      expect(who.heard).toEqual(['one', 'gap 0 new-epoch', 'two']);
      expect(who.link.dials).toBeLessThan(6);
    }
  });

  const acts: { readonly [what: string]: (client: LiteClient, who: Guest) => unknown } = {
    'send()': (client) => void client.send('note', 'from a listener'),
    'room.send()': (_client, { room }) => void room.send('message', 'from a listener'),
    'connect()': (client) => void client.connect(),
    'request()': (client) => void client.request('nothing'),
    'join() another room': (client) => void client.room('other').join(),
    'leave() and join()': (_client, { room }) => {
      void room.leave();
      void room.join();
    },
    'close() and connect()': (client) => {
      void client.close();
      void client.connect();
    },
    'disconnect() and connect()': (client) => {
      void client.disconnect();
      void client.connect();
    },
    'close()': (client) => void client.close(),
    'leave()': (_client, { room }) => void room.leave(),
    'disconnect()': (client) => void client.disconnect(),
  };

  test.each(Object.keys(acts))('calls %s: the wish of the last word holds', async (act) => {
    const bed = liteBed();
    const who = bed.guest();
    let acted = 0;
    hook(who, () => {
      // Some of this calls the listener anew: a few times are enough.
      if (acted++ < 5) acts[act]?.(who.client, who);
    });
    // Whoever listens behind that one ends with what is.
    let told: unknown = who.client.getState();
    who.client.onState((state) => {
      told = state;
    });
    await live(bed, who);
    await bed.advance(60_000);
    expect(acted).toBeGreaterThan(0);
    const { status } = who.client.getState();
    if (act.startsWith('close()')) expect(status).toBe('closed');
    else if (act === 'disconnect()') expect(status).toMatch(/^(idle|connected)$/);
    else expect(status).toBe('connected');
    expect(told).toEqual(who.client.getState());
    if (act === 'leave() and join()' && status === 'connected') {
      expect(who.room.getState().status).toBe('joined');
    }
    const end = endOf(who.client.send('note', 'the last'));
    await bed.advance(100);
    const ends: { [status: string]: string } = { closed: 'ERR_CLOSED unsent', idle: 'open', connected: 'ok' };
    expect(end.end).toBe(ends[status]);
    expect(bed.server.stats().connections).toBe(status === 'connected' ? 1 : 0);
  });
});

describe.each([
  ['a function', async () => 't'],
  ['a text', 't'],
] as const)('disconnect() in a listener of the state, where the token is %s', (_, auth) => {
  test.each(['preparing', 'dialing', 'handshaking', 'connected'])(
    '%s: it is down, and stays so',
    async (at) => {
      const { client, clock, calls } = playLite({ auth });
      client.onState((state) => {
        const step = state.status === 'connecting' ? state.phase : state.status;
        if (step === at) void client.disconnect();
      });
      void client.connect();
      await clock.advance(600_000);
      expect(client.getState()).toEqual({ status: 'idle' });
      expect(calls.every(({ hungUp }) => hungUp !== undefined)).toBe(true);
      expect(calls.length).toBeLessThan(2);
    },
  );
});

describe('a call in a listener that is told while the server lets in', () => {
  test('disconnect(), of what does not fit into this session: it is down', async () => {
    const { client, clock } = playLite({}, (call) => call.welcome({ m: 10_000 }));
    client.onUndelivered(() => void client.disconnect());
    const sent = endOf(client.send('note', 'x'.repeat(20_000)));
    void client.connect();
    await clock.advance(60_000);
    expect([sent.end, client.getState()]).toEqual(['ERR_TOO_BIG unsent', { status: 'idle' }]);
  });
});

describe('what is told, where nobody listens', () => {
  test('goes to the logger, whatever it is and whatever it does', async () => {
    const words: unknown[] = [];
    class Logger {
      readonly #own = 'own';
      warn(...said: unknown[]): void {
        words.push(`${this.#own} ${said[0]}`);
        throw new Error('full disk');
      }
      error(...said: unknown[]): void {
        this.warn(...said);
      }
    }
    const bed = liteBed({ setup: (server) => server.onSession((one) => void one.send('unheard', 1)) });
    const told: unknown[] = [];
    const { client, link } = aloneOn(bed, new Logger());
    client.on('tick', (n) => told.push(n));
    await bed.until(client.connect());
    await bed.advance(100);
    void bed.session.send('unheard', 1);
    void bed.session.send('tick', 1);
    await bed.advance(10_000);
    expect([told, link.dials]).toEqual([[1], 1]);
    expect(words.length).toBeGreaterThan(0);
    expect(words.every((word) => /^own Holdfast/.test(String(word)))).toBe(true);
    await client.close();
  });
});

/** A client of which nobody wants to know anything. */
function aloneOn(bed: LiteBed, logger: { warn(): void; error(): void }) {
  const { link } = bed.guest();
  const signals = { listen: () => () => undefined };
  const ports = { clock: bed.clock, random: seededRandom(9), dialer: link, signals, logger: silent };
  return { client: createLiteClientOn(ports, { url: 'ws://bed/realtime', logger }), link };
}

describe('bad input', () => {
  const clock = new VirtualClock();
  const dialer = new MemoryNetwork(clock, 5).link('x');
  const signals = { listen: () => () => undefined };
  const create = (options: object) =>
    createLiteClientOn({ clock, random: seededRandom(1), dialer, signals, logger: silent }, {
      url: 'ws://x/',
      ...options,
    } as never);

  test.each(['', '/path', 'no address', 7, undefined, null])('url: %j', (url) => {
    expect(() => create({ url })).toThrow(TypeError);
  });

  test.each(['http://x/a#b', 'https://x/a', new URL('ws://x/'), 'wss://x'])('url: %s is one', (url) => {
    expect(create({ url }).getState()).toEqual({ status: 'idle' });
  });

  const client = create({}) as unknown as { [call: string]: (...values: unknown[]) => unknown };
  const room = create({}).room('lobby') as unknown as typeof client;

  test.each(['', '$join', 'x'.repeat(129), 7, undefined, null, {}])('name: %j', (name) => {
    const nothing = () => undefined;
    for (const call of ['send', 'request', 'room']) expect(() => client[call]?.(name)).toThrow(TypeError);
    for (const call of ['on', 'handle']) expect(() => client[call]?.(name, nothing)).toThrow(TypeError);
    expect(() => room['on']?.(name, nothing)).toThrow(TypeError);
    void room['join']?.();
    expect(() => room['send']?.(name)).toThrow(TypeError);
  });

  test.each([undefined, null, 'text', {}])('listener or handler: %j', (listener) => {
    for (const call of ['on', 'handle']) expect(() => client[call]?.('x', listener)).toThrow(TypeError);
    for (const call of ['onState', 'onGap', 'onError', 'onUndelivered', 'onSessionLost']) {
      expect(() => client[call]?.(listener)).toThrow(TypeError);
    }
    expect(() => room['on']?.('x', listener)).toThrow(TypeError);
    expect(() => room['onState']?.(listener)).toThrow(TypeError);
  });

  test.each([-1, Number.NaN, '5'])('number: %j', (value) => {
    const none = value as never;
    expect(() => create({ outbox: { maxMessages: none } })).toThrow(TypeError);
    expect(() => create({ reconnect: { baseMs: none } })).toThrow(TypeError);
    expect(() => create({ reconnect: { capMs: none } })).toThrow(TypeError);
    for (const call of ['send', 'request']) {
      expect(() => client[call]?.('x', 1, { timeoutMs: none })).toThrow(TypeError);
    }
  });

  test('a codec with an encoding of its own for payloads, of which the server would hear nothing', () => {
    const payloads = { encode: () => new Uint8Array(), decode: () => undefined };
    const codec = payloadCodec({ name: 'mine', ...payloads });
    expect(() => create({ codec })).toThrow(/codec: .*payloadCodec/);
  });

  test('an id that no server takes', async () => {
    const { client: one, clock: time, calls } = playLite();
    await time.until(one.connect());
    for (const id of ['', 'x'.repeat(129), 7]) {
      expect(() => one.send('note', 1, { id } as never)).toThrow(TypeError);
    }
    await time.advance(100);
    expect(calls[0]?.heard.filter(([type]) => type === 2)).toEqual([]);
  });
});
