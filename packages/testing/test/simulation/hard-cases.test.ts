import { json, RejectError } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person, silent } from './people.js';

describe('publications are one by one', () => {
  test('two users who choose the same id have said two things', async () => {
    const bed = openBed({ auth: (token = 'guest') => ({ user: { id: token } }) });
    const [ada, bob, cy] = [
      await member(bed, { auth: 'ada' }),
      await member(bed, { auth: 'bob' }),
      await member(bed, { auth: 'cy' }),
    ];
    await bed.until(ada.room.send('message', 'from ada', { id: '1' }));
    await bed.until(bob.room.send('message', 'from bob', { id: '1' }));
    await bed.advance(100);
    expect(cy.heard).toEqual(['from ada', 'from bob']);
  });

  test('what bears no id at all is said each time', async () => {
    const { clock, server, connect } = serverOnPorts();
    server.rooms('*', { join: true, publish: true });
    const [speaker, listener] = [connect('a'), connect('b')];
    for (const { say } of [speaker, listener]) {
      say([0, 1, [3, '$join', { room: 'r' }]]);
      await clock.advance(100);
    }
    speaker.say([0, 2, [2, 'message', 'one', { r: 'r' }], [2, 'message', 'two', { r: 'r' }]]);
    await clock.advance(500);
    const said = listener.heard.filter(([type]) => type === 6).map(([, , , , payload]) => payload);
    expect(said).toEqual(['one', 'two']);
    await clock.until(server.close());
  });
});

describe('what became of a message', () => {
  test('accepted, refused by a handler that began later, and then its session was lost: told as refused', async () => {
    const bed = openBed({
      ...{ concurrency: 1, sessionTtlMs: 10_000 },
      setup(server) {
        server.on('slow', () => new Promise<void>((yes) => bed.clock.setTimer(yes, 2_000)));
        server.on('picky', () => {
          throw new RejectError('no');
        });
      },
    });
    const { client } = person(bed);
    const story: string[] = [];
    client.onUndelivered(({ event }, { code }) => story.push(`undelivered ${event} ${code}`));
    client.onSessionLost(({ unknown }) => story.push(`lost, unknown: ${unknown.length}`));
    await bed.until(client.connect());
    void client.send('slow');
    const picky = endOf(client.send('picky'));
    await bed.advance(100);
    bed.cut(client);
    // It was stored and counts as accepted on the next connection.
    await bed.until(client.connect());
    await bed.advance(100);
    expect(picky.end).toBe('ok');
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(60_000);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(story.sort()).toEqual(['lost, unknown: 0', 'undelivered picky ERR_REJECTED']);
  });

  test('the one handler that hangs among thousands is the one that is told when the server loses its memory', async () => {
    const bed = openBed({
      setup(server) {
        server.on('slow', () => new Promise<void>(() => undefined));
        server.on('note', () => undefined);
      },
    });
    const { client } = person(bed);
    const unknown: string[] = [];
    client.onSessionLost((lost) => unknown.push(...lost.unknown.map(({ event }) => event)));
    await bed.until(client.connect());
    await bed.until(client.send('slow'));
    for (let n = 0; n < 2_500; n++) await bed.until(client.send('note', n));
    bed.restart({ keepStore: false });
    await bed.until(client.connect());
    expect(unknown).toEqual(['slow']);
  });

  test('a room that is left while all places for requests are taken is left at the server, too', async () => {
    const bed = openBed({
      concurrency: 2_000,
      setup(server) {
        server.rooms('*', { join: true, publish: true });
        server.handle(
          'ask',
          (_input, { signal }) => new Promise((yes) => signal.addEventListener('abort', yes)),
        );
      },
    });
    const { client, room } = await member(bed);
    const asked = Array.from({ length: 1_000 }, () => endOf(client.request('ask', 1, { timeoutMs: 10_000 })));
    await bed.advance(1_000);
    const tooMany = endOf(client.request('ask', 1));
    void room.leave();
    await bed.advance(11_000);
    expect([tooMany.end, asked[0]?.end]).toEqual(['ERR_OUTBOX_FULL unsent', 'ERR_TIMEOUT unknown']);
    expect(bed.server.stats()).toMatchObject({ rooms: 0, sessions: 1 });
  });
});

test('which sessions one has had is remembered of the newest few hundred, whatever a peer says', async () => {
  const { clock, server, connect } = serverOnPorts();
  server.rooms('*', { join: true, publish: true });
  const [speaker, listener] = [connect('a'), connect('b')];
  const [, welcome] = speaker.heard[0] as [number, { s: string }];
  const said = () => listener.heard.filter(([type]) => type === 6).map(([, , , , payload]) => payload);
  let seq = 0;
  const join = (replaced: string[]): void => {
    listener.say([0, ++seq, [3, '$join', { room: 'r', epoch: 'e', offset: 0, replaced }]]);
  };
  speaker.say([0, 1, [3, '$join', { room: 'r' }]]);
  join([welcome.s]);
  await clock.advance(200);
  speaker.say([0, 2, [2, 'message', 'its own', { r: 'r' }]]);
  await clock.advance(200);
  // As many are left out as it has had sessions, and more.
  const others = [{ id: 'one' }, { id: 'two' }];
  await clock.until(
    server
      .to('r')
      .except({ id: welcome.s }, ...others)
      .send('message', 'of the server'),
  );
  await clock.until(
    server
      .to('r')
      .except(...others)
      .send('message', 'for it, too'),
  );
  await clock.advance(200);
  expect(said()).toEqual(['for it, too']);
  for (let n = 0; n < 10; n++) {
    listener.say([0, ++seq, [3, '$leave', { room: 'r' }]]);
    join(Array.from({ length: 32 }, (_, k) => `another ${n} ${k}`));
    await clock.advance(50);
  }
  speaker.say([0, 3, [2, 'message', 'of another', { r: 'r' }]]);
  await clock.advance(200);
  expect(said()).toContain('of another');
  await clock.until(server.close());
});

test('who asks for signs of life and does not read them has one waiting, not a pile', async () => {
  const { clock, server, connect } = serverOnPorts();
  const { say, heard, socket, events } = connect('a');
  const pongs = () => heard.filter(([type]) => type === 8).length;
  await clock.settle();
  socket.bufferedBytes = 2 ** 30;
  for (let n = 0; n < 5; n++) {
    for (let frame = 0; frame < 100; frame++) say([0, 0, ...Array(256).fill([7])]);
    await clock.advance(100);
  }
  socket.bufferedBytes = 0;
  events.drain?.();
  await clock.settle();
  expect(pongs()).toBe(2);
  say([0, 0, [7]]);
  await clock.settle();
  expect(pongs()).toBe(3);
  await clock.until(server.close());
});

test('a socket that is full for 30 s: let go with 4408, not before; its session waits and goes on', async () => {
  const { clock, server, connect } = serverOnPorts();
  server.onSession((session) => clock.setTimer(() => void session.send('tell', 'x'), 1_000));
  const { say, heard, ends, socket } = connect('a');
  await clock.settle();
  socket.bufferedBytes = 2 ** 30;
  await clock.advance(5_000);
  for (let n = 0; n < 30; n++) {
    say([0, 0, [7]]);
    await clock.advance(1_000);
    if (n < 25) expect(ends).toEqual([]);
  }
  expect([ends, server.stats()]).toEqual([[4408], expect.objectContaining({ sessions: 1, connections: 0 })]);
  const [, welcome] = heard[0] as [number, Record<'s' | 'k' | 'e', string>];
  const { s, k, e } = welcome;
  const again = connect('a', { n: 2, s, k, e, x: 0, y: 0 });
  await clock.settle();
  expect(again.heard.map(([type, what]) => (type === 1 ? 'WELCOME' : [type, what]))).toContainEqual([
    2,
    'tell',
  ]);
  await clock.until(server.close());
});

test('a join that is run when its session has ended puts nobody into the room', async () => {
  const bed = openBed({
    concurrency: 1,
    setup(server) {
      server.rooms('*', { join: true, publish: true, presence: true });
      server.on('slow', () => new Promise<void>((yes) => bed.clock.setTimer(yes, 2_000)));
    },
  });
  const { client, room } = person(bed);
  await bed.until(client.connect());
  void client.send('slow');
  await bed.advance(100);
  const joining = endOf(room.join());
  await bed.advance(100);
  await client.close();
  await bed.advance(60_000);
  expect(joining.end).toBe('ERR_CLOSED unsent');
  expect(bed.server.stats()).toMatchObject({ sessions: 0, rooms: 0 });
  expect(await bed.until(bed.server.to('lobby').send('message', 'anybody?'))).toEqual({ members: 0 });
});

/** A server, and peers on the bare wire that have said HELLO. */
function serverOnPorts(options: Parameters<typeof createServerOn>[1] = {}) {
  const clock = new VirtualClock();
  const ports = { clock, random: seededRandom(1), digest: systemDigest, logger: silent };
  const { server, accept } = createServerOn(ports, options);
  const connect = (nonce: string, more: object = {}) => {
    const heard: unknown[][] = [];
    const socket = { bufferedBytes: 0 };
    const send = (data: unknown): void => {
      heard.push(...(JSON.parse(String(data)) as unknown[][]).slice(2));
    };
    const ends: number[] = [];
    const transport = {
      send,
      close: (code: number) => void ends.push(code),
      get bufferedBytes() {
        return socket.bufferedBytes;
      },
    };
    const events = accept(transport, json(), { address: 'here' });
    const say = (frame: unknown): void => events.message(JSON.stringify(frame));
    say([0, 0, [0, { v: 1, c: nonce, n: 1, w: [1_000, 1_048_576], ...more }]]);
    return { say, heard, ends, socket, events };
  };
  return { clock, server, connect };
}
