import { RejectError } from '@holdfast/server';
import type { Testbed } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person } from './people.js';

const later = <V>(bed: Testbed, ms: number, value: V): Promise<V> =>
  new Promise((resolve) => bed.clock.setTimer(() => resolve(value), ms));

describe('a publish rule that takes its time', () => {
  test('order is kept although the first takes longest; what is not for rooms waits its turn, too', async () => {
    const noted: unknown[] = [];
    const bed: Testbed = openBed({
      setup(server) {
        server.rooms('*', {
          join: true,
          publish: (_session, { payload }) => later(bed, Number(payload), true),
        });
        server.on('note', (payload) => noted.push(payload));
      },
    });
    const alice = await member(bed);
    const bob = await member(bed);
    const slow = ['900', '5', '300', '1'].map((text) => endOf(alice.say(text)));
    const note = endOf(alice.client.send('note', 'behind'));
    await bed.advance(850);
    expect([...slow, note].map(({ end }) => end)).toEqual(Array(5).fill('open'));
    expect(noted).toEqual([]);
    await bed.advance(1_000);
    expect([...slow, note].map(({ end }) => end)).toEqual(Array(5).fill('ok'));
    expect(bob.heard).toEqual(['900', '5', '300', '1']);
    expect(noted).toEqual(['behind']);
  });

  test("one client's slow rule holds nobody else, in the same room neither", async () => {
    const bed: Testbed = openBed({
      setup(server) {
        server.rooms('*', {
          join: true,
          publish: (_session, { payload }) => (payload === 'slow' ? later(bed, 20_000, true) : true),
        });
        server.handle('echo', (input) => input);
      },
    });
    const alice = await member(bed);
    const bob = await member(bed);
    const slow = endOf(alice.say('slow'));
    await bed.advance(50);
    const since = bed.clock.now();
    await bed.until(bob.say('quick'));
    expect(await bed.until(bob.client.request('echo', 1))).toBe(1);
    expect(bed.clock.now() - since).toBeLessThan(100);
    expect(alice.heard).toEqual(['quick']);
    expect(slow.end).toBe('open');
    // Nor is the connection of the one who waits taken for dead.
    await bed.advance(25_000);
    expect(slow.end).toBe('ok');
    expect(bed.dials(alice.client)).toBe(1);
  });

  test('refused in all ways of refusing; the next message is judged by itself', async () => {
    const ways: { readonly [text: string]: () => boolean | Promise<boolean> } = {
      no: () => false,
      'no later': () => Promise.resolve(false),
      reject: () => {
        throw new RejectError('rude', { data: { word: 1 } });
      },
      'reject later': () => Promise.reject(new RejectError('rude', { data: { word: 2 } })),
      throw: () => {
        throw new Error('secret');
      },
      'throw later': () => Promise.reject(new Error('secret')),
      yes: () => true,
      'yes later': () => Promise.resolve(true),
      rubbish: () => 'yes' as never,
    };
    const bed = openBed({
      setup(server) {
        server.rooms('*', { join: true, publish: (_s, { payload }) => ways[String(payload)]?.() ?? false });
        server.onError((error) => errors.push((error as Error).message));
      },
    });
    const errors: string[] = [];
    const alice = await member(bed);
    const bob = await member(bed);
    const ends = await bed.until(Promise.allSettled(Object.keys(ways).map((text) => alice.say(text))));
    const told = ends.map((end) =>
      end.status === 'fulfilled'
        ? 'ok'
        : [end.reason.code, end.reason.reason, end.reason.data?.word].join(' ').trim(),
    );
    expect(told).toEqual([
      'ERR_REJECTED publish-not-allowed',
      'ERR_REJECTED publish-not-allowed',
      'ERR_REJECTED rude 1',
      'ERR_REJECTED rude 2',
      'ERR_HANDLER_FAILED',
      'ERR_HANDLER_FAILED',
      'ok',
      'ok',
      'ERR_REJECTED publish-not-allowed',
    ]);
    await bed.advance(100);
    expect(bob.heard).toEqual(['yes', 'yes later']);
    expect(errors).toEqual(['secret', 'secret']);
    const texts = ends.map((end) => (end.status === 'rejected' ? String(end.reason) : ''));
    expect(texts.join()).not.toContain('secret');
  });
});

describe('a join rule that takes its time', () => {
  const slowDoor = (ms: number): Testbed => {
    const bed: Testbed = openBed({
      setup: (server) => void server.rooms('*', { join: () => later(bed, ms, true), publish: true }),
    });
    return bed;
  };

  test('what is said to the room behind the join is published after it', async () => {
    const bed = slowDoor(500);
    const alice = await member(bed);
    const bob = person(bed);
    await bed.until(bob.client.connect());
    const joining = endOf(bob.room.join());
    const said = endOf(bob.say('knock knock'));
    await bed.advance(490);
    expect([joining.end, said.end]).toEqual(['open', 'open']);
    await bed.advance(200);
    expect([joining.end, said.end]).toEqual(['ok', 'ok']);
    expect(alice.heard).toEqual(['knock knock']);
  });

  test('who has gone meanwhile does not enter', async () => {
    const bed = slowDoor(500);
    const bob = person(bed);
    await bed.until(bob.client.connect());
    void bob.room.join();
    await bed.advance(100);
    await bob.client.close();
    await bed.advance(1_000);
    expect(bed.server.stats()).toMatchObject({ rooms: 0, sessions: 0 });
    expect(await bed.until(bed.server.to('lobby').send('message', 'anybody?'))).toEqual({ members: 0 });
  });

  test('cut while the door is slow: one member in the end, and nothing missed since join() settled', async () => {
    const bed = slowDoor(300);
    const alice = await member(bed);
    const bob = person(bed);
    await bed.until(bob.client.connect());
    const joining = endOf(bob.room.join());
    await bed.advance(100);
    bed.cut(bob.client);
    await bed.advance(5_000);
    expect(joining).toEqual({ end: 'ok', times: 1 });
    expect(await bed.until(bed.server.to('lobby').send('message', 'both?'))).toEqual({ members: 2 });
    await bed.advance(100);
    expect([alice.heard, bob.heard]).toEqual([['both?'], ['both?']]);
  });

  test('a join that nobody answers in time says so, and is joined all the same later', async () => {
    const bed = slowDoor(5_000);
    const bob = person(bed);
    await bed.until(bob.client.connect());
    const impatient = endOf(bob.room.join({ timeoutMs: 1_000 }));
    await bed.advance(1_100);
    expect(impatient.end).toBe('ERR_TIMEOUT unknown');
    expect(bob.room.getState().status).toBe('joining');
    await bed.advance(5_000);
    expect(bob.room.getState().status).toBe('joined');
  });

  test('refused: told with the reason, stays out over reconnects, may ask again', async () => {
    let isOpen = false;
    const bed = openBed({
      setup: (server) =>
        void server.rooms('*', {
          join: () => {
            if (!isOpen) throw new RejectError('members-only');
            return true;
          },
        }),
    });
    const bob = person(bed);
    await bed.until(bob.client.connect());
    await expect(bed.until(bob.room.join())).rejects.toMatchObject({
      code: 'ERR_REJECTED',
      reason: 'members-only',
    });
    expect(bob.room.getState()).toMatchObject({ status: 'refused', error: { code: 'ERR_REJECTED' } });
    isOpen = true;
    bed.cut(bob.client);
    await bed.advance(5_000);
    expect(bob.room.getState().status).toBe('refused');
    await expect(bob.say('let me in')).rejects.toMatchObject({ code: 'ERR_NOT_JOINED', delivery: 'unsent' });
    await bed.until(bob.room.join());
    expect(bob.room.getState().status).toBe('joined');
  });
});

describe('without a right', () => {
  test('no rule: neither join nor publish; more rooms than maxRooms: refused, and free again after leave()', async () => {
    const bed = openBed({
      limits: { maxRooms: 2 },
      setup: (server) => void server.rooms('open-*', { join: true }),
    });
    const { client } = person(bed);
    await bed.until(client.connect());
    const join = (name: string) => bed.until(client.room(name).join());
    await expect(join('secret')).rejects.toMatchObject({
      reason: 'join-not-allowed',
      message: "'$join' in room 'secret' was refused: join-not-allowed",
    });
    await join('open-1');
    await join('open-2');
    await expect(join('open-3')).rejects.toMatchObject({ reason: 'too-many-rooms' });
    await bed.until(client.room('open-1').leave());
    await join('open-3');
    await expect(bed.until(client.room('open-3').send('message', 1))).rejects.toMatchObject({
      reason: 'publish-not-allowed',
    });
  });

  test('the longest pattern counts, an exact name before all', async () => {
    const bed = openBed({
      setup: (server) =>
        void server
          .rooms('*', { join: false })
          .rooms('ab*', { join: false })
          .rooms('a*', { join: true })
          .rooms('abc', { join: true }),
    });
    const { client } = person(bed);
    await bed.until(client.connect());
    const may = async (name: string) => {
      const joining = endOf(client.room(name).join());
      await bed.advance(50);
      return joining.end === 'ok';
    };
    expect([await may('x'), await may('a'), await may('abd'), await may('abc')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});
