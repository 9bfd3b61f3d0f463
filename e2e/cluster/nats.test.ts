import { createClient } from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NatsServer, natsProgram } from '../../test/nats-server.js';
import { redisProgram } from '../../test/redis-server.js';
import { Crew, pause, row } from './crew.js';
import { type Ground, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

// Three servers over one Redis, with notes on NATS: what was promised holds, whatever becomes of NATS.

const HURRY = { baseMs: 50, capMs: 1_000 };

const ground = async (): Promise<Ground & { readonly bus: NatsServer }> => {
  const bus = await NatsServer.start();
  onTestFinished(() => bus.stop());
  return { ...(await startGround({ bus })), bus };
};

/** What nodes have told of, other than that NATS is away. */
const complaints = ({ history }: Ground) =>
  history().filter(([what, , where, reason]) => {
    if (what === 'error') return where !== 'store' || !String(reason).startsWith('NATS at ');
    return what === 'end' && reason !== 'closed';
  });

describe.skipIf(!redisProgram || !nginxProgram || !natsProgram)('notes on NATS', () => {
  test('which is killed and comes back, and a server is killed: nothing is lost, nothing doubled', async (context) => {
    const around = await ground();
    const { bus, nodes, history } = around;
    const crew = await Crew.start(around, { size: 9, client: { reconnect: HURRY } });
    const talk = crew.talk({ perSecond: 10, seconds: 14 });
    await pause(1_500);
    await bus.stop();
    await pause(3_000);
    const states = await Promise.all(
      nodes.map(async (node) => [await node.page('/health'), await node.page('/ready')]),
    );
    expect(states).toEqual(nodes.map(() => [200, 503]));
    await bus.start();
    await pause(1_500);
    await nodes[0]?.kill();
    await pause(1_500);
    await bus.stop();
    await pause(500);
    await bus.start();
    await nodes[0]?.start();
    await talk;
    await crew.settle();
    context.annotate(row('NATS killed twice, kill -9 of a node', crew));
    const { up, down, room } = crew.verdicts();
    expect(up).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, invented: 0 });
    expect([down, room]).toMatchObject([EXACT, EXACT]);
    expect(crew.troubles.filter((what) => !/^office: store: Error: NATS at /.test(what))).toEqual([]);
    expect(complaints(around)).toEqual([]);
    await expect
      .poll(() => Promise.all(nodes.map((node) => node.page('/ready'))), { timeout: 10_000 })
      .toEqual(nodes.map(() => 200));
    // The first was killed before it could tell that it was well again.
    for (const { name } of nodes.slice(1)) {
      const told = history().filter(([what, node]) => what === 'store' && node === name);
      const states = told.map(([, , state, reason]) => [state, reason].filter(Boolean).join(' '));
      expect([states[0], states.at(-1)]).toEqual(['degraded failing', 'well']);
    }
  });

  test('rooms, presence and sessions are reached at other servers, and a client goes on at another one', async () => {
    const { bus, nodes, redisOptions } = await ground();
    // It has no clients: whatever it says has to come to the others.
    const office = createHoldfastServer({ cluster: redis(redisOptions) });
    office.onError(() => undefined);
    onTestFinished(() => office.close());
    const say = (word: string) => office.to('reef').send('said', word);
    const ports = nodes.map(({ port }) => port);
    const start = async (user: string, first: number) => {
      let dials = first;
      const url = (): string => `ws://127.0.0.1:${ports[dials++ % ports.length]}/realtime`;
      const client = createClient({ url, auth: user, reconnect: HURRY });
      onTestFinished(() => client.close());
      await client.connect();
      const room = client.room('reef');
      const heard: unknown[] = [];
      room.on('said', (word) => void heard.push(word));
      await room.join();
      return { client, room, heard };
    };
    const people = [await start('ada', 0), await start('bob', 1), await start('eve', 2)];
    const [ada, , eve] = people;
    const shown = (...users: string[]) =>
      expect
        .poll(() => people.map(({ room }) => room.members.map(({ userId }) => userId).sort()), {
          timeout: 20_000,
        })
        .toEqual(people.map(() => users));
    await shown('ada', 'bob', 'eve');
    await bus.stop();
    await say('while it is away');
    // Everybody looks for himself, once in a lease.
    await expect
      .poll(() => people.map(({ heard }) => heard), { timeout: 10_000 })
      .toEqual(people.map(() => ['while it is away']));
    await bus.start();
    await nodes[1]?.kill();
    await say('to who comes from elsewhere');
    await shown('ada', 'bob', 'eve');
    const all = ['while it is away', 'to who comes from elsewhere'];
    await expect.poll(() => people.map(({ heard }) => heard)).toEqual([all, all, all]);
    await eve?.room.setPresence('here');
    await expect.poll(() => ada?.room.members.find(({ userId }) => userId === 'eve')?.presence).toBe('here');
    expect((await ada?.client.request('who')) as string[]).toHaveLength(3);
  });
});
