import { stream } from '@holdfast/client/stream';
import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { connected, house, inside } from './house.js';
import { durable, lasting } from './lasting.js';
import { endOf } from './people.js';

// Parts of a server by themselves, on one connection.

test('events, requests, streams and rooms of a namespace are its own', async () => {
  const { bed, told } = house();
  const { client, ns } = await inside(bed, 'ada admin');
  await bed.until(client.send('note', 'outside'));
  await bed.until(ns.send('note', 'inside'));
  const room = ns.room('lobby');
  await bed.until(room.join());
  await bed.until(room.send('note', 'there'));
  expect(told).toEqual([
    'enters ada',
    'note outside',
    'admin note inside of ada in none',
    'admin note there of ada in lobby',
  ]);
  expect(await bed.until(ns.request('who'))).toEqual([['ada', ['lobby']]]);
  const counted: unknown[] = [];
  const reading = (async () => {
    for await (const n of stream(ns, 'count')) counted.push(n);
  })();
  await bed.until(reading);
  expect(counted).toEqual([1, 2, 3]);
  expect(room.members).toEqual([{ userId: 'ada', sessions: 1 }]);
  expect(room.name).toBe('lobby');
  expect(ns.name).toBe('/admin');
});

test('what is not in it says nothing there; the client knows before it is asked', async () => {
  const { bed, told } = house();
  const { client, ns } = await connected(bed, 'ada admin');
  const sent = endOf(ns.send('note', 'early'));
  const asked = endOf(ns.request('who'));
  await bed.settle();
  expect([sent.end, asked.end]).toEqual(['ERR_NOT_JOINED unsent', 'ERR_NOT_JOINED unsent']);
  // What is asked in the order of an application is done in that order: nobody has to wait for the join.
  const joining = ns.join();
  const sending = ns.send('note', 'behind');
  const joiningRoom = ns.room('lobby').join();
  const said = ns.room('lobby').send('note', 'behind that');
  await bed.until(Promise.all([joining, sending, joiningRoom, said]));
  expect(told).toEqual([
    'enters ada',
    'admin note behind of ada in none',
    'admin note behind that of ada in lobby',
  ]);
  expect(client.getState().status).toBe('connected');
});

test('who is refused is told why, and the rest of the session goes on', async () => {
  const { bed, told, admins } = house();
  const { client, ns } = await connected(bed, 'eve');
  const states: string[] = [];
  ns.onState(({ status }) => states.push(status));
  await expect(bed.until(ns.join())).rejects.toMatchObject({ code: 'ERR_REJECTED', reason: 'admin-only' });
  expect(states).toEqual(['joining', 'refused']);
  await bed.until(client.send('note', 'still here'));
  await bed.until(client.room('lobby').join());
  expect(told).toEqual(['note still here']);
  expect(await bed.until(admins().toAll().sessions())).toEqual([]);
});

test('a namespace that the server does not have is refused, and so is a room of one that was not joined', async () => {
  const { bed } = house();
  const { client, ns } = await connected(bed, 'ada admin');
  await expect(bed.until(client.namespace('/nowhere').join())).rejects.toMatchObject({
    reason: 'join-not-allowed',
  });
  await expect(bed.until(ns.room('lobby').join())).rejects.toMatchObject({ reason: 'not-in-namespace' });
});

test('a handler in one tells another, or everybody', async () => {
  const { bed } = house();
  const { ns } = await inside(bed, 'ada admin');
  const { client: eve } = await connected(bed, 'eve');
  const heard: unknown[] = [];
  eve.on('announcement', (text) => heard.push(text));
  await bed.until(ns.send('announce', 'tea'));
  await bed.settle();
  await bed.advance(100);
  expect(heard).toEqual(['tea']);
});

describe('targets of a namespace', () => {
  test('are those who are in it', async () => {
    const { bed, admins } = house();
    const ada = await inside(bed, 'ada admin');
    const bob = await inside(bed, 'bob admin');
    // The same user, elsewhere.
    const outside = await connected(bed, 'ada admin');
    const heard: string[] = [];
    const hears = (name: string, { ns, client }: typeof ada) => {
      ns.on('word', (text, { room }) => heard.push(`${name} ${text} ${room ?? ''}`));
      client.on('word', () => heard.push(`${name} heard it outside`));
    };
    hears('ada', ada);
    hears('bob', bob);
    hears('outside', outside);
    expect(await bed.until(admins().toAll().send('word', 'all'))).toEqual({ members: 2 });
    expect(await bed.until(admins().toUser('ada').send('word', 'user'))).toEqual({ members: 1 });
    await bed.until(bob.ns.room('lobby').join());
    expect(await bed.until(admins().to('lobby').send('word', 'room'))).toEqual({ members: 1 });
    expect(await bed.until(bed.server.toUser('ada').send('word', 'outside'))).toEqual({ members: 2 });
    await bed.advance(100);
    expect(heard).toEqual([
      'ada all ',
      'bob all ',
      'ada user ',
      'bob room lobby',
      'ada heard it outside',
      'outside heard it outside',
    ]);
  });

  test('end() takes out of the namespace and of its rooms, and nothing else', async () => {
    const { bed, told, admins } = house();
    const { client, ns } = await inside(bed, 'ada admin');
    const room = ns.room('lobby');
    await bed.until(room.join());
    await bed.until(client.room('lobby').join());
    await bed.until(admins().toUser('ada').end());
    await bed.advance(100);
    expect([ns, room, client.room('lobby')].map((one) => one.getState().status)).toEqual([
      'left',
      'left',
      'joined',
    ]);
    expect(told).toEqual(['enters ada', 'leaves ada: ended']);
    expect(client.getState().status).toBe('connected');
    await bed.until(ns.join());
    expect(told.slice(2)).toEqual(['enters ada']);
  });
});

test('leave() leaves its rooms, too', async () => {
  const { bed, told, admins } = house();
  const { client, ns } = await inside(bed, 'ada admin');
  const room = ns.room('lobby');
  await bed.until(room.join());
  await bed.until(client.room('lobby').join());
  await bed.until(ns.leave());
  await bed.advance(100);
  expect([room, client.room('lobby')].map((one) => one.getState().status)).toEqual(['left', 'joined']);
  expect(await bed.until(admins().to('lobby').sessions())).toEqual([]);
  expect(told).toEqual(['enters ada', 'leaves ada: left']);
});

describe('over cuts', () => {
  test('a namespace comes back with what was said meanwhile, and nobody enters twice', async () => {
    const { bed, told, admins } = house();
    const { client, ns } = await inside(bed, 'ada admin');
    const heard: unknown[] = [];
    ns.on('word', (text) => heard.push(text));
    bed.cut(client);
    admins().toAll().send('word', 'to all');
    admins().toUser('ada').send('word', 'to ada');
    const sending = ns.send('note', 'from ada');
    await bed.until(sending);
    await bed.advance(1_000);
    expect(heard.sort()).toEqual(['to ada', 'to all']);
    expect(told).toEqual(['enters ada', 'admin note from ada of ada in none']);
  });

  test('a lost session joins anew, with its rooms, and is asked again', async () => {
    const { bed, told } = house();
    const { ns } = await inside(bed, 'ada admin');
    await bed.until(ns.room('lobby').join());
    bed.restart({ keepStore: false });
    ns.send('note', 'waits');
    await bed.advance(5_000);
    expect(ns.getState().status).toBe('joined');
    expect(ns.room('lobby').getState().status).toBe('joined');
    expect(told).toEqual(['enters ada', 'leaves ada: lost', 'enters ada', 'admin note waits of ada in none']);
  });

  test.each([
    ['at once', (fail: () => void) => fail()],
    ['later', (fail: () => void) => Promise.resolve().then(fail)],
  ])('whoever may not enter any more is out before anything more is said (%s)', async (_when, answer) => {
    const { bed, told, admins } = house((server) => {
      server.namespace('/admin').use((_session, { resumed }) =>
        answer(() => {
          if (resumed) throw new RejectError('dismissed');
        }),
      );
    });
    const { client, ns } = await inside(bed, 'ada admin');
    const room = ns.room('lobby');
    await bed.until(room.join());
    await bed.until(client.room('lobby').join());
    const heard: unknown[] = [];
    ns.on('word', (text) => heard.push(text));
    bed.cut(client);
    admins().toAll().send('word', 'secret');
    admins().to('lobby').send('word', 'secret, too');
    admins().toUser('ada').send('word', 'said to her while she was in');
    await bed.advance(5_000);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(heard).toEqual(['said to her while she was in']);
    expect([ns, room, client.room('lobby')].map((one) => one.getState().status)).toEqual([
      'left',
      'left',
      'joined',
    ]);
    expect(told).toEqual(['enters ada', 'leaves ada: ended']);
    await bed.until(client.send('note', 'goes on'));
  });

  test('middleware that does not answer refuses the namespace after 5 s, and no connection', async () => {
    const never = new Promise<void>(() => undefined);
    const { bed } = house((server) => {
      server.namespace('/slow').use((_session, { resumed }) => (resumed ? never : undefined));
    });
    const { client } = await connected(bed, 'ada admin');
    const slow = client.namespace('/slow');
    await bed.until(slow.join());
    bed.cut(client);
    await bed.advance(4_000);
    expect(client.getState().status).toBe('reconnecting');
    await bed.advance(3_000);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(slow.getState().status).toBe('left');
  });
});

test('a session that ends is told in its namespaces, too', async () => {
  const { bed, told } = house();
  const { client } = await inside(bed, 'ada admin');
  await bed.until(client.close());
  await bed.advance(100);
  expect(told).toEqual(['enters ada', 'leaves ada: closed']);
});

test('the server asks a client in a namespace', async () => {
  const { bed, admins } = house();
  const { client, ns } = await inside(bed, 'ada admin');
  ns.handle('confirm', (question) => `${question}: yes`);
  client.handle('confirm', () => 'outside');
  const answers: unknown[] = [];
  admins().on('ask', async (_payload, { session }) => {
    answers.push(await session.request('confirm', 'sure?'));
  });
  await bed.until(ns.send('ask', null));
  await bed.advance(100);
  expect(answers).toEqual(['sure?: yes']);
});

test('what became of a message is told with its whole name, and it can be sent again', async () => {
  const { bed, told } = house();
  const { client, ns } = await inside(bed, 'ada admin');
  await bed.until(ns.room('lobby').join());
  const lost: { event: string; room?: string | undefined }[] = [];
  client.onSessionLost(({ unknown }) => {
    lost.push(...unknown.map(({ event, room }) => ({ event, room })));
    for (const message of unknown) client.resend(message);
  });
  bed.freeze(client);
  ns.send('note', 'one');
  ns.room('lobby').send('note', 'two');
  await bed.advance(100);
  bed.restart({ keepStore: false });
  bed.heal(client);
  await bed.advance(60_000);
  expect(lost).toEqual([
    { event: '/admin#note', room: '/admin#' },
    { event: '/admin#note', room: '/admin#lobby' },
  ]);
  expect(told.filter((line) => line.includes('note'))).toEqual([
    'admin note one of ada in none',
    'admin note two of ada in lobby',
  ]);
});

test('a durable message in a namespace waits until a later life has joined it', async () => {
  const heard: string[] = [];
  const { bed, life, crash, store } = lasting({
    auth: (token) => ({ user: { id: token ?? 'nobody' } }),
    setup(server) {
      server.namespace('/notes').on('note', (payload) => void heard.push(String(payload)));
    },
  });
  const first = life({}, 'ada');
  const offline = first.client.namespace('/notes');
  void offline.join();
  void offline.send('note', 'kept', durable);
  await bed.advance(100);
  crash(first.client);
  const { client, restored } = life();
  await bed.until(client.connect());
  await bed.advance(60_000);
  expect([heard, restored.map(({ event }) => event), store.messages.length]).toEqual([
    [],
    ['/notes#note'],
    1,
  ]);
  await bed.until(client.namespace('/notes').join());
  await bed.advance(500);
  expect([heard, store.messages]).toEqual([['kept'], []]);
});
