import type { ServerSession } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person } from './people.js';

describe('a member is cut off while others talk', () => {
  test('many cuts in a row: nothing lost, nothing twice, in order, and offsets rise', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    const offsets: number[] = [];
    bob.room.on('message', (_payload, { seq }) => offsets.push(seq));
    const wanted: string[] = [];
    for (let n = 0; n < 40; n++) {
      await bed.until(alice.say(`${n}`));
      wanted.push(`${n}`);
      if (n % 3 === 0) bed.cut(bob.client);
      if (n % 7 === 0) bed.signal(bob.client, 'online');
      await bed.advance(n % 5 === 0 ? 5_000 : 20);
    }
    await bed.advance(60_000);
    expect(bob.heard).toEqual(wanted);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(new Set(offsets).size).toBe(40);
  });

  test('cut at each publication of a catch-up: it goes on where it stood', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    bed.cut(bob.client);
    for (let n = 0; n < 30; n++) await bed.until(alice.say(`${n}`));
    bob.room.on('message', () => bed.cut(bob.client));
    await bed.advance(1_800_000);
    expect(bob.heard).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
  });

  test.each([0, 4, 6, 9, 12, 14, 19, 24])('cut %i ms into the first join: it joins, once', async (ms) => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = person(bed);
    await bed.until(bob.client.connect());
    const states: string[] = [];
    bob.room.onState(({ status }) => states.push(status));
    const joining = endOf(bob.room.join());
    await bed.advance(ms);
    bed.cut(bob.client);
    await bed.advance(5_000);
    expect(joining).toEqual({ end: 'ok', times: 1 });
    expect(states.at(-1)).toBe('joined');
    await bed.until(alice.say('welcome'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['welcome']);
  });

  test('one of many rooms is cut with the others: all are back, each with its own', async () => {
    const bed = openBed();
    const { client } = person(bed);
    await bed.until(client.connect());
    const names = Array.from({ length: 20 }, (_, n) => `room-${n}`);
    const heard: string[] = [];
    client.on('message', (payload, { room }) => heard.push(`${room} ${payload}`));
    await bed.until(Promise.all(names.map((name) => client.room(name).join())));
    bed.cut(client);
    for (const name of names) void bed.server.to(name).send('message', 'hi');
    await bed.advance(10_000);
    expect(heard).toEqual(names.map((name) => `${name} hi`));
    for (const name of names) void bed.server.to(name).send('message', 'again');
    await bed.advance(100);
    expect(heard).toHaveLength(40);
  });

  test('what it said itself does not come back, nor what left it out', async () => {
    const bed = openBed();
    const sessions: ServerSession[] = [];
    bed.server.onSession((session) => sessions.push(session));
    const alice = await member(bed);
    const bob = await member(bed);
    await bed.until(alice.say('by alice'));
    bed.cut(alice.client);
    await bed.until(bob.say('by bob'));
    await bed.advance(5_000);
    await bed.until(alice.say('by alice again'));
    const [alicesSession] = sessions;
    expect(sessions).toHaveLength(2);
    if (alicesSession)
      await bed.until(bed.server.to('lobby').except(alicesSession).send('message', 'secret'));
    bed.cut(alice.client);
    await bed.advance(5_000);
    expect(alice.heard).toEqual(['by bob']);
    expect(bob.heard).toEqual(['by alice', 'by alice again', 'secret']);
  });

  test('a late joiner is told nothing of before, and all of after', async () => {
    const bed = openBed();
    const alice = await member(bed);
    for (let n = 0; n < 10; n++) await bed.until(alice.say(`before ${n}`));
    const bob = await member(bed);
    await bed.until(alice.say('after'));
    bed.cut(bob.client);
    await bed.until(alice.say('later'));
    await bed.advance(5_000);
    expect(bob.heard).toEqual(['after', 'later']);
  });
});

describe('bounds of the log', () => {
  test.each([
    [256, []],
    [257, ['gap 1 trimmed']],
    [300, ['gap 44 trimmed']],
    [1_000, ['gap 744 trimmed']],
  ])('%i publications missed: %j, then the newest 256', async (count, gaps) => {
    const bed = openBed();
    const alice = await member(bed);
    bed.cut(alice.client);
    for (let n = 0; n < count; n++) void bed.server.to('lobby').send('message', n);
    await bed.advance(5_000);
    const newest = Array.from({ length: 256 }, (_, n) => `${count - 256 + n}`);
    expect(alice.heard).toEqual([...gaps, ...newest]);
    await bed.until(bed.server.to('lobby').send('message', 'live'));
    await bed.advance(100);
    expect(alice.heard.at(-1)).toBe('live');
  });

  test('a gap is told once, not again at the next cut', async () => {
    const bed = openBed();
    const alice = await member(bed);
    bed.cut(alice.client);
    for (let n = 0; n < 300; n++) void bed.server.to('lobby').send('message', n);
    await bed.advance(5_000);
    alice.heard.length = 0;
    for (let n = 0; n < 5; n++) {
      bed.cut(alice.client);
      await bed.advance(5_000);
    }
    expect(alice.heard).toEqual([]);
  });

  test('big publications: the log keeps 262,144 bytes, the rest is told as a gap', async () => {
    const bed = openBed();
    const alice = await member(bed);
    bed.cut(alice.client);
    for (let n = 0; n < 10; n++) void bed.server.to('lobby').send('message', `${n}`.repeat(50_000));
    await bed.advance(5_000);
    expect(alice.heard.map((line) => line.slice(0, 15))).toEqual([
      'gap 5 trimmed',
      ...['5', '6', '7', '8', '9'].map((digit) => digit.repeat(15)),
    ]);
  });

  test('another server: new-epoch, then what its log holds; no own ones, nothing twice', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    await bed.until(alice.say('old'));
    await bed.settle();
    bed.refuse(bob.client);
    bed.restart({ keepStore: false });
    await bed.until(alice.client.connect());
    await bed.until(alice.say('new'));
    bed.heal(bob.client);
    await bed.advance(60_000);
    expect(bob.heard).toEqual(['old', 'gap 0 new-epoch', 'new']);
    expect(alice.heard).toEqual(['gap 0 new-epoch']);
  });

  test('away for longer than an empty room lives: a new log, and that is told', async () => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.until(bed.server.to('lobby').send('message', 'one'));
    await bed.advance(100);
    bed.cut(alice.client);
    bed.refuse(alice.client);
    await bed.advance(300_000);
    await bed.until(bed.server.to('lobby').send('message', 'unheard by an old log'));
    bed.heal(alice.client);
    await bed.advance(60_000);
    expect(alice.heard).toEqual(['one', 'gap 0 new-epoch', 'unheard by an old log']);
  });
});

describe('wishes that change faster than the network', () => {
  test('join, leave, join, … in one task: the last wish holds', async () => {
    for (const times of [1, 2, 3, 4, 7, 10]) {
      const bed = openBed();
      const alice = await member(bed);
      const bob = person(bed);
      await bed.until(bob.client.connect());
      const ends = Array.from({ length: times }, (_, n) => endOf(n % 2 ? bob.room.leave() : bob.room.join()));
      await bed.advance(1_000);
      const isIn = times % 2 === 1;
      expect(bob.room.getState().status).toBe(isIn ? 'joined' : 'left');
      expect(ends.every((end) => end.times === 1)).toBe(true);
      await bed.until(alice.say('who is here?'));
      await bed.advance(100);
      expect(bob.heard).toEqual(isIn ? ['who is here?'] : []);
    }
  });

  test('left while a publication was under way: not delivered, and after joining anew nothing old', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    void alice.say('under way');
    await bed.advance(7);
    await bed.until(bob.room.leave());
    await bed.advance(100);
    await bed.until(alice.say('while out'));
    await bed.until(bob.room.join());
    await bed.until(alice.say('back in'));
    await bed.advance(100);
    expect(bob.heard).toEqual(['back in']);
  });

  test('left while away: it stays out after the reconnect, and out of the members', async () => {
    const bed = openBed({
      setup: (server) => void server.rooms('*', { join: true, publish: true, presence: true }),
    });
    const alice = await member(bed);
    const bob = await member(bed);
    bed.cut(bob.client);
    await bed.settle();
    await bob.room.leave();
    await bed.advance(5_000);
    expect(bob.client.getState().status).toBe('connected');
    await bed.until(alice.say('hello?'));
    await bed.advance(100);
    expect(bob.heard).toEqual([]);
    expect(alice.room.members).toHaveLength(1);
    expect(bob.room.members).toEqual([]);
  });

  test('members follow joins, leaves, cuts and closes', async () => {
    const bed = openBed({
      auth: (token = 'nobody') => ({ user: { id: token } }),
      setup: (server) => void server.rooms('*', { join: true, presence: true }),
    });
    const alice = await member(bed, { auth: 'alice' });
    const [bob, bobsPhone] = [await member(bed, { auth: 'bob' }), await member(bed, { auth: 'bob' })];
    const seen = () => alice.room.members.map(({ userId, sessions }) => `${userId} ${sessions}`).sort();
    // Who joins is told at once, the others when it stands.
    await bed.advance(100);
    expect(seen()).toEqual(['alice 1', 'bob 2']);
    bed.cut(bob.client);
    bed.cut(alice.client);
    await bed.advance(5_000);
    expect(seen()).toEqual(['alice 1', 'bob 2']);
    await bobsPhone.client.close();
    await bed.advance(100);
    expect(seen()).toEqual(['alice 1', 'bob 1']);
    await bed.until(bob.room.leave());
    await bed.advance(100);
    expect(seen()).toEqual(['alice 1']);
  });
});
