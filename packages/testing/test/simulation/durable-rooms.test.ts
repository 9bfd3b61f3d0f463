import { describe, expect, test } from 'vitest';
import { durable, lasting } from './lasting.js';
import { endOf, silent } from './people.js';

// A durable message for a room, found by a later life: that one has to be in the room again before it may go.

const DAY_MS = 86_400_000;

/** A server that notes `room payload` of all that it accepts. Nobody may be in the room `closed` from `close()` on. */
function inRooms(over: Parameters<typeof lasting>[0] = {}) {
  const noted: string[] = [];
  let closed = '';
  const all = lasting({
    auth: (token) => ({ user: { id: token ?? 'nobody' } }),
    setup(server) {
      server.rooms('*', { join: (_session, room) => room !== closed, publish: true });
      server.on('note', (payload, { room = 'server' }) => noted.push(`${room} ${payload}`));
    },
    ...over,
  });
  /** A page that says `words` offline, each `room payload`, and is gone. */
  const leave = async (...words: string[]): Promise<void> => {
    const { client } = all.life({}, 'ada');
    for (const word of words) {
      const [room = '', payload] = word.split(' ');
      if (room === 'server') void client.send('note', payload, durable);
      else {
        void client.room(room).join();
        void client.room(room).send('note', payload, durable);
      }
    }
    await all.bed.advance(100);
    all.crash(client);
  };
  const close = (room: string): void => {
    closed = room;
  };
  return { ...all, noted, leave, close };
}

describe('a durable message for a room, of an earlier life', () => {
  test('waits until its room is joined', async () => {
    const { bed, noted, life, leave, store } = inRooms();
    await leave('reef old');
    const { client, restored } = life();
    await bed.until(client.connect());
    await bed.advance(60_000);
    expect([noted, restored.map(({ room }) => room), store.messages.length]).toEqual([[], ['reef'], 1]);
    await bed.until(client.room('reef').join());
    await bed.advance(500);
    expect([noted, store.messages]).toEqual([['reef old'], []]);
    expect(await restored[0]?.sending).toMatchObject({ outcome: 'acknowledged' });
  });

  type Life = ReturnType<ReturnType<typeof lasting>['life']>['client'];
  type Bed = ReturnType<typeof lasting>['bed'];
  const speak = (client: Life): void => {
    void client.room('reef').join();
    void client.room('reef').send('note', 'new');
  };
  test.each<[string, string | undefined, (client: Life, bed: Bed) => unknown]>([
    ['at once, the user known', 'ada', speak],
    ['at once, the user not known', undefined, speak],
    ['offline, when the storage is open', 'ada', (client, bed) => bed.advance(50).then(() => speak(client))],
    [
      'in the task of the connection',
      'ada',
      (client) => {
        void client.connect();
        speak(client);
      },
    ],
    ['when connected', 'ada', (client, bed) => bed.until(client.connect()).then(() => speak(client))],
    [
      'at once, behind something else',
      'ada',
      (client) => {
        void client.send('other', 'new');
        speak(client);
      },
    ],
    [
      'after leaving it',
      'ada',
      (client) => {
        speak(client);
        void client.room('reef').leave();
        void client.room('reef').join();
      },
    ],
  ])('goes before what is said there now, joined %s', async (_when, userId, begin) => {
    const { bed, noted, life, leave } = inRooms();
    await leave('reef old', 'reef older');
    const { client } = life({ logger: silent }, userId);
    await begin(client, bed);
    await bed.until(client.connect());
    await bed.advance(5_000);
    const expected = ['reef old', 'reef older', 'reef new'];
    // Before the first session nobody knows whose storage to open.
    if (userId === undefined) expect([...noted].sort()).toEqual([...expected].sort());
    else expect(noted).toEqual(expected);
  });

  test('holds back nothing for the server and for other rooms, and these keep their order', async () => {
    const { bed, noted, life, leave } = inRooms();
    await leave('server 1', 'reef 2', 'server 3', 'bay 4', 'reef 5', 'server 6');
    const { client } = life({}, 'ada');
    void client.room('bay').join();
    void client.send('note', 7, durable);
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect(noted).toEqual(['server 1', 'server 3', 'bay 4', 'server 6', 'server 7']);
    await bed.until(client.room('reef').join());
    void client.room('reef').send('note', 8, durable);
    await bed.advance(500);
    expect(noted.slice(5)).toEqual(['reef 2', 'reef 5', 'reef 8']);
  });

  test('of a room that is not joined in a life either waits for the next one, however late that comes', async () => {
    const { bed, noted, life, leave, crash } = inRooms();
    await leave('reef old');
    const between = life();
    await bed.until(between.client.connect());
    await bed.advance(1_000);
    crash(between.client);
    await bed.advance(7 * DAY_MS);
    const { client } = life();
    await bed.until(client.connect());
    await bed.until(client.room('reef').join());
    await bed.advance(500);
    expect(noted).toEqual(['reef old']);
  });

  test('ends with its time to live where the room is never joined, and hinders nobody until then', async () => {
    const { bed, noted, life, crash, store } = inRooms();
    const before = life({ logger: silent }, 'ada');
    void before.client.room('reef').join();
    void before.client.room('reef').send('note', 'old', { ...durable, ttlMs: DAY_MS });
    await bed.advance(100);
    crash(before.client);
    const { client } = life({ logger: silent });
    const told: string[] = [];
    client.onUndelivered(({ payload }, { code, delivery }) => told.push(`${payload} ${code} ${delivery}`));
    await bed.until(client.connect());
    await bed.advance(100);
    expect(await client.send('note', 'now', { delivery: 'volatile' })).toMatchObject({ outcome: 'sent' });
    await bed.advance(DAY_MS);
    expect([noted, told, store.messages]).toEqual([['server now'], ['old ERR_EXPIRED unsent'], []]);
  });

  test('is refused where its room may not be joined any more, and told', async () => {
    const { bed, noted, life, leave, close, store } = inRooms();
    await leave('reef old');
    close('reef');
    const { client, restored } = life({ logger: silent }, 'ada');
    const joined = endOf(client.room('reef').join());
    await bed.until(client.connect());
    await bed.advance(500);
    const old = endOf(restored[0]?.sending as PromiseLike<unknown>);
    await bed.settle();
    expect([joined.end, old.end]).toEqual(['ERR_REJECTED rejected', 'ERR_REJECTED rejected']);
    expect([noted, store.messages]).toEqual([[], []]);
  });

  test('accepted before, its ack lost with the page: is acknowledged, also where the room is closed now', async () => {
    const { bed, noted, life, crash, close } = inRooms();
    const before = life();
    await bed.until(before.client.connect());
    await bed.until(before.client.room('reef').join());
    bed.freeze(before.client, 'down');
    void before.client.room('reef').send('note', 'old', durable);
    await bed.advance(500);
    crash(before.client);
    close('reef');
    const { client, restored } = life({ logger: silent });
    await bed.until(client.connect());
    await bed.advance(500);
    const old = endOf(restored[0]?.sending as PromiseLike<unknown>);
    await bed.settle();
    expect([old.end, noted]).toEqual(['open', ['reef old']]);
    void client.room('reef').join();
    await bed.advance(500);
    expect([old.end, noted]).toEqual(['ok', ['reef old']]);
  });

  test('left by another page, goes at once where the room is joined already', async () => {
    const { bed, noted, life } = inRooms();
    const [one, two] = [life({}, 'ada'), life({}, 'ada')];
    void one.client.room('reef').join();
    void one.client.room('reef').send('note', 'one', durable);
    await bed.until(two.client.connect());
    await bed.until(two.client.room('reef').join());
    await bed.until(one.client.close());
    bed.cut(two.client);
    await bed.advance(5_000);
    expect(noted).toEqual(['reef one']);
  });

  test('goes in the next session where that of its join is lost', async () => {
    const { bed, noted, life, leave } = inRooms({ sessionTtlMs: 10_000 });
    await leave('reef old');
    const { client } = life({ logger: silent });
    await bed.until(client.connect());
    bed.freeze(client);
    speak(client);
    await bed.advance(60_000);
    bed.heal(client);
    await bed.advance(60_000);
    // What was said in that session and is not durable is unknown.
    expect(noted).toEqual(['reef old']);
  });
});
