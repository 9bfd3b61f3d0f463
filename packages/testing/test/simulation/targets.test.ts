import type { HoldfastClient } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { json, type Unreached } from '@holdfast/server';
import { msgpack as serverMsgpack } from '@holdfast/server/msgpack';
import type { Testbed, TestbedOptions } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { openBed } from './people.js';

/** Tokens are user ids, and `nobody` a guest's. */
const options: TestbedOptions = {
  auth: (token = 'nobody') => ({ user: { id: token } }),
  codecs: [json(), serverMsgpack()],
  setup(server) {
    server.rooms('*', { join: true, publish: true });
  },
};

interface Device {
  readonly client: HoldfastClient;
  readonly heard: string[];
  /** Its session, as the server knows it. */
  id(): string;
}

/** A client of a user that says whatever it hears, with the room where it heard it. */
async function device(
  bed: Testbed,
  auth: string,
  rooms: readonly string[] = [],
  codec = json(),
): Promise<Device> {
  const client = bed.createClient({ auth, codec });
  const heard: string[] = [];
  client.on('said', (payload, { room }) => heard.push(`${room ? `${room}: ` : ''}${String(payload)}`));
  client.onGap(({ messages, reason }) => heard.push(`gap ${messages} ${reason}`));
  await bed.until(client.connect());
  for (const room of rooms) await bed.until(client.room(room).join());
  const id = () => {
    const state = client.getState();
    return state.status === 'connected' ? state.sessionId : '';
  };
  return { client, heard, id };
}

describe('who is told', () => {
  test('a user on all devices, in each codec; nobody else; the answer counts them', async () => {
    const bed = openBed(options);
    const ada = [await device(bed, 'ada'), await device(bed, 'ada', [], msgpack())];
    const bob = await device(bed, 'bob');
    expect(await bed.until(bed.server.toUser('ada').send('said', 'hi'))).toEqual({ members: 2 });
    expect(await bed.until(bed.server.toUser('ada', 'bob').send('said', 'all'))).toEqual({ members: 3 });
    await bed.advance(100);
    expect(ada.map(({ heard }) => heard)).toEqual([
      ['hi', 'all'],
      ['hi', 'all'],
    ]);
    expect(bob.heard).toEqual(['all']);
  });

  test('everybody, but for sessions and members of rooms', async () => {
    const bed = openBed(options);
    const [ada, bob, cleo] = [
      await device(bed, 'ada'),
      await device(bed, 'bob', ['quiet']),
      await device(bed, 'cleo'),
    ];
    const { server } = bed;
    const others = server.toAll().except({ id: ada.id() });
    expect(await bed.until(others.send('said', 'not ada'))).toEqual({ members: 2 });
    expect(await bed.until(others.except('quiet').send('said', 'only cleo'))).toEqual({ members: 1 });
    expect(await bed.until(server.toSession(ada.id()).send('said', 'only ada'))).toEqual({ members: 1 });
    await bed.advance(100);
    expect([ada.heard, bob.heard, cleo.heard]).toEqual([['only ada'], ['not ada'], ['not ada', 'only cleo']]);
  });

  test.each(['reliable', 'volatile'] as const)(
    'several rooms, %s: once each, whoever is in more than one',
    async (delivery) => {
      const bed = openBed(options);
      const both = await device(bed, 'ada', ['a', 'b']);
      const one = await device(bed, 'bob', ['b']);
      const out = await device(bed, 'cleo', ['b', 'quiet']);
      const target = bed.server.to('a').to('b').except('quiet');
      expect(await bed.until(target.send('said', 'hi', { delivery }))).toEqual({ members: 2 });
      await bed.advance(100);
      expect([both.heard, one.heard, out.heard]).toEqual([['a: hi'], ['b: hi'], []]);
    },
  );

  test('several rooms, the same id of the application twice: these are two', async () => {
    const bed = openBed(options);
    const both = await device(bed, 'ada', ['a', 'b']);
    for (const text of ['one', 'two'])
      await bed.until(bed.server.to('a', 'b').send('said', text, { id: 'same' }));
    await bed.advance(100);
    expect(both.heard).toEqual(['a: one', 'a: two']);
  });

  test('several rooms: once, also when one of them flows later than the other', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada', ['a', 'b']);
    bed.cut(client);
    await bed.until(bed.server.to('a', 'b').send('said', 'away'));
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect(heard).toEqual(['a: away']);
    // Left one of the two before it could flow: it is heard in the other.
    bed.cut(client);
    await bed.until(bed.server.to('a', 'b').send('said', 'again'));
    void client.room('a').leave();
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect(heard).toEqual(['a: away', 'b: again']);
  });

  test('kept for who is away; volatile is not', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada');
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(1_000);
    expect(await bed.until(bed.server.toUser('ada').send('said', 'kept'))).toEqual({ members: 1 });
    await bed.until(bed.server.toUser('ada').send('said', 'gone', { delivery: 'volatile' }));
    for (const n of [1, 2])
      await bed.until(bed.server.toUser('ada').send('said', `newest ${n}`, { delivery: 'latest' }));
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(heard).toEqual(['kept', 'newest 2']);
  });

  test('volatile, for who is there: heard on the connection that stands', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada');
    const statuses: string[] = [];
    client.onState(({ status }) => statuses.push(status));
    const { server } = bed;
    for (const [who, target] of Object.entries({ user: server.toUser('ada'), all: server.toAll() })) {
      await bed.until(target.send('said', who, { delivery: 'volatile' }));
      await bed.advance(100);
    }
    expect(heard).toEqual(['user', 'all']);
    expect(statuses.filter((status) => status !== 'connected')).toEqual([]);
  });

  test('nobody is there: the sender learns it, and the hook', async () => {
    const bed = openBed(options);
    const unreached: Unreached[] = [];
    bed.server.onUnreached((what) => unreached.push(what));
    expect(await bed.until(bed.server.toUser('zoe').send('said', 'hi', { id: 'm1' }))).toEqual({
      members: 0,
    });
    expect(await bed.until(bed.server.to('empty').send('said', 'hi', { id: 'm2' }))).toEqual({ members: 0 });
    await device(bed, 'ada');
    await bed.until(bed.server.toUser('ada').send('said', 'hi'));
    expect(unreached).toEqual([
      { event: 'said', payload: 'hi', id: 'm1', users: ['zoe'] },
      { event: 'said', payload: 'hi', id: 'm2', rooms: ['empty'] },
    ]);
  });

  test('misuse is named at once', () => {
    const { server } = openBed(options);
    expect(() => server.to()).toThrow('to(...rooms): name one room or more');
    expect(() => server.to('')).toThrow(TypeError);
    expect(() => server.toUser()).toThrow('toUser(userId): name one or more');
    expect(() => server.toSession(undefined as never)).toThrow('must be a text, not undefined');
    expect(() => server.toAll().except(7 as never)).toThrow('except(...): sessions, or names of rooms');
  });
});

describe('sessions are looked up, moved and ended', () => {
  test('who they are, with and without a connection', async () => {
    const bed = openBed(options);
    const ada = await device(bed, 'ada', ['a']);
    const bob = await device(bed, 'bob', ['a', 'b']);
    const ids = [ada.id(), bob.id()];
    bed.cut(bob.client);
    bed.refuse(bob.client);
    await bed.advance(1_000);
    const found = await bed.until(bed.server.to('a').sessions());
    expect(found).toEqual([
      { id: ids[0], user: { id: 'ada' }, rooms: ['a'], attached: true, data: {} },
      { id: ids[1], user: { id: 'bob' }, rooms: ['a', 'b'], attached: false, data: {} },
    ]);
  });

  test('a user is moved into a room and out of it: hears what is said there, and its handle says so', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada');
    const { server } = bed;
    const states: string[] = [];
    client.room('hall').onState(({ status }) => states.push(status));
    await bed.until(server.toUser('ada').join('hall', 'yard'));
    await bed.until(server.to('hall').send('said', 'one'));
    await bed.until(server.to('yard').send('said', 'two'));
    await bed.advance(100);
    expect(client.room('yard').getState()).toEqual({ status: 'joined' });
    await bed.until(client.room('hall').send('said', 'mine, which it may say there'));
    await bed.until(server.toUser('ada').leave('hall'));
    await bed.until(server.to('hall').send('said', 'unheard'));
    await bed.advance(100);
    expect(heard).toEqual(['hall: one', 'yard: two']);
    expect(states).toEqual(['joined', 'left']);
    expect(await bed.until(server.to('hall').sessions())).toEqual([]);
  });

  test('a room that only the server has named is forgotten when it is over; a handle goes on', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada');
    const { server } = bed;
    const held = client.room('held');
    for (const name of ['hall', 'held']) {
      await bed.until(server.toUser('ada').join(name));
      await bed.until(server.to(name).send('said', 'one'));
      await bed.until(server.toUser('ada').leave(name));
    }
    await bed.advance(100);
    expect([held.getState().status, client.room('hall').getState().status]).toEqual(['left', 'idle']);
    // Known now, as the other one.
    for (const name of ['hall', 'held']) {
      await bed.until(server.toUser('ada').join(name));
      await bed.until(server.to(name).send('said', 'two'));
    }
    await bed.advance(100);
    expect([held, client.room('hall')].map((room) => room.getState().status)).toEqual(['joined', 'joined']);
    expect(heard).toEqual(['hall: one', 'held: one', 'hall: two', 'held: two']);
  });

  test('moved while it is away: it learns it when it comes back, and what was said since', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada', ['old']);
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(1_000);
    await bed.until(bed.server.toUser('ada').join('hall'));
    await bed.until(bed.server.toUser('ada').leave('old'));
    await bed.until(bed.server.to('hall').send('said', 'one'));
    await bed.until(bed.server.to('old').send('said', 'unheard'));
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(heard).toEqual(['hall: one']);
    expect(['hall', 'old'].map((room) => client.room(room).getState().status)).toEqual(['joined', 'left']);
  });

  test('put into a room when the session begins: heard from the first word on; gone with the session', async () => {
    const bed = openBed({
      ...options,
      setup(server) {
        server.rooms('*', { join: ({ user }) => user.id !== 'ada' });
        server.onSession(async (session) => {
          if (session.rooms.has('lobby')) throw new Error('in it already');
          await session.join('lobby');
          server.to('lobby').except(session).send('said', `${session.user.id} is here`);
        });
      },
    });
    const ada = await device(bed, 'ada');
    const bob = await device(bed, 'bob');
    await bed.advance(100);
    expect([ada.heard, bob.heard]).toEqual([['lobby: bob is here'], []]);
    const states: string[] = [];
    ada.client.room('lobby').onState(({ status }) => states.push(status));
    await bed.restart({ keepStore: false });
    await bed.advance(60_000);
    expect(states).toEqual(['left', 'joined']);
    // It was never its own wish; its rule would have refused it.
    expect(ada.client.room('lobby').getState()).toEqual({ status: 'joined' });
  });

  test('a room that it is in by the server and then wants itself comes back after a lost session', async () => {
    const bed = openBed(options);
    const { client, heard } = await device(bed, 'ada');
    await bed.until(bed.server.toUser('ada').join('hall'));
    await bed.advance(100);
    await bed.until(client.room('hall').join());
    await bed.restart({ keepStore: false });
    await bed.advance(60_000);
    await bed.until(bed.server.to('hall').send('said', 'one'));
    await bed.advance(100);
    expect(heard.at(-1)).toBe('hall: one');
  });

  test('its own join goes on where it stood, although the server has put it in before', async () => {
    let put = false;
    const bed: Testbed = openBed({
      ...options,
      setup(server) {
        server.rooms('*', { join: true });
        server.onSession((session) => put && session.join('hall'));
      },
    });
    const { client, heard } = await device(bed, 'ada', ['hall']);
    await bed.until(bed.server.to('hall').send('said', 'one'));
    await bed.advance(100);
    put = true;
    // Its session runs out, the room's log does not.
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(100_000);
    await bed.until(bed.server.to('hall').send('said', 'two'));
    await bed.advance(60_000);
    await bed.until(bed.server.to('hall').send('said', 'three'));
    bed.heal(client);
    await bed.until(client.connect());
    await bed.until(bed.server.to('hall').send('said', 'four'));
    await bed.advance(1_000);
    expect(heard).toEqual(['hall: one', 'hall: two', 'hall: three', 'hall: four']);
  });

  test('left by its own will, it is not taken for put in by a SYNC that was under way', async () => {
    const bed = openBed(options);
    const { client } = await device(bed, 'ada', ['hall']);
    bed.cut(client);
    const left = client.room('hall').leave();
    await bed.until(client.connect());
    await bed.until(left);
    await bed.advance(1_000);
    expect(client.room('hall').getState()).toEqual({ status: 'left' });
    expect(await bed.until(bed.server.to('hall').sessions())).toEqual([]);
  });
});

describe('a session is ended by the server', () => {
  test('its client is told why, and stays away until the application connects anew', async () => {
    const bed = openBed(options);
    const ends: string[] = [];
    bed.server.onSessionEnd(({ user }, { reason }) => ends.push(`${user.id} ${reason}`));
    const ada = await device(bed, 'ada', ['hall']);
    const bob = await device(bed, 'bob');
    const before = ada.id();
    const lost: string[] = [];
    ada.client.onSessionLost(({ sessionId }) => lost.push(sessionId));
    bed.server.toUser('ada').send('said', 'last words');
    await bed.until(bed.server.toUser('ada').end('kicked'));
    await bed.advance(60_000);
    expect(ada.heard).toEqual(['last words']);
    expect(ada.client.getState()).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_SESSION_ENDED', reason: 'kicked', retryable: false },
    });
    expect([ends, lost, bob.client.getState().status]).toEqual([['ada ended'], [before], 'connected']);
    await bed.until(ada.client.connect());
    await bed.advance(1_000);
    expect(ada.id()).not.toBe(before);
    expect(ada.client.room('hall').getState()).toEqual({ status: 'joined' });
  });

  test('one that is away learns it when it comes back', async () => {
    const bed = openBed(options);
    const { client } = await device(bed, 'ada');
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(1_000);
    await bed.until(bed.server.toUser('ada').end());
    bed.heal(client);
    await bed.advance(120_000);
    expect(client.getState()).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_SESSION_ENDED', reason: 'ended' },
    });
    await bed.until(client.connect());
  });

  test('in its own handler; what it still says is not handled, and the answer of the handler goes nowhere', async () => {
    const bed = openBed({
      ...options,
      setup(server) {
        server.handle('leave', async (_input, { session }) => {
          await session.end('left');
          return 'gone';
        });
      },
    });
    const { client } = await device(bed, 'ada');
    const asked = client.request('leave').catch(({ code }: { code: string }) => code);
    expect(await bed.until(asked)).toBe('ERR_SESSION_LOST');
    expect(client.getState()).toMatchObject({ status: 'failed', error: { reason: 'left' } });
  });
});
