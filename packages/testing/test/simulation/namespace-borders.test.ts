import { defineContract } from '@holdfast/client';
import { stream } from '@holdfast/client/stream';
import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { backTo, bareServer, itemsOf } from './bare.js';
import { connected, house, inside } from './house.js';
import { endOf, openBed, silent } from './people.js';

// What a client that does as it likes may say in a namespace and about it, and what an application is told.

/** A server with a namespace in which everything is allowed, and a peer that is not in it. */
async function outside() {
  const { clock, server, dial, errors } = bareServer();
  const told: string[] = [];
  const ns = server.namespace('/admin');
  ns.rooms('*', { join: true, publish: true, presence: true });
  ns.on('note', (text, { room }) => void told.push(`note ${text} ${room}`));
  server.on('note', () => void told.push('note outside'));
  ns.handle('who', () => 'me');
  ns.handleStream('count', async function* () {
    yield 1;
  });
  ns.onSession(() => told.push('enters'));
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  let seq = 0;
  /** The answer to one item: what an ERR says, or its type. */
  const say = async (item: readonly unknown[]) => {
    peer.frame([0, ++seq, item]);
    await clock.advance(200);
    const answer = peer.heard.findLast(([type, n]) => (type === 4 || type === 5) && n === seq);
    return answer?.[3] ?? (answer ? 'ok' : 'nothing');
  };
  return { clock, server, ns, told, dial, errors, peer, say };
}

const home = { room: '/admin#' };

describe('a client of its own', () => {
  test('that is not in a namespace may say, ask and join nothing there', async () => {
    const { say, told } = await outside();
    const refused = [
      [2, '/admin#note', 1],
      [2, '/admin#note', 1, { r: '/admin#lobby' }],
      [3, '/admin#who', 1],
      [3, '/admin#count', 1, { q: 1 }],
      [3, '$join', { room: '/admin#lobby' }],
      [2, '/nowhere#note', 1],
      [2, '/#note', 1],
    ];
    for (const item of refused) expect([item, await say(item)]).toEqual([item, 'not-in-namespace']);
    expect(await say([3, '$join', { room: '/#' }])).toBe('join-not-allowed');
    expect(await say([3, '$presence', { ...home, presence: 1 }])).toBe('not-a-member');
    expect(told).toEqual([]);
  });

  test('publishes in the rooms of a namespace only what is of it, and nothing in the namespace itself', async () => {
    const { say, told } = await outside();
    expect(await say([3, '$join', home])).toBe('ok');
    expect(await say([3, '$join', { room: 'lobby' }])).toBe('ok');
    expect(await say([3, '$join', { room: '/admin#lobby' }])).toBe('ok');
    expect(await say([2, '/admin#note', 1, { r: '/admin#' }])).toBe('publish-not-allowed');
    expect(await say([2, 'note', 1, { r: '/admin#lobby' }])).toBe('not-an-event-of-rooms');
    expect(await say([2, '/admin#note', 1, { r: 'lobby' }])).toBe('not-an-event-of-rooms');
    expect(await say([3, '$presence', { ...home, presence: 1 }])).toBe('no-presence');
    // Joined once more is not entered once more.
    expect(await say([3, '$join', home])).toBe('ok');
    expect(told).toEqual(['enters']);
  });

  test('is in a namespace that it joins in the same frame, before what follows is looked at', async () => {
    const { clock, ns, peer, told } = await outside();
    ns.use(() => new Promise<void>((resolve) => void clock.setTimer(resolve, 100)));
    const ask = [3, '/admin#who', 1];
    peer.frame([0, 1, [3, '$join', home], [2, '/admin#note', 'in time'], ask, [3, '$leave', home], ask]);
    await clock.advance(1_000);
    expect(told).toEqual(['enters', 'note in time undefined']);
    expect(itemsOf(peer, 4)).toContainEqual([4, 3, 'me']);
    expect(itemsOf(peer, 5)).toEqual([[5, 5, 'ERR_REJECTED', 'not-in-namespace']]);
  });

  test('that names a namespace where it says how far it has come is in it no more than before', async () => {
    const { clock, peer, server, ns, say, dial } = await outside();
    await say([3, '$join', { room: 'lobby' }]);
    const next = dial();
    next.hello(backTo(peer, 2, { x: 1, y: 1 }));
    next.say([
      15,
      [
        ['/admin#', 'e', 0],
        ['/admin#lobby', 'e', 0],
      ],
    ]);
    await clock.until(ns.toAll().send('word', 'secret'));
    await clock.advance(100);
    expect(itemsOf(next, 6).filter(([, , , name]) => name !== '$members')).toEqual([]);
    expect(itemsOf(next, 15).flatMap(([, rooms]) => rooms)).toContainEqual(['/admin#', '', 0, 0]);
    expect(await clock.until(server.toAll().sessions())).toMatchObject([{ rooms: ['lobby'] }]);
  });
});

test('what fails in middleware when a client comes back is told to the application, and a refusal is not', async () => {
  const errors: unknown[] = [];
  const { bed } = house((server) => {
    server.onError((error, { name }) => errors.push([name, (error as Error).message]));
    const fails =
      (error: Error) =>
      (_session: unknown, { resumed }: { resumed: boolean }) => {
        if (resumed) throw error;
      };
    server.namespace('/broken').use(fails(new Error('broken')));
    server.namespace('/closed').use(fails(new RejectError('closed')));
  });
  const { client } = await connected(bed, 'ada');
  const both = [client.namespace('/broken'), client.namespace('/closed')];
  for (const ns of both) await bed.until(ns.join());
  bed.cut(client);
  await bed.advance(5_000);
  expect(both.map((ns) => ns.getState().status)).toEqual(['left', 'left']);
  expect(errors).toEqual([['/broken#', 'broken']]);
});

test('rooms are named as the namespace calls them: by volatile events, in middleware, to move and to leave out', async () => {
  const seen: unknown[] = [];
  const { bed, admins } = house((server) => {
    server.namespace('/admin').useMessages((_message, session) => void seen.push([...session.rooms]));
  });
  const ada = await inside(bed, 'ada admin');
  const bob = await inside(bed, 'bob admin');
  const heard: unknown[] = [];
  bob.ns.room('lobby').on('note', (text, { room }) => heard.push([text, room]));
  bob.ns.on('word', (text) => heard.push(text));
  await bed.until(admins().toAll().join('lobby'));
  await bed.advance(100);
  expect(bob.ns.room('lobby').getState().status).toBe('joined');
  ada.ns.room('lobby').send('note', 'now', { delivery: 'volatile' });
  await bed.advance(100);
  expect(heard).toEqual([['now', 'lobby']]);
  expect(seen).toEqual([['lobby']]);
  await bed.until(admins().toUser('ada').leave('lobby'));
  expect(await bed.until(admins().toAll().except('lobby').sessions())).toMatchObject([
    { user: { id: 'ada' } },
  ]);
  await bed.until(admins().toUser('bob').except('lobby').send('word', 'not for bob'));
  await bed.advance(100);
  expect(heard).toHaveLength(1);
});

test('leave() without a connection is seen at once in the rooms, too', async () => {
  const { bed } = house();
  const { client, ns } = await inside(bed, 'ada admin');
  await bed.until(ns.room('lobby').join());
  bed.cut(client);
  await bed.until(ns.leave());
  expect([ns, ns.room('lobby')].map((one) => one.getState().status)).toEqual(['left', 'left']);
});

test('a contract counts in its namespace for whatever it names, and for nothing outside', async () => {
  const admin = defineContract({
    serverEvents: { word: z.string() },
    serverRequests: { confirm: { input: z.string(), output: z.boolean() } },
    streams: { count: { input: z.number(), output: z.number() } },
    requests: { ask: { input: z.null(), output: z.null() } },
    presence: z.object({ busy: z.boolean() }),
  });
  const results: unknown[] = [];
  const bed = openBed({
    logger: silent,
    setup(server) {
      const ns = server.namespace('/admin', admin);
      ns.rooms('*', { join: true, presence: true });
      ns.handleStream('count', async function* (n) {
        yield n;
      });
      ns.handle('ask', async (_input, { session }) => {
        // @ts-expect-error not what the contract says
        results.push(await session.send('word', 7).then(undefined, ({ code }) => code));
        results.push(await session.request('confirm', 'sure?').then(undefined, ({ code }) => code));
        return null;
      });
    },
  });
  const client = bed.createClient({ logger: silent });
  await bed.until(client.connect());
  const ns = client.namespace('/admin', admin);
  await bed.until(ns.join());
  // @ts-expect-error not what the contract says
  ns.handle('confirm', () => 'yes');
  await bed.until(ns.request('ask', null));
  expect(results).toEqual(['ERR_INVALID_PAYLOAD', 'ERR_HANDLER_FAILED']);
  // @ts-expect-error not in the contract
  expect(() => stream(ns, 'other', 1)).toThrow("stream('other'): the contract has no such stream");
  expect((await bed.until(stream(ns, 'count', 4).next())).value).toBe(4);
  // @ts-expect-error not what the contract says
  const wrong = endOf(stream(ns, 'count', 'four').next());
  const room = ns.room('lobby');
  await bed.until(room.join());
  // @ts-expect-error not what the contract says
  const presence = endOf(room.setPresence({ busy: 1 }));
  // One that has no contract is checked by the server.
  const plain = bed.createClient({ logger: silent });
  await bed.until(plain.connect());
  await bed.until(plain.namespace('/admin').join());
  await bed.until(plain.namespace('/admin').room('lobby').join());
  const theirs = endOf(plain.namespace('/admin').room('lobby').setPresence({ busy: 1 }));
  await bed.advance(500);
  expect([wrong.end, presence.end, theirs.end]).toEqual([
    'ERR_INVALID_PAYLOAD unsent',
    'ERR_INVALID_PAYLOAD unsent',
    'ERR_INVALID_PAYLOAD rejected',
  ]);
});
