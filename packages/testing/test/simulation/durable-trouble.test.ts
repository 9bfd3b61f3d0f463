import type { ClientOptions } from '@holdfast/client';
import { MemoryOutbox, type OpenOutbox, type OutboxStore, outboxOn } from '@holdfast/client/storage';
import type { Testbed } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { endOf, openBed, silent } from './people.js';

// What a store may do to a durable outbox; durable.test.ts has what is to be when the store does well.

const durable = { delivery: 'durable' } as const;
const never = () => new Promise<never>(() => undefined);
const full = () => Promise.reject(new Error('QuotaExceededError'));
const pause = (bed: Testbed, ms: number) =>
  new Promise<void>((resolve) => void bed.clock.setTimer(resolve, ms));

/** A memory that does one thing otherwise, and counts what is open. */
function troubled(change: (right: OpenOutbox, bed: Testbed) => Partial<OpenOutbox>, userId?: string) {
  const memory = new MemoryOutbox();
  const counts = { open: 0 };
  const noted: string[] = [];
  const bed = openBed({
    auth: (token) => ({ user: { id: token ?? 'nobody' } }),
    setup(server) {
      server.on('note', (payload, { session }) => noted.push(`${session.user.id} ${payload}`));
    },
  });
  const store: OutboxStore = {
    name: 'trouble',
    async open(user) {
      const right = await memory.open(user);
      counts.open++;
      const close = async () => {
        counts.open--;
        await right.close();
      };
      return { ...right, close, ...change({ ...right, close }, bed) };
    },
  };
  const errors: string[] = [];
  const create = (over: Partial<Omit<ClientOptions, 'url'>> = {}, on: OutboxStore = store) => {
    const outbox = { storage: outboxOn(on, { userId }), ...over.outbox };
    const client = bed.createClient({ auth: 'ada', logger: silent, ...over, outbox });
    client.onError(({ code, message }) => errors.push(`${code} ${message}`));
    return client;
  };
  return { bed, memory, store, counts, noted, errors, create };
}

describe('a message that cannot be marked as written', () => {
  const failing = () => {
    let fails = false;
    const trouble = troubled(({ put }) => ({ put: (all) => (fails ? full() : put(all)) }), 'ada');
    const fail = (is: boolean): void => {
      fails = is;
    };
    return { ...trouble, fail };
  };

  test('is not overtaken by a later one of its outbox, which the server would take for the newer', async () => {
    const { bed, noted, create, memory, fail } = failing();
    const client = create();
    const first = endOf(client.send('note', 1, durable));
    await bed.advance(100);
    fail(true);
    await bed.until(client.connect());
    await bed.advance(100);
    // It cannot be stored; it is of another outbox than the one that is stuck, and goes.
    const second = endOf(client.send('note', 2, durable));
    await bed.advance(500);
    expect([noted, first.end, second.end]).toEqual([['ada 2'], 'open', 'ok']);
    fail(false);
    bed.cut(client);
    await bed.advance(10_000);
    expect([noted, first.end, memory.messages]).toEqual([['ada 2', 'ada 1'], 'ok', []]);
  });

  test('nor by one that was refused together with it', async () => {
    const { bed, noted, create, fail } = failing();
    const client = create();
    const first = endOf(client.send('note', 1, durable));
    await bed.advance(100);
    fail(true);
    let second: ReturnType<typeof endOf> | undefined;
    client.onState(({ status }) => {
      if (status === 'connected') second ??= endOf(client.send('note', 2, durable));
    });
    await bed.until(client.connect());
    await bed.advance(500);
    expect(noted).toEqual([]);
    fail(false);
    bed.cut(client);
    await bed.advance(10_000);
    expect([noted, first.end, second?.end]).toEqual([['ada 1', 'ada 2'], 'ok', 'ok']);
  });
});

describe('what is open is closed, so that others can have it', () => {
  test.each([
    ['that cannot be read', () => ({ adopt: full })],
    ['whose reading never ends', () => ({ adopt: never })],
  ])('a store %s', async (_what, change) => {
    const { bed, create, counts } = troubled(change);
    await bed.until(create().connect());
    await bed.advance(30_000);
    expect(counts).toEqual({ open: 0 });
  });

  test('a store that opens too late', async () => {
    const { bed, create, counts, store } = troubled(() => ({}));
    const slow: OutboxStore = {
      name: 'slow',
      open: (user) => pause(bed, 8_000).then(() => store.open(user)),
    };
    await bed.until(create({}, slow).connect());
    await bed.advance(30_000);
    expect(counts).toEqual({ open: 0 });
  });

  test('a store that one has at a time, and that is slow to close, is closed before it is opened anew', async () => {
    const { bed, create, counts, store, errors, noted } = troubled(({ close }, on) => ({
      close: () => pause(on, 1_000).then(close),
    }));
    const exclusive: OutboxStore = {
      name: 'exclusive',
      open: (user) => (counts.open > 0 ? Promise.reject(new Error('taken')) : store.open(user)),
    };
    const client = create({}, exclusive);
    await bed.until(client.connect());
    await bed.advance(500);
    await bed.until(client.connect({ auth: 'bob' }));
    const stored = endOf(client.send('note', 1, durable).stored as Promise<void>);
    await bed.advance(5_000);
    expect([stored.end, errors, noted]).toEqual(['ok', [], ['bob 1']]);
  });
});

describe('a client closes', () => {
  test.each([
    ['never closes', () => ({ close: never })],
    ['fails to', () => ({ close: full })],
    ['never puts anything', () => ({ put: never })],
    ['throws', () => ({ remove: () => raise(), close: () => raise() })],
  ])('whose store %s', async (_what, change) => {
    const { bed, create } = troubled(change);
    const client = create();
    await bed.until(client.connect());
    const sending = client.send('note', 1, durable);
    const ends = [endOf(sending), endOf(sending.stored as Promise<void>)];
    await bed.advance(500);
    void client.send('note', 2, durable).catch(() => undefined);
    const closed = endOf(client.close());
    await bed.advance(15_000);
    expect([closed.end, ends.map(({ end }) => end).includes('open')]).toEqual(['ok', false]);
  });
});

const raise = (): never => {
  throw new Error('no');
};

test('what cannot be removed is removed later', async () => {
  let removals = 0;
  const { bed, create, memory, errors } = troubled(({ remove }) => ({
    remove: (places) => (++removals === 1 ? full() : remove(places)),
  }));
  const client = create();
  await bed.until(client.connect());
  await bed.until(client.send('note', 1, durable));
  await bed.advance(100);
  expect([memory.messages.length, errors.length]).toEqual([1, 1]);
  await bed.until(client.send('note', 2, durable));
  await bed.advance(100);
  expect(memory.messages).toEqual([]);
});

test('nor does it outlive a client that closes at once', async () => {
  const { bed, create, memory } = troubled(() => ({}), 'ada');
  const client = create();
  const aborter = new AbortController();
  void client.send('note', 1, { ...durable, signal: aborter.signal }).catch(() => undefined);
  await bed.until(client.send('note', 2, durable).stored as Promise<void>);
  aborter.abort();
  await bed.until(client.close());
  expect(memory.messages.map(({ place: [, n] }) => n)).toEqual([2]);
});

test('who comes back as a former user begins another outbox: what waits there has the lower numbers', async () => {
  let opens = 0;
  const { bed, create, store, noted, memory } = troubled(() => ({}));
  // He cannot have it when he is back.
  const blocked: OutboxStore = {
    name: 'blocked',
    open: (user) => (++opens === 3 ? full() : store.open(user)),
  };
  const client = create({}, blocked);
  await bed.until(client.connect());
  await client.disconnect();
  await bed.advance(100);
  const left = client.send('note', 'left', durable);
  left.catch(() => undefined);
  await bed.until(left.stored as Promise<void>);
  await bed.until(client.connect({ auth: 'bob' }));
  await bed.advance(100);
  await bed.until(client.connect({ auth: 'ada' }));
  await bed.until(client.send('note', 'new', durable));
  bed.cut(client);
  await bed.advance(10_000);
  expect([noted, memory.messages]).toEqual([['ada new', 'ada left'], []]);
});

test('what is damaged is told, and what can be read goes on', async () => {
  const { bed, create, errors, noted } = troubled(() => ({ damage: 'two of its lines cannot be read' }));
  const client = create();
  await bed.until(client.connect());
  await bed.until(client.send('note', 1, durable));
  const told = 'ERR_STORAGE the outbox in trouble: two of its lines cannot be read';
  expect([errors, noted]).toEqual([[told], ['ada 1']]);
});

test('what was not stored is not sent as somebody else either', async () => {
  const { bed, create, noted } = troubled(() => ({ put: full }), 'ada');
  const client = create({ auth: 'bob' });
  const hers = endOf(client.send('note', 'hers', durable));
  await bed.advance(100);
  await bed.until(client.connect());
  await bed.advance(1_000);
  expect([hers.end, noted]).toEqual(['ERR_CLOSED unsent', []]);
});

/** Leaves messages behind, as a program does that has crashed. */
async function leave(memory: MemoryOutbox, ...payloads: string[]): Promise<void> {
  const left = await memory.open('ada');
  await left.put(
    payloads.map((payload, index) => ({
      ...{ id: payload, event: 'note', sentAt: 1, codec: 'json', place: ['earlier', index + 1] as const },
      encoded: JSON.stringify([2, 'note', payload, { i: payload, o: ['earlier', index + 1] }]),
    })),
  );
  await left.close();
}

test('what an earlier life has left comes first, also when a session is lost', async () => {
  const { bed, create, noted, memory } = troubled(() => ({}));
  await leave(memory, 'a', 'b');
  const client = create();
  for (const n of [1, 2]) void client.send('note', n, durable);
  await bed.until(client.connect());
  bed.freeze(client, 'up');
  await bed.advance(200_000);
  bed.heal(client);
  await bed.advance(60_000);
  expect(noted).toEqual(['ada a', 'ada b', 'ada 1', 'ada 2']);
});

test('what an earlier life has left and the server does not take any more is not written again and again', async () => {
  const { bed, create, noted, memory } = troubled(() => ({}));
  await leave(memory, 'x'.repeat(2_000_000), 'b');
  const told: string[] = [];
  const client = create({ outbox: { maxBytes: 10_000_000 } });
  client.onUndelivered((_message, { code, delivery }) => told.push(`${code} ${delivery}`));
  await bed.until(client.connect());
  await bed.advance(1_000);
  expect([told, noted, client.getState().status]).toEqual([['ERR_TOO_BIG unsent'], ['ada b'], 'connected']);
});
