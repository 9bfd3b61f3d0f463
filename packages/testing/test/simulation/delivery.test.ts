import type { ClientOptions, EventMeta, HoldfastClient, Receipt } from '@holdfast/client';
import type { ServerSession } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person } from './people.js';

/** A bed whose server notes what it hears of the event `note`. */
function noting(over: Parameters<typeof openBed>[0] = {}) {
  const noted: unknown[] = [];
  const metas: EventMeta[] = [];
  const sessions: ServerSession[] = [];
  const bed = openBed({
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('message', () => undefined);
      server.onSession((session) => sessions.push(session));
      server.on('note', (payload, { session: _session, signal: _signal, ...meta }) => {
        noted.push(payload);
        metas.push(meta);
      });
    },
    ...over,
  });
  return { bed, noted, metas, sessions };
}
const connected = async (
  bed: ReturnType<typeof openBed>,
  options: Partial<Omit<ClientOptions, 'url'>> = {},
) => {
  const made = person(bed, options);
  await bed.until(made.client.connect());
  return made;
};
const volatile = { delivery: 'volatile' } as const;
const latest = { delivery: 'latest' } as const;

/** How sends ended well, in the order in which they were made. */
const outcomes = (sendings: readonly PromiseLike<Receipt>[]): string[] => {
  const seen: string[] = sendings.map(() => 'open');
  for (const [index, sending] of sendings.entries()) {
    sending.then(
      ({ outcome }) => {
        seen[index] = outcome;
      },
      (error: { code: string }) => {
        seen[index] = error.code;
      },
    );
  }
  return seen;
};

describe('volatile', () => {
  test('is heard when it can go at once, without a number', async () => {
    const { bed, noted, metas } = noting();
    const { client } = await connected(bed);
    const ends = outcomes([client.send('note', 1, volatile)]);
    await bed.advance(50);
    expect([ends, noted]).toEqual([['sent'], [1]]);
    expect(metas[0]).toMatchObject({ seq: 0, redelivered: false, room: undefined });
    expect(client.getOutbox()).toEqual({ messages: 0, bytes: 0, inflight: 0 });
  });

  test('is dropped where the connection is lost in the same task', async () => {
    const { bed, noted } = noting();
    const { client } = await connected(bed);
    const after = outcomes([client.send('note', 2, volatile)]);
    await client.disconnect();
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect([after, noted]).toEqual([['dropped'], []]);
  });

  test('does not come again after a cut, where what is reliable does', async () => {
    const { bed, noted } = noting();
    const { client } = await connected(bed);
    bed.freeze(client);
    const ends = outcomes([client.send('note', 'now', volatile), client.send('note', 'kept')]);
    await bed.settle();
    bed.cut(client);
    bed.heal(client);
    await bed.advance(5_000);
    expect([ends, noted]).toEqual([['sent', 'acknowledged'], ['kept']]);
  });

  test('may be the usual treatment of an event; a send says otherwise', async () => {
    const { bed } = noting();
    const { client } = person(bed, { delivery: { note: 'volatile' } });
    const options = [{}, { delivery: undefined }, { delivery: 'reliable' }] as const;
    const ends = outcomes(options.map((one, n) => client.send('note', n, one)));
    await bed.settle();
    expect(ends).toEqual(['dropped', 'dropped', 'open']);
  });

  test('what nobody hears, what is refused and a handler that throws disturb nobody', async () => {
    const failures: unknown[] = [];
    const { bed } = noting({
      setup(server) {
        server.rooms('*', { join: true });
        server.onError((error) => failures.push(error));
        server.on('note', (payload) => {
          if (payload === 'throw') throw new Error('from a handler');
        });
      },
    });
    const { client, room } = await connected(bed);
    await bed.until(room.join());
    const ends = outcomes([
      client.send('nobody', 1, volatile),
      room.send('message', 'not allowed', volatile),
      client.send('note', 'throw', volatile),
      client.send('note', 'well'),
    ]);
    await bed.advance(100);
    expect(ends).toEqual(['sent', 'sent', 'sent', 'acknowledged']);
    expect(failures).toEqual([new Error('from a handler')]);
  });

  test('from one who says more than is heard, no more than may run at once is handled', async () => {
    let running = 0;
    let most = 0;
    const { bed } = noting({
      concurrency: 3,
      setup(server) {
        server.on('note', async () => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => void bed.clock.setTimer(resolve, 1_000));
          running--;
        });
      },
    });
    const { client } = await connected(bed);
    for (let n = 0; n < 20; n++) void client.send('note', n, volatile);
    await bed.advance(100);
    expect([running, most]).toEqual([3, 3]);
    await bed.advance(2_000);
    void client.send('note', 'again', volatile);
    await bed.advance(100);
    expect(running).toBe(1);
    await bed.advance(2_000);
  });

  const hundreds = (client: HoldfastClient) =>
    outcomes(Array.from({ length: 300 }, (_, n) => client.send('note', n, volatile)));

  test('hundreds in one task go, as long as the connection takes them', async () => {
    const { bed, noted } = noting();
    const { client } = await connected(bed);
    const ends = hundreds(client);
    await bed.advance(100);
    expect([ends.filter((end) => end === 'sent').length, noted.length]).toEqual([300, 300]);
  });

  test('more than a few hundred in one listener are too much', async () => {
    const { bed, noted } = noting();
    const { client } = await connected(bed);
    const ends: string[][] = [];
    client.on('hello', () => ends.push(hundreds(client)));
    await bed.until(bed.server.toAll().send('hello'));
    await bed.advance(100);
    const [seen = []] = ends;
    expect(seen.filter((end) => end === 'sent').length).toBe(noted.length);
    expect(seen.includes('dropped')).toBe(true);
  });

  test('in a room: the others hear it, nobody later, nobody twice; positions stay', async () => {
    const { bed } = noting();
    const [ada, bob] = [await member(bed), await member(bed)];
    const metas: EventMeta[] = [];
    bob.room.on('message', (_payload, meta) => metas.push(meta));
    void ada.room.send('message', 'typing', volatile);
    void ada.say('a line');
    await bed.advance(50);
    expect([...bob.heard].sort()).toEqual(['a line', 'typing']);
    expect(ada.heard).toEqual([]);
    expect(metas.map(({ room, seq }) => [room, seq]).sort()).toEqual([
      ['lobby', 0],
      ['lobby', 1],
    ]);
    bed.cut(bob.client);
    await ada.room.send('message', 'missed', volatile).then(() => bed.advance(5_000));
    expect(bob.heard).not.toContain('missed');
    void ada.room.send('message', 'back', volatile);
    await bed.advance(50);
    expect(bob.heard.slice(2)).toEqual(['back']);
  });

  test('from the server: to a session, to a room, and to who is not there', async () => {
    const { bed, sessions } = noting();
    const { client, heard } = await member(bed);
    client.on('hint', (payload) => heard.push(`hint ${payload}`));
    const [session] = sessions;
    const ends = outcomes([session?.send('hint', 1, volatile) as PromiseLike<Receipt>]);
    expect(await bed.server.to('lobby').send('message', 'all', volatile)).toEqual({ members: 1 });
    await bed.advance(50);
    expect([ends, heard]).toEqual([['sent'], ['hint 1', 'all']]);
    await client.disconnect();
    await bed.advance(50);
    const later = outcomes([session?.send('hint', 2, volatile) as PromiseLike<Receipt>]);
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect([later, heard.length]).toEqual([['dropped'], 2]);
  });
});

describe('latest', () => {
  test('of one key only the newest waits, in the place of the first', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    const ends = outcomes([
      client.send('note', 'x1', { ...latest, key: 'x' }),
      client.send('note', 'plain'),
      client.send('note', 'own name', latest),
      client.send('note', 'x2', { ...latest, key: 'x' }),
      client.send('note', 'x3', { ...latest, key: 'x' }),
    ]);
    await bed.settle();
    expect(ends).toEqual(['superseded', 'open', 'open', 'superseded', 'open']);
    expect(client.getOutbox().messages).toBe(3);
    await bed.until(client.connect());
    await bed.advance(50);
    expect(noted).toEqual(['x3', 'plain', 'own name']);
    expect(ends.filter((end) => end === 'acknowledged')).toHaveLength(3);
  });

  test('what is on the wire keeps its place', async () => {
    const { bed, noted } = noting();
    const { client } = await connected(bed);
    const first = outcomes([client.send('note', 1, latest)]);
    await bed.settle();
    const second = outcomes([client.send('note', 2, latest)]);
    await bed.advance(200);
    expect([first, second, noted]).toEqual([['acknowledged'], ['acknowledged'], [1, 2]]);
  });

  test('a room is a place of its own', async () => {
    const { bed } = noting();
    const { client, room } = person(bed);
    void room.join();
    const ends = outcomes([client.send('message', 1, latest), room.send('message', 2, latest)]);
    await bed.settle();
    expect(ends).toEqual(['open', 'open']);
  });

  test('from the server: what waits for a client that is away gives way', async () => {
    const { bed, sessions } = noting();
    const { client } = await connected(bed);
    const heard: unknown[] = [];
    client.on('price', (payload) => heard.push(payload));
    const [session] = sessions;
    await client.disconnect();
    await bed.advance(50);
    const ends = outcomes([1, 2, 3].map((n) => session?.send('price', n, latest) as PromiseLike<Receipt>));
    await bed.settle();
    expect(ends).toEqual(['superseded', 'superseded', 'open']);
    await bed.until(client.connect());
    await bed.advance(500);
    expect([ends[2], heard]).toEqual(['acknowledged', [3]]);
  });

  test('in a room: who comes back is told the newest, and of no hole', async () => {
    const { bed } = noting();
    const bob = await member(bed);
    await bob.client.disconnect();
    await bed.advance(50);
    for (const n of [1, 2, 3]) await bed.server.to('lobby').send('message', `price ${n}`, latest);
    await bed.server.to('lobby').send('message', 'other', { ...latest, key: 'other' });
    await bed.until(bob.client.connect());
    await bed.advance(500);
    expect(bob.heard).toEqual(['price 3', 'other']);
  });
});

// The rest of it is in outbox-table.test.ts.
describe('drop-oldest', () => {
  test('what has no place even alone is refused itself', async () => {
    const { bed } = noting();
    const { client } = person(bed, { outbox: { maxBytes: 200, overflow: 'drop-oldest' } });
    const small = endOf(client.send('note', 1));
    const big = endOf(client.send('note', 'x'.repeat(300)));
    await bed.settle();
    expect([small.end, big.end]).toEqual(['open', 'ERR_TOO_BIG unsent']);
  });

  test('a join that waits stays', async () => {
    const { bed } = noting();
    const { client, room } = person(bed, { outbox: { maxMessages: 2, overflow: 'drop-oldest' } });
    const joined = endOf(room.join());
    for (const n of [1, 2, 3]) void client.send('note', n);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(joined.end).toBe('ok');
  });
});

test('the time of sending is told beside that of acceptance', async () => {
  const { bed, metas } = noting();
  const { client } = person(bed);
  const sentAt = bed.clock.now();
  void client.send('note', 1);
  await bed.advance(60_000);
  await bed.until(client.connect());
  await bed.advance(50);
  expect(metas[0]?.sentAt).toBe(Math.floor(sentAt));
  expect(metas[0]?.at).toBeGreaterThan(sentAt + 59_000);
});

describe('bad options', () => {
  const { client } = { client: () => person(noting().bed).client };
  test.each([
    [
      'another class',
      { delivery: 'fast' },
      /delivery must be one of 'reliable', 'volatile', 'latest', 'durable', not 'fast'/,
    ],
    ['a key for what is not latest', { key: 'x' }, /key is for the delivery 'latest', not 'reliable'/],
    ['a key that is no name', { delivery: 'latest', key: '' }, /key: a name must be a string of 1 to 128/],
  ])('%s', (_what, options, text) => {
    expect(() => client().send('note', 1, options as never)).toThrow(text);
  });

  test('a class for a request, in the map of events, or for an unknown event', () => {
    const { bed } = noting();
    expect(() => client().request('echo', 1, volatile as never)).toThrow(/delivery/);
    expect(() => bed.createClient({ delivery: { note: 'fast' as never } })).toThrow(
      /delivery: 'note' must be one of/,
    );
    expect(() => bed.createClient({ outbox: { overflow: 'drop' as never } })).toThrow(
      /outbox.overflow must be one of 'reject', 'wait', 'drop-oldest', not 'drop'/,
    );
  });
});
