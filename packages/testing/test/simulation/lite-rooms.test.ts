import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { type Guest, type LiteBed, liteBed } from './lite-bed.js';
import { endOf } from './people.js';

/** Somebody in the room. */
async function member(bed: LiteBed): Promise<Guest> {
  const guest = await bed.connected();
  await bed.until(guest.room.join());
  return guest;
}

const say = ({ room }: Guest, text: string) => room.send('message', text);

describe('in and out', () => {
  test('a member hears the others, not itself, and nothing any more once it has left', async () => {
    const bed = liteBed();
    const [ada, bob] = [await member(bed), await member(bed)];
    const meta: unknown[] = [];
    bob.client.on('message', (_payload, { room, from, seq }) => meta.push([room, typeof from, seq]));
    await bed.until(say(ada, 'one'));
    await bed.advance(100);
    expect([ada.heard, bob.heard, meta]).toEqual([[], ['one'], [['lobby', 'string', 1]]]);
    await bed.until(bob.room.leave());
    await bed.until(say(ada, 'two'));
    await bed.advance(100);
    expect([bob.heard, bob.room.getState()]).toEqual([['one'], { status: 'left' }]);
    await bed.until(bob.room.join());
    await bed.until(say(ada, 'three'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['one', 'three']);
  });

  test('the same handle for the same name; join() is idempotent, also before connect()', async () => {
    const bed = liteBed();
    const { client, room } = bed.guest();
    expect(room.name).toBe('lobby');
    const states: string[] = [];
    client.room('lobby').onState(({ status }) => states.push(status));
    const joining = [room.join(), client.room('lobby').join()];
    void client.connect();
    await bed.until(Promise.all(joining));
    await bed.until(room.join());
    expect(states).toEqual(['joining', 'joined']);
    expect(bed.server.stats().rooms).toBe(1);
  });

  test('what is said while joining goes behind the join', async () => {
    const bed = liteBed();
    const ada = await member(bed);
    const bob = bed.guest();
    void bob.room.join();
    const said = say(bob, 'hello');
    void bob.client.connect();
    await bed.until(said);
    await bed.advance(100);
    expect(ada.heard).toEqual(['hello']);
  });

  test('refused: whoever waits is told, with the reason, and may ask again', async () => {
    let isOpen = false;
    const bed = liteBed({
      setup: (server) =>
        server.rooms('*', {
          join: () => {
            if (!isOpen) throw new RejectError('closed');
            return true;
          },
        }),
    });
    const { room, undelivered } = await bed.connected();
    const joining = [room.join(), room.join()].map(endOf);
    await bed.advance(100);
    expect(joining.map(({ end }) => end)).toEqual(Array(2).fill('ERR_REJECTED rejected'));
    expect(room.getState()).toMatchObject({ status: 'refused', error: { reason: 'closed' } });
    // A join is no message of the application.
    expect(undelivered).toEqual([]);
    isOpen = true;
    await bed.until(room.join());
    expect(room.getState()).toEqual({ status: 'joined' });
  });

  test('who has not joined cannot publish, and is told at once', async () => {
    const bed = liteBed();
    const { room } = await bed.connected();
    const ends = [endOf(room.send('message', 1))];
    await bed.until(room.join());
    await bed.until(room.leave());
    ends.push(endOf(room.send('message', 2)));
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(Array(2).fill('ERR_NOT_JOINED unsent'));
  });

  test('leave() while joining: the join rejects, and it is out; join() again is in', async () => {
    const bed = liteBed();
    const { room } = await bed.connected();
    const joining = endOf(room.join());
    await bed.advance(3);
    void room.leave();
    await bed.advance(1_000);
    expect([joining.end, room.getState().status]).toEqual(['ERR_NOT_JOINED unsent', 'left']);
    expect(bed.server.stats().rooms).toBe(0);
    void room.join();
    void room.leave();
    const again = endOf(room.join());
    await bed.advance(1_000);
    expect([again.end, room.getState().status, bed.server.stats().rooms]).toEqual(['ok', 'joined', 1]);
  });

  test.each(['disconnect', 'cut'] as const)(
    'leave() settles if a %s comes before its answer, and holds',
    async (how) => {
      const bed = liteBed();
      const { client, room, link } = await member(bed);
      const leaving = endOf(room.leave());
      await bed.advance(1);
      link.refuse();
      if (how === 'cut') link.cut();
      else void client.disconnect();
      await bed.advance(10);
      expect([leaving.end, room.getState().status]).toEqual(['ok', 'left']);
      link.heal();
      await bed.until(client.connect());
      await bed.advance(100);
      expect(bed.server.stats().rooms).toBe(0);
    },
  );

  test('the server puts it in and takes it out', async () => {
    const bed = liteBed();
    const { room, heard } = await bed.connected();
    const states: string[] = [];
    room.onState(({ status }) => states.push(status));
    await bed.until(bed.session.join('lobby'));
    await bed.advance(100);
    expect(room.getState()).toEqual({ status: 'joined' });
    await bed.until(bed.server.to('lobby').send('message', 'in'));
    await bed.advance(100);
    await bed.until(bed.session.leave('lobby'));
    await bed.advance(100);
    await bed.until(bed.server.to('lobby').send('message', 'out'));
    await bed.advance(100);
    expect([heard, states]).toEqual([['in'], ['joined', 'left']]);
  });

  test('it comes back from a lost session to what it has joined itself, not to where it was put', async () => {
    const bed = liteBed();
    const { client, room } = await member(bed);
    const other = client.room('other');
    await bed.until(bed.session.join('other'));
    await bed.advance(100);
    bed.stop();
    bed.start({ keepStore: false });
    await bed.advance(60_000);
    expect([room.getState().status, other.getState().status]).toEqual(['joined', 'left']);
  });
});

describe('over cuts', () => {
  test('many in a row: nothing lost, nothing twice, in order', async () => {
    const bed = liteBed();
    const [ada, bob] = [await member(bed), await member(bed)];
    const wanted: string[] = [];
    for (let n = 0; n < 40; n++) {
      await bed.until(say(ada, `${n}`));
      wanted.push(`${n}`);
      if (n % 3 === 0) bob.link.cut();
      if (n % 7 === 0) bob.signal('online');
      await bed.advance(n % 5 === 0 ? 5_000 : 20);
    }
    await bed.advance(60_000);
    expect(bob.heard).toEqual(wanted);
  });

  test('at each publication of a catch-up: it goes on where it stood', async () => {
    const bed = liteBed();
    const ada = await member(bed);
    // What follows in a frame goes with its connection: one publication each, all within the time that the log is kept.
    const bob = await bed.connected({ reconnect: { capMs: 1_000 } });
    await bed.until(bob.room.join());
    bob.link.cut();
    for (let n = 0; n < 30; n++) await bed.until(say(ada, `${n}`));
    bob.room.on('message', () => bob.link.cut());
    await bed.advance(1_800_000);
    expect(bob.heard).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
  });

  test.each([0, 4, 6, 9, 12, 14, 19, 24])('%i ms into the first join: it joins, once', async (ms) => {
    const bed = liteBed();
    const ada = await member(bed);
    const bob = await bed.connected();
    const joining = endOf(bob.room.join());
    await bed.advance(ms);
    bob.link.cut();
    await bed.advance(5_000);
    expect([joining, bob.room.getState().status]).toEqual([{ end: 'ok', times: 1 }, 'joined']);
    await bed.until(say(ada, 'welcome'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['welcome']);
  });

  test('more was missed than the log holds: a gap of so many, once, then the rest', async () => {
    const bed = liteBed();
    const bob = await member(bed);
    bob.link.cut();
    for (let n = 0; n < 300; n++) void bed.server.to('lobby').send('message', n);
    await bed.advance(5_000);
    const newest = Array.from({ length: 256 }, (_, n) => `${44 + n}`);
    expect(bob.heard).toEqual(['gap 44 trimmed', ...newest]);
    bob.link.cut();
    await bed.advance(5_000);
    expect(bob.heard).toHaveLength(257);
  });

  test('a session that is lost while its room’s log is kept: what was missed comes, not what it said itself', async () => {
    const bed = liteBed({ sessionTtlMs: 10_000 });
    const [ada, bob] = [await member(bed), await member(bed)];
    await bed.until(say(bob, 'mine'));
    bob.link.refuse();
    bob.link.cut();
    for (let n = 0; n < 5; n++) await bed.until(say(ada, `${n}`));
    await bed.advance(20_000);
    bob.link.heal();
    await bed.advance(60_000);
    expect(bob.lost).toHaveLength(1);
    expect([ada.heard, bob.heard]).toEqual([['mine'], ['0', '1', '2', '3', '4']]);
  });

  test('a log that is lost with the server: a gap that says so, and all that follows', async () => {
    const bed = liteBed();
    const bob = await member(bed);
    await bed.until(bed.server.to('lobby').send('message', 'before'));
    await bed.advance(100);
    bed.stop();
    bed.start({ keepStore: false });
    await bed.advance(30_000);
    await bed.until(bed.server.to('lobby').send('message', 'after'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['before', 'gap 0 new-epoch', 'after']);
  });

  test('published in two rooms at once: heard once, also over a cut', async () => {
    const bed = liteBed();
    const { client, link } = await member(bed);
    await bed.until(client.room('other').join());
    const heard: unknown[] = [];
    client.on('message', (payload) => heard.push(payload));
    await bed.until(bed.server.to('lobby', 'other').send('message', 1));
    await bed.advance(100);
    link.cut();
    await bed.until(bed.server.to('lobby', 'other').send('message', 2));
    await bed.advance(10_000);
    expect(heard).toEqual([1, 2]);
  });

  test('volatile publications, too, and only in a room that it is in', async () => {
    const bed = liteBed();
    const { heard, room } = await member(bed);
    await bed.until(bed.server.to('lobby').send('message', 'typing', { delivery: 'volatile' }));
    await bed.advance(100);
    await bed.until(room.leave());
    await bed.advance(100);
    expect(heard).toEqual(['typing']);
  });
});
