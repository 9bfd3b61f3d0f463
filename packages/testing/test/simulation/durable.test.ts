import { MemoryOutbox, memoryOutbox, type OpenOutbox, outboxOn } from '@holdfast/client/storage';
import { describe, expect, test } from 'vitest';
import { durable, lasting, never } from './lasting.js';
import { endOf, silent } from './people.js';

describe('a durable message', () => {
  test('is stored before it is written, and gone when it is acknowledged', async () => {
    const { bed, noted, store, life } = lasting();
    const { client } = life();
    await bed.until(client.connect());
    const sending = client.send('note', 1, durable);
    await bed.until(sending.stored as Promise<void>);
    expect(store.messages).toMatchObject([
      { id: sending.id, event: 'note', written: { at: expect.any(Number) } },
    ]);
    expect(noted).toEqual([]);
    await bed.advance(200);
    expect([noted, store.messages]).toEqual([['ada 1'], []]);
  });

  test('keeps its place among the others', async () => {
    const { bed, noted, life } = lasting();
    const { client } = life();
    await bed.until(client.connect());
    for (const n of [1, 2, 3, 4]) void client.send('note', n, n % 2 === 0 ? durable : {});
    await bed.advance(500);
    expect(noted).toEqual([1, 2, 3, 4].map((n) => `ada ${n}`));
  });

  test('of a user who is known beforehand, is stored offline, and sent in the next life, in order', async () => {
    const { bed, noted, life, crash, store } = lasting();
    const before = life({}, 'ada');
    const sent = [1, 2, 3].map((n) => before.client.send('note', n, durable));
    await bed.advance(100);
    expect(store.messages.map(({ written }) => written)).toEqual([undefined, undefined, undefined]);
    crash(before.client);
    await bed.advance(3_600_000);
    const { client, restored } = life();
    await bed.until(client.connect());
    await bed.advance(500);
    expect(noted).toEqual(['ada 1', 'ada 2', 'ada 3']);
    expect(restored.map(({ id, payload }) => [id, payload])).toEqual(sent.map(({ id }, n) => [id, n + 1]));
    expect(await Promise.all(restored.map(({ sending }) => sending))).toMatchObject(
      sent.map(({ id }) => ({ id, outcome: 'acknowledged' })),
    );
    expect(store.messages).toEqual([]);
  });

  test('accepted, its ack lost with the page: comes again in another session, and is not handled again', async () => {
    const { bed, noted, life, crash, ids } = lasting();
    const before = life();
    await bed.until(before.client.connect());
    bed.freeze(before.client, 'down');
    const { id } = before.client.send('note', 1, durable);
    await bed.advance(500);
    expect([noted, ids()]).toEqual([['ada 1'], [id]]);
    crash(before.client);
    const { client, restored } = life();
    await bed.until(client.connect());
    void client.send('note', 2, durable);
    await bed.advance(500);
    expect(noted).toEqual(['ada 1', 'ada 2']);
    expect(await restored[0]?.sending).toMatchObject({ id, outcome: 'acknowledged' });
  });

  test('whose session expires while the page is there: comes again in the next one, and is handled once', async () => {
    const { bed, noted, life } = lasting({ sessionTtlMs: 10_000 });
    const { client } = life();
    await bed.until(client.connect());
    const lost: unknown[] = [];
    client.onSessionLost(({ unknown }) => lost.push(...unknown));
    bed.freeze(client, 'down');
    const heard = endOf(client.send('note', 'heard', durable));
    await bed.advance(100);
    bed.freeze(client);
    const unheard = endOf(client.send('note', 'unheard', durable));
    await bed.advance(60_000);
    bed.heal(client);
    await bed.advance(60_000);
    expect([noted, heard.end, unheard.end, lost]).toEqual([['ada heard', 'ada unheard'], 'ok', 'ok', []]);
  });

  test('is unknown, and not sent, when it may have been written and the store of the server has lost all', async () => {
    const { bed, noted, life, store } = lasting();
    const { client } = life({ logger: silent });
    await bed.until(client.connect());
    bed.freeze(client);
    const written = endOf(client.send('note', 'written', durable));
    await bed.advance(100);
    bed.restart({ keepStore: false });
    bed.heal(client);
    const waiting = endOf(client.send('note', 'waiting', durable));
    await bed.advance(60_000);
    expect([written.end, waiting.end]).toEqual(['ERR_SESSION_LOST unknown', 'ok']);
    expect([noted, store.messages]).toEqual([['ada waiting'], []]);
  });

  test('is unknown, and not sent, when it was written longer ago than the server knows; one never written is sent', async () => {
    const { bed, noted, life, crash } = lasting();
    const before = life();
    await bed.until(before.client.connect());
    bed.freeze(before.client);
    void before.client.send('note', 'written', durable);
    await bed.advance(100);
    crash(before.client);
    await bed.advance(23 * 3_600_000);
    const { client, restored } = life();
    const ends: ReturnType<typeof endOf>[] = [];
    client.onRestored((messages) => ends.push(...messages.map(({ sending }) => endOf(sending))));
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect([restored.length, ends[0]?.end, noted]).toEqual([1, 'ERR_SESSION_LOST unknown', []]);
  });

  test('expires by its time to live, also when nobody was there', async () => {
    const { bed, noted, life, crash } = lasting();
    const before = life({ logger: silent }, 'ada');
    void before.client.send('note', 1, { ...durable, ttlMs: 60_000 });
    void before.client.send('note', 2, durable);
    await bed.advance(100);
    crash(before.client);
    await bed.advance(120_000);
    const { client } = life();
    const told: string[] = [];
    client.onUndelivered(({ payload }, { code, delivery }) => told.push(`${payload} ${code} ${delivery}`));
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect([noted, told]).toEqual([['ada 2'], ['1 ERR_EXPIRED unsent']]);
  });

  test('that is refused, aborted or timed out is stored no more', async () => {
    const { bed, life, store } = lasting();
    const { client } = life({}, 'ada');
    const aborter = new AbortController();
    const timedOut = endOf(client.send('note', 1, { ...durable, timeoutMs: 1_000 }));
    const aborted = endOf(client.send('note', 2, { ...durable, signal: aborter.signal }));
    const unheard = endOf(client.send('nobody', 3, durable));
    await bed.advance(500);
    expect(store.messages).toHaveLength(3);
    aborter.abort(new Error('never mind'));
    await bed.advance(1_000);
    expect(store.messages).toHaveLength(1);
    await bed.until(client.connect());
    await bed.advance(500);
    expect([timedOut.end, aborted.end, unheard.end]).toEqual([
      'ERR_TIMEOUT unsent',
      'never mind',
      'ERR_NO_HANDLER rejected',
    ]);
    expect(store.messages).toEqual([]);
  });
});

describe('whose it is', () => {
  test('what one user has said is never sent as another, and waits for who has said it', async () => {
    const { bed, noted, life } = lasting();
    const { client } = life();
    await bed.until(client.connect());
    await client.disconnect();
    await bed.advance(100);
    const hers = endOf(client.send('note', 'hers', durable));
    await bed.advance(100);
    await bed.until(client.connect({ auth: 'bob' }));
    void client.send('note', 'his', durable);
    await bed.advance(1_000);
    expect([noted, hers.end]).toEqual([['bob his'], 'ERR_CLOSED unknown']);
    await bed.until(client.connect({ auth: 'ada' }));
    await bed.advance(1_000);
    expect(noted).toEqual(['bob his', 'ada hers']);
  });

  test('an outbox of one user, and the server says another: its messages stay where they are', async () => {
    const { bed, noted, life, store } = lasting();
    const { client } = life({ auth: 'bob' }, 'ada');
    const hers = endOf(client.send('note', 'hers', durable));
    await bed.advance(100);
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect([noted, hers.end, store.messages.length]).toEqual([[], 'ERR_CLOSED unknown', 1]);
  });

  test('a client that is closed leaves them to the next one', async () => {
    const { bed, noted, life } = lasting();
    const before = life({}, 'ada');
    const sent = endOf(before.client.send('note', 1, durable));
    await bed.advance(100);
    await bed.until(before.client.close());
    expect(sent.end).toBe('ERR_CLOSED unknown');
    const { client } = life();
    await bed.until(client.connect());
    await bed.advance(500);
    expect(noted).toEqual(['ada 1']);
  });

  test('as long as nobody knows, it is stored nowhere, and ends with its client: unsent', async () => {
    const { bed, life, store } = lasting();
    const { client } = life();
    const sent = endOf(client.send('note', 1, durable));
    await bed.until(client.close());
    const late = endOf(client.send('note', 2, durable));
    await bed.settle();
    expect([sent.end, late.end, store.messages]).toEqual(['ERR_CLOSED unsent', 'ERR_CLOSED unsent', []]);
  });

  test('two tabs: each sends its own; what one leaves behind goes with the next connection of another', async () => {
    const { bed, noted, store, life } = lasting();
    const [one, two] = [life({}, 'ada'), life({}, 'ada')];
    void one.client.send('note', 'one', durable);
    void two.client.send('note', 'two', durable);
    await bed.advance(100);
    await bed.until(two.client.connect());
    await bed.advance(500);
    expect([noted, two.restored]).toEqual([['ada two'], []]);
    await bed.until(one.client.close());
    bed.cut(two.client);
    await bed.advance(5_000);
    expect(two.restored.map(({ payload }) => payload)).toEqual(['one']);
    expect([noted, store.messages]).toEqual([['ada two', 'ada one'], []]);
  });

  test('a guest is told that nothing outlives the page; the message goes all the same', async () => {
    const { bed, noted, store } = lasting({ auth: undefined as never });
    const client = bed.createClient({ outbox: { storage: outboxOn(store) } });
    await bed.until(client.connect());
    const sending = client.send('note', 1, durable);
    await expect(bed.until(sending.stored as Promise<void>)).rejects.toMatchObject({ code: 'ERR_STORAGE' });
    await bed.advance(500);
    expect([noted.length, store.messages]).toEqual([1, []]);
  });
});

describe('storage that fails', () => {
  /** A store that does what it is told to do wrong. */
  const failing = (over: Partial<OpenOutbox> & { open?: () => Promise<never> }) => {
    const inner = new MemoryOutbox();
    const open = over.open ?? (async (userId: string) => ({ ...(await inner.open(userId)), ...over }));
    return { name: 'trouble', open };
  };
  const trouble = async (over: Parameters<typeof failing>[0]) => {
    const { bed, noted } = lasting();
    const errors: string[] = [];
    const client = bed.createClient({ auth: 'ada', outbox: { storage: outboxOn(failing(over)) } });
    client.onError(({ code }) => errors.push(code));
    await bed.until(client.connect());
    const sending = client.send('note', 1, durable);
    const stored = endOf(sending.stored as Promise<void>);
    void client.send('note', 2);
    await bed.advance(20_000);
    return { stored: stored.end, noted, errors };
  };
  const full = () => Promise.reject(new Error('QuotaExceededError'));

  test.each([
    ['full', { put: full }],
    ['that cannot be opened', { open: full }],
    ['that never opens', { open: never }],
    ['that never answers', { put: never }],
    ['that cannot be read', { adopt: full }],
  ])('%s: the send says so, the message goes, and the next one', async (_what, over) => {
    const { stored, noted } = await trouble(over);
    expect([stored, noted]).toEqual(['ERR_STORAGE', ['ada 1', 'ada 2']]);
  });

  test('what cannot be marked as written is not written, and holds nobody up', async () => {
    const { bed, noted } = lasting();
    let puts = 0;
    const inner = new MemoryOutbox();
    const store = {
      name: 'trouble',
      open: async (userId: string) => {
        const opened = await inner.open(userId);
        return { ...opened, put: (messages: never) => (++puts === 2 ? full() : opened.put(messages)) };
      },
    };
    const client = bed.createClient({ auth: 'ada', outbox: { storage: outboxOn(store, { userId: 'ada' }) } });
    void client.send('note', 1, durable);
    await bed.advance(100);
    await bed.until(client.connect());
    void client.send('note', 2);
    await bed.advance(1_000);
    expect([noted, inner.messages.length]).toEqual([['ada 2'], 1]);
    bed.cut(client);
    await bed.advance(10_000);
    expect([noted, inner.messages.length]).toEqual([['ada 2', 'ada 1'], 0]);
  });

  test('a message of another codec is told, and stays for who can read it', async () => {
    const { bed, store, life } = lasting();
    const opened = await store.open('ada');
    const message = {
      id: 'old',
      event: 'note',
      sentAt: 1,
      codec: 'other',
      encoded: 'x',
      place: ['o', 1] as const,
    };
    await opened.put([message]);
    await opened.close();
    const errors: string[] = [];
    const { client, restored } = life();
    client.onError(({ code, message: text }) =>
      errors.push(`${code} ${/cannot be read by json/.test(text)}`),
    );
    await bed.until(client.connect());
    await bed.advance(500);
    expect([errors, restored, store.messages.length]).toEqual([['ERR_STORAGE true'], [], 1]);
  });
});

test('durable without a storage is a mistake, and says so', () => {
  const { bed } = lasting();
  const client = bed.createClient();
  expect(() => client.send('note', 1, durable)).toThrow(/delivery 'durable' needs an 'outbox.storage'/);
  expect(() => bed.createClient({ delivery: { note: 'durable' } })).toThrow(
    /'note' is 'durable', which needs/,
  );
  expect(() => bed.createClient({ outbox: { storage: {} as never } })).toThrow(/outbox.storage/);
  expect(() => memoryOutbox({ userId: 7 as never })).toThrow(TypeError);
});
