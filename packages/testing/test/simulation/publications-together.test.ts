import type { ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';
import { member, openBed, silent } from './people.js';

// What one task publishes in a room waits for its end, so that it shares frames. Nobody may lose anything by that.

const many = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

test('what one task publishes comes to all, in order, however much it is', async () => {
  const bed = openBed();
  const [ada, bob] = [await member(bed), await member(bed)];
  for (const text of many(1, 1_000)) bed.server.to('lobby').send('message', text);
  await bed.advance(100);
  expect(ada.heard).toEqual(many(1, 1_000));
  expect(bob.heard).toEqual(many(1, 1_000));
});

test('of what members publish together, each gets what the others said', async () => {
  const bed = openBed();
  const people = [await member(bed), await member(bed), await member(bed)];
  await bed.until(Promise.all(people.map(({ say }, who) => say(String(who)))));
  await bed.advance(100);
  expect(people.map(({ heard }) => heard)).toEqual([
    ['1', '2'],
    ['0', '2'],
    ['0', '1'],
  ]);
});

test.each(['leave', 'end', 'close'] as const)('%s() in the same task comes after it', async (how) => {
  const sessions: ServerSession[] = [];
  const bed = openBed({
    setup(server) {
      server.rooms('*', { join: true });
      server.onSession((session) => sessions.push(session));
    },
  });
  const ada = await member(bed);
  bed.server.to('lobby').send('message', 'goodbye');
  const [session] = sessions;
  const over = {
    leave: () => session?.leave('lobby'),
    end: () => session?.end(),
    close: () => bed.server.close(),
  };
  const isOver = over[how]();
  bed.server.to('lobby').send('message', 'among ourselves');
  await bed.until(Promise.resolve(isOver));
  await bed.advance(100);
  expect(ada.heard).toEqual(['goodbye']);
});

// Something else waits for the session then: for that the store is asked, which knows already that it is out.
test.each(['leave', 'end', 'revoke'] as const)(
  '%s in a handler comes after what that has published',
  async (how) => {
    const bed = openBed({
      logger: silent,
      setup(server) {
        server.rooms('*', { join: true });
        server.on('quit', (_payload, { session }) => {
          server.to('lobby').send('message', 'goodbye');
          session.send('note', 'of its own');
          if (how === 'leave') session.leave('lobby');
          else if (how === 'end') session.end('kicked');
          else server.revoke({ userId: session.user.id, expiresAt: bed.clock.now() + 60_000 });
          server.to('lobby').send('message', 'among ourselves');
        });
      },
    });
    const [ada, bob] = [await member(bed), await member(bed)];
    ada.client.send('quit');
    await bed.advance(100);
    expect(ada.heard).toEqual(['goodbye']);
    expect(bob.heard).toEqual(['goodbye', 'among ourselves']);
  },
);

test('who is put out of one room after another hears what was said in each before', async () => {
  const sessions: ServerSession[] = [];
  const bed = openBed({
    setup(server) {
      server.rooms('*', { join: true });
      server.onSession((session) => sessions.push(session));
    },
  });
  const client = bed.createClient();
  const heard: unknown[] = [];
  client.on('message', (text) => heard.push(text));
  await bed.until(client.connect());
  for (const room of ['a', 'b', 'c']) await bed.until(client.room(room).join());
  for (const room of ['a', 'b', 'c']) {
    bed.server.to(room).send('message', room);
    void sessions[0]?.leave(room);
  }
  await bed.advance(100);
  expect(heard).toEqual(['a', 'b', 'c']);
});

test('a transport that throws is reported, and keeps nobody else from hearing', async () => {
  const bare = bareServer();
  const peers = ['ada', 'bob', 'eve'].map((name) => bare.dial(name));
  for (const peer of peers) {
    peer.hello();
    peer.frame([0, 1, [3, '$join', { room: 'lobby' }]]);
  }
  await bare.clock.advance(200);
  const [, bob] = peers;
  Object.defineProperty(bob, 'frames', {
    get() {
      throw new Error('the transport is gone');
    },
  });
  bare.server.to('lobby').send('message', 'hi');
  await bare.clock.settle();
  const heard = peers.map((peer) => itemsOf(peer, 6).filter(([, , , name]) => name === 'message').length);
  expect([heard, bare.errors.map(String)]).toEqual([[1, 0, 1], ['Error: the transport is gone']]);
});

test('what goes out now or not at all does not overtake it', async () => {
  const bed = openBed();
  const ada = await member(bed);
  bed.server.to('lobby').send('message', 'first');
  bed.server.to('lobby').send('message', 'second', { delivery: 'volatile' });
  await bed.advance(100);
  expect(ada.heard).toEqual(['first', 'second']);
});

test('who joins in the same task hears it once or not at all, and all that follows', async () => {
  const bed = openBed();
  const ada = await member(bed);
  bed.server.to('lobby').send('message', 'before');
  const bob = bed.createClient();
  const heard: unknown[] = [];
  bob.room('lobby').on('message', (text) => heard.push(text));
  await bed.until(bob.connect());
  const joined = bob.room('lobby').join();
  for (let turn = 0; turn < 40; turn++) {
    bed.server.to('lobby').send('message', `${turn} a`);
    bed.server.to('lobby').send('message', `${turn} b`);
    await bed.advance(1);
  }
  await bed.until(joined);
  await bed.advance(100);
  const all = Array.from({ length: 40 }, (_, turn) => [`${turn} a`, `${turn} b`]).flat();
  expect(ada.heard).toEqual(['before', ...all]);
  expect(heard.length).toBeGreaterThan(10);
  expect(heard).toEqual(all.slice(-heard.length));
});
