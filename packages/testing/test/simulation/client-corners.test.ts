import { defineContract } from '@holdfast/client';
import { type OutboxStore, outboxOn } from '@holdfast/client/storage';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { lasting } from './lasting.js';
import { endOf, member, openBed, silent } from './people.js';
import { play } from './scripted.js';

describe('another token before the one before has led to a session', () => {
  const two = () =>
    lasting({ auth: (token = '') => ({ user: { id: token.split(' ')[0] ?? '' } }), logger: silent });

  test.each(['reliable', 'durable'] as const)('what was said between is nobody’s: %s', async (delivery) => {
    const { bed, life, noted, store } = two();
    const { client } = life();
    await bed.until(client.connect());
    bed.refuse(client);
    bed.cut(client);
    await bed.advance(100);
    const told: unknown[] = [];
    client.onUndelivered(({ payload }) => told.push(payload));
    const hers = endOf(client.send('note', 'hers', { delivery }));
    void client.connect({ auth: 'bob' });
    const his = endOf(client.send('note', 'his', { delivery }));
    void client.connect({ auth: 'ada again' });
    const after = endOf(client.send('note', 'after', { delivery }));
    bed.heal(client);
    await bed.advance(60_000);
    expect(noted).toEqual(['ada hers', 'ada after']);
    expect([hers.end, his.end, after.end]).toEqual(['ok', 'ERR_CLOSED unsent', 'ok']);
    expect(told).toEqual(['his']);
    expect(store.messages).toEqual([]);
  });

  test('what an earlier life of the user before has left, and is found meanwhile, waits for that user', async () => {
    const { bed, life, noted, store, crash } = two();
    const slow: OutboxStore = {
      name: store.name,
      async open(user) {
        const outbox = await store.open(user);
        const after = () => new Promise<void>((resolve) => void bed.clock.setTimer(resolve, 1_000));
        return { ...outbox, adopt: () => after().then(() => outbox.adopt()) };
      },
    };
    const before = life({}, 'ada');
    await bed.advance(100);
    const client = bed.createClient({ auth: 'ada', outbox: { storage: outboxOn(slow) } });
    void client.connect();
    await bed.advance(1_500);
    void before.client.send('note', 'early', { delivery: 'durable' });
    await bed.advance(100);
    crash(before.client);
    // Asked with the next connection what has been left since.
    bed.cut(client);
    await bed.until(client.connect());
    void client.connect({ auth: 'bob' });
    bed.refuse(client);
    await bed.advance(2_000);
    const restored = endOf(client.send('note', 'his'));
    void client.connect({ auth: 'ada again' });
    bed.heal(client);
    await bed.advance(60_000);
    expect([noted, restored.end]).toEqual([['ada early'], 'ERR_CLOSED unsent']);
  });

  test('a room that was left or joined between is left or joined', async () => {
    const bed = openBed({ auth: (token = '') => ({ user: { id: token.split(' ')[0] ?? '' } }) });
    const { client, room } = await member(bed, { auth: 'ada' });
    bed.refuse(client);
    bed.cut(client);
    await bed.advance(100);
    void client.connect({ auth: 'bob' });
    void room.leave();
    const other = client.room('other');
    const joining = endOf(other.join());
    void client.connect({ auth: 'ada again' });
    bed.heal(client);
    await bed.advance(60_000);
    expect([room.getState().status, other.getState().status, joining.end]).toEqual(['left', 'joined', 'ok']);
    const [session] = await bed.until(bed.server.toAll().sessions());
    expect(session?.rooms).toEqual(['other']);
  });

  test('what is said in a listener, behind connect({ auth }), is not written on the connection before', async () => {
    const { bed, life, noted } = two();
    const { client } = life();
    client.on('hello', () => {
      // So many fill a frame, which is written before the task is over.
      for (let n = 0; n < 32; n++) void client.send('note', 'hers');
      void client.connect({ auth: 'bob' });
      void client.send('note', 'his', { delivery: 'volatile' });
      void client.send('note', 'his');
    });
    await bed.until(client.connect());
    await bed.until(bed.server.toAll().send('hello'));
    await bed.advance(60_000);
    expect(noted.filter((word) => word.endsWith('his'))).toEqual(['bob his']);
  });
});

describe('presence', () => {
  const people = () =>
    openBed({
      auth: (token = '') => ({ user: { id: token.split(' ')[0] ?? '' } }),
      setup: (server) => server.rooms('*', { join: true, publish: true, presence: true }),
      logger: silent,
    });
  const big = (n: number) => `${n}`.repeat(2_000);

  test('told behind connect({ auth }) is of whoever that lets in, and what was told before is not', async () => {
    const bed = people();
    const { client, room } = await member(bed, { auth: 'ada' });
    const other = client.room('other');
    await bed.until(other.join());
    await bed.until(Promise.all([room, other].map((one) => one.setPresence('hers'))));
    void client.connect({ auth: 'bob' });
    void room.setPresence('his').catch(() => undefined);
    // Until who has gone is not shown any more.
    await bed.advance(10_000);
    expect(room.members).toEqual([{ userId: 'bob', sessions: 1, presence: 'his' }]);
    expect(other.members).toEqual([{ userId: 'bob', sessions: 1 }]);
    await bed.until(client.connect({ auth: 'carol' }));
    await bed.advance(10_000);
    expect(room.members).toEqual([{ userId: 'carol', sessions: 1 }]);
  });

  test('of two that are refused, neither goes with the next join', async () => {
    const bed = people();
    const { room } = await member(bed, { auth: 'ada' });
    await bed.until(room.setPresence('well'));
    const ends = [1, 2].map((n) => endOf(room.setPresence(big(n))));
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(['ERR_REJECTED rejected', 'ERR_REJECTED rejected']);
    bed.stop();
    bed.start({ keepStore: false });
    await bed.advance(60_000);
    expect(room.getState().status).toBe('joined');
    expect(room.members).toEqual([{ userId: 'ada', sessions: 1, presence: 'well' }]);
  });
});

describe('volatile', () => {
  test('any number of them, each in a step of its own, as long as the connection takes them', async () => {
    const noted: unknown[] = [];
    const bed = openBed({
      setup: (server) => void server.on('note', (payload) => noted.push(payload)),
    });
    const client = bed.createClient();
    await bed.until(client.connect());
    const ends: string[] = [];
    for (let n = 0; n < 300; n++) {
      client.send('note', n, { delivery: 'volatile' }).then(({ outcome }) => ends.push(outcome));
      await null;
    }
    await bed.advance(100);
    expect(new Set(ends)).toEqual(new Set(['sent']));
    expect([ends.length, noted.length]).toEqual([300, 300]);
  });
});

test('the answer to a join that is none refuses it, and the connection stays', async () => {
  const { client, clock, calls, statuses } = play({}, undefined, (call) => {
    const join = call.heard.find(([, name]) => name === '$join');
    if (join) call.sayFrom(1, [4, 1, { epoch: 7 }]);
  });
  const connecting = client.connect();
  await clock.advance(100);
  await connecting;
  const room = client.room('lobby');
  const joining = endOf(room.join());
  await clock.advance(60_000);
  expect([room.getState().status, joining.end]).toEqual(['refused', 'ERR_INVALID_PAYLOAD rejected']);
  expect(calls).toHaveLength(1);
  expect(statuses.at(-1)).toBe('connected');
});

describe('a schema that throws', () => {
  // As those do that look for JSON in a text.
  const json = z.string().transform((text) => JSON.parse(text) as unknown);
  const contract = defineContract({
    events: { note: json },
    requests: { ask: { input: json, output: json } },
    presence: json,
  });
  const bedOf = () =>
    openBed({
      setup(server) {
        server.rooms('*', { join: true, publish: true, presence: true });
        server.on('note', () => undefined);
        server.handle('ask', (input) => input);
      },
    });

  test('refuses what is sent, asked and told, as any other', async () => {
    const bed = bedOf();
    const client = bed.createClient({ contract } as object);
    await bed.until(client.connect());
    const room = client.room('lobby');
    await bed.until(room.join());
    const undelivered: string[] = [];
    client.onUndelivered(({ event }) => undelivered.push(event));
    const ends = [client.send('note', '{'), client.request('ask', '{'), room.setPresence('{')].map(endOf);
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(Array(3).fill('ERR_INVALID_PAYLOAD unsent'));
    expect(undelivered).toEqual(['note', 'ask']);
    expect(await bed.until(client.send('note', '{}'))).toMatchObject({ outcome: 'acknowledged' });
  });

  test('refuses an answer, and says so', async () => {
    const bed = bedOf();
    const client = bed.createClient({
      contract: defineContract({ requests: { ask: { input: z.string(), output: json } } }),
    } as object);
    await bed.until(client.connect());
    const undelivered: string[] = [];
    client.onUndelivered(({ event }, { code }) => undelivered.push(`${event} ${code}`));
    const ends = [client.request('ask', '{'), client.request('ask', '{}')].map(endOf);
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(['ERR_INVALID_PAYLOAD rejected', 'ok']);
    expect(undelivered).toEqual(['ask ERR_INVALID_PAYLOAD']);
  });
});

test('flush() waits for what a listener of the outbox says behind the last message, too', async () => {
  const bed = openBed();
  const { client } = await member(bed);
  let ending: ReturnType<typeof endOf> | undefined;
  client.onOutbox(({ messages, inflight }) => {
    if (messages + inflight === 0) ending ??= endOf(client.send('note', 2));
  });
  void client.send('note', 1);
  await bed.until(client.flush());
  expect(ending?.end).toBe('ok');
});

test.each(['disconnect', 'cut'] as const)(
  'leave() settles if a %s comes before its answer, and holds',
  async (how) => {
    const bed = openBed();
    const { client, room } = await member(bed);
    const leaving = endOf(room.leave());
    await bed.advance(1);
    bed.refuse(client);
    if (how === 'cut') bed.cut(client);
    else void client.disconnect();
    await bed.advance(10);
    expect([leaving.end, room.getState().status]).toEqual(['ok', 'left']);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(bed.server.stats().rooms).toBe(0);
  },
);
