import { defineContract, type Member } from '@holdfast/client';
import type { Testbed } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { endOf, member, openBed, type Person } from './people.js';

const open = (options: Parameters<typeof openBed>[0] = {}) =>
  openBed({
    auth: (token) => ({ user: { id: token ?? 'guest' } }),
    setup(server) {
      server.rooms('*', { join: true, publish: true, presence: true });
    },
    ...options,
  });

const inWords = (members: readonly Member[]): string =>
  members
    .map(({ userId, sessions, presence }) =>
      [userId, sessions, presence === undefined ? undefined : JSON.stringify(presence)]
        .filter((part) => part !== undefined)
        .join(' '),
    )
    .sort()
    .join(', ');

/** In the room, with all that was told of its members from now on. */
async function watcher(bed: Testbed): Promise<Person & { readonly told: string[] }> {
  const person = await member(bed, { auth: 'watcher' });
  const told: string[] = [];
  person.room.onMembers((members) =>
    told.push(inWords(members.filter(({ userId }) => userId !== 'watcher'))),
  );
  return { ...person, told };
}

describe('who loses the connection', () => {
  test('and is back within 5 s was never away', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    const { told, room } = await watcher(bed);
    for (let n = 0; n < 5; n++) {
      bed.cut(ada.client);
      await bed.advance(60_000);
    }
    expect(told).toEqual([]);
    expect(inWords(room.members)).toBe('ada 1, watcher 1');
  });

  test('and stays away is shown for 5 s, and again when it comes back', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    const { told } = await watcher(bed);
    bed.refuse(ada.client);
    bed.cut(ada.client);
    await bed.advance(4_900);
    expect(told).toEqual([]);
    await bed.advance(200);
    expect(told).toEqual(['']);
    bed.heal(ada.client);
    await bed.advance(30_000);
    expect(told).toEqual(['', 'ada 1']);
  });

  test('each for itself', async () => {
    const bed = open();
    const [ada, bob] = [await member(bed, { auth: 'ada' }), await member(bed, { auth: 'bob' })];
    const { told } = await watcher(bed);
    for (const { client } of [ada, bob]) {
      bed.refuse(client);
      bed.cut(client);
      await bed.advance(1_000);
    }
    await bed.advance(3_100);
    expect(told).toEqual(['bob 1']);
    await bed.advance(1_000);
    expect(told).toEqual(['bob 1', '']);
  });

  test('and whose session ends is gone at once, before and after', async () => {
    const bed = open();
    const [ada, bob] = [await member(bed, { auth: 'ada' }), await member(bed, { auth: 'bob' })];
    const { told } = await watcher(bed);
    await ada.client.close();
    await bed.advance(100);
    expect(told).toEqual(['bob 1']);
    bed.refuse(bob.client);
    bed.cut(bob.client);
    await bed.advance(1_000);
    await bed.server.toUser('bob').end();
    await bed.advance(100);
    expect(told).toEqual(['bob 1', '']);
  });
});

describe('what a member tells about itself', () => {
  test('reaches the others and whoever joins later, and is seen by itself; the newest counts', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    const { told } = await watcher(bed);
    const sent = ada.room.setPresence({ mood: 'well' });
    expect(await bed.until(sent)).toEqual({ id: sent.id, outcome: 'acknowledged' });
    await bed.until(ada.room.setPresence('busy'));
    await bed.advance(100);
    expect(told).toEqual(['ada 1 {"mood":"well"}', 'ada 1 "busy"']);
    expect(inWords(ada.room.members)).toBe('ada 1 "busy", watcher 1');
    const late = await member(bed, { auth: 'late' });
    expect(inWords(late.room.members)).toBe('ada 1 "busy", late 1, watcher 1');
    await bed.until(ada.room.setPresence(undefined));
    await bed.advance(100);
    expect(inWords(late.room.members)).toBe('ada 1, late 1, watcher 1');
  });

  test('is that of all sessions of its user: the last word counts, of those who are there', async () => {
    const bed = open();
    const phone = await member(bed, { auth: 'ada' });
    const laptop = await member(bed, { auth: 'ada' });
    const { told } = await watcher(bed);
    await bed.until(phone.room.setPresence('walking'));
    await bed.until(laptop.room.setPresence('writing'));
    await laptop.client.close();
    await bed.advance(100);
    expect(told).toEqual(['ada 2 "walking"', 'ada 2 "writing"', 'ada 1 "walking"']);
  });

  test('stays over a cut, comes back after a long one, and is gone with the session', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    await bed.until(ada.room.setPresence('here'));
    const { told } = await watcher(bed);
    bed.refuse(ada.client);
    bed.cut(ada.client);
    await bed.advance(10_000);
    bed.heal(ada.client);
    await bed.advance(30_000);
    expect(told).toEqual(['', 'ada 1 "here"']);
    await ada.client.close();
    await bed.advance(100);
    const again = await member(bed, { auth: 'ada' });
    expect(inWords(again.room.members)).toBe('ada 1, watcher 1');
  });

  test('is set while offline, in the order of what is said: of what comes together the last is told', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    const { told } = await watcher(bed);
    bed.cut(ada.client);
    const ends = [endOf(ada.room.setPresence(1)), endOf(ada.room.setPresence(2))];
    await bed.advance(10_000);
    expect(ends.map(({ end }) => end)).toEqual(['ok', 'ok']);
    expect(told).toEqual(['ada 1 2']);
  });

  test('survives the server, whose store knows it', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    await bed.until(ada.room.setPresence('here'));
    const { room } = await watcher(bed);
    bed.restart();
    await bed.advance(30_000);
    expect(inWords(room.members)).toBe('ada 1 "here", watcher 1');
  });

  test('comes with the next session where the server has lost everything', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    await bed.until(ada.room.setPresence('here'));
    const { room } = await watcher(bed);
    bed.restart({ keepStore: false });
    await bed.advance(60_000);
    expect(inWords(room.members)).toBe('ada 1 "here", watcher 1');
  });

  test('does not come back because it was not taken back in time before leaving', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada', outbox: { ttlMs: 1_000 } });
    await bed.until(ada.room.setPresence('here'));
    const { room } = await watcher(bed);
    bed.refuse(ada.client);
    bed.cut(ada.client);
    const taken = endOf(ada.room.setPresence(undefined));
    void ada.room.leave();
    void ada.room.join();
    await bed.advance(2_000);
    expect(taken.end).toBe('ERR_EXPIRED unsent');
    bed.restart({ keepStore: false });
    bed.heal(ada.client);
    await bed.advance(60_000);
    expect(inWords(room.members)).toBe('ada 1, watcher 1');
  });

  test('does not come with another user, nor after leaving', async () => {
    const bed = open();
    const ada = await member(bed, { auth: 'ada' });
    await bed.until(ada.room.setPresence('here'));
    await bed.until(ada.client.connect({ auth: 'bob' }));
    await bed.advance(6_000);
    expect(inWords(ada.room.members)).toBe('bob 1');
    await bed.until(ada.room.setPresence('bob, too'));
    await bed.until(ada.room.leave());
    await bed.until(ada.room.join());
    expect(inWords(ada.room.members)).toBe('bob 1');
  });
});

describe('what is refused', () => {
  test('too much, what is no JSON, rooms without presence, and without having joined', async () => {
    const bed = open({
      setup(server) {
        server.rooms('*', { join: true, presence: true });
        server.rooms('plain', { join: true });
      },
    });
    const { client, room } = await member(bed, { auth: 'ada' });
    const [plain, elsewhere] = [client.room('plain'), client.room('elsewhere')];
    await bed.until(plain.join());
    const reason = (promise: PromiseLike<unknown>) =>
      bed.until(promise).then(
        () => 'ok',
        (error: { code: string; reason?: string }) => `${error.code} ${error.reason ?? ''}`,
      );
    expect(await reason(room.setPresence('x'.repeat(1_022)))).toBe('ok');
    expect(await reason(room.setPresence('x'.repeat(1_023)))).toBe('ERR_REJECTED presence-too-large');
    expect(await reason(room.setPresence(5n))).toBe('ERR_INVALID_PAYLOAD ');
    expect(await reason(room.setPresence(() => 5))).toBe('ERR_INVALID_PAYLOAD ');
    expect(await reason(plain.setPresence('here'))).toBe('ERR_REJECTED no-presence');
    expect(await reason(elsewhere.setPresence('here'))).toBe('ERR_NOT_JOINED ');
    // What was there before is what comes with the next session.
    bed.restart({ keepStore: false });
    await bed.advance(60_000);
    expect(inWords(room.members)).toBe(`ada 1 "${'x'.repeat(1_022)}"`);
  });

  test('what the contract does not allow, at either end', async () => {
    const contract = defineContract({ presence: z.object({ typing: z.boolean() }) });
    const bed = open({ contract });
    const ada = await member(bed, { auth: 'ada' });
    const strict = await member(bed, { auth: 'strict', contract });
    for (const { room } of [ada, strict]) {
      const refused = room.setPresence({ typing: 'yes' });
      await expect(bed.until(refused)).rejects.toMatchObject({ code: 'ERR_INVALID_PAYLOAD' });
      await bed.until(room.setPresence({ typing: true }));
    }
    await bed.advance(100);
    expect(inWords(ada.room.members)).toBe('ada 1 {"typing":true}, strict 1 {"typing":true}');
  });

  test('a state that the rule has forbidden since keeps nobody out of the room', async () => {
    let allowed = z.string() as z.ZodType;
    const contract = () =>
      defineContract({ presence: z.any().refine((value) => allowed.safeParse(value).success) });
    const bed = open({ contract: contract() });
    const ada = await member(bed, { auth: 'ada' });
    await bed.until(ada.room.setPresence('here'));
    allowed = z.number();
    bed.restart({ keepStore: false });
    await bed.advance(60_000);
    expect(inWords(ada.room.members)).toBe('ada 1');
  });
});
