import { describe, expect, onTestFinished, test } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../test/redis-cluster.js';
import { redisProgram } from '../../test/redis-server.js';
import { Chatter } from './chatter.js';
import { Crew, pause, ROOM, row, within } from './crew.js';
import { type Ground, type GroundOptions, type Line, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

// Three servers over a Redis Cluster one of whose masters is in trouble, while their clients talk all the time.

const LONG = process.env['HOLDFAST_LONG'] === '1';
const HURRY = { baseMs: 50, capMs: 1_000 };
const [MASTERS, SLOTS] = [3, 16_384];

interface Scene {
  readonly cluster: RedisCluster;
  readonly ground: Ground;
  readonly crew: Crew;
  readonly chatter: Chatter;
  /** The master on which the room is. */
  readonly place: number;
  /** Names of those whose sessions are there, too, before and now. */
  readonly there: ReadonlySet<string>;
}

async function startCluster(): Promise<RedisCluster> {
  const cluster = await startRedisCluster(MASTERS);
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** Which of the masters has this key. */
async function placeOf({ masters }: RedisCluster, key: string): Promise<number> {
  const slot = Number(await masters[0]?.admin.call('CLUSTER', 'KEYSLOT', key));
  return Math.floor((slot * MASTERS) / SLOTS);
}

const sessionOf = ({ client }: Crew['members'][number]): string => {
  const state = client.getState();
  return state.status === 'connected' ? state.sessionId : '';
};

/** A crew that talks for so long, with the master of its room in trouble meanwhile. */
async function during(
  seconds: number,
  trouble: (scene: Scene) => Promise<void>,
  options: Pick<GroundOptions, 'commandTimeoutMs'> = {},
): Promise<Scene> {
  const cluster = await startCluster();
  const ground = await startGround({ over: { nodes: cluster.urls.slice(0, MASTERS) }, ...options });
  const crew = await Crew.start(ground, { size: 9, from: 9, client: { reconnect: HURRY }, loss: 'told' });
  const chatter = new Chatter(crew);
  const place = await placeOf(cluster, `holdfast:{room:${ROOM}}`);
  const there = new Set<string>();
  for (const member of crew.members) {
    const word = sessionOf(member).split('.')[0];
    if ((await placeOf(cluster, `holdfast:{${word}}`)) === place) there.add(member.name);
  }
  const scene = { cluster, ground, crew, chatter, place, there };
  const talk = crew.talk({ perSecond: 10, seconds });
  const chat = chatter.talk({ perSecond: 4, seconds });
  await pause(1_000);
  await trouble(scene);
  await Promise.all([talk, chat]);
  await crew.settle();
  await chatter.settle();
  return scene;
}

function masterOf({ cluster, place }: Scene): RedisCluster['masters'][number] {
  const master = cluster.masters[place];
  if (!master) throw new Error(`there is no master ${place}`);
  return master;
}

const takenOver = ({ cluster, place }: Scene): Promise<void> =>
  within(
    until(() => hasRole(cluster.replicas[place], 'master')),
    'the replica has taken over',
  );

const isDemoted = (scene: Scene): Promise<void> =>
  within(
    until(() => hasRole(masterOf(scene), 'slave')),
    'it has heard that it is no master any more',
  );

async function hasRole(node: RedisCluster['masters'][number] | undefined, role: string): Promise<boolean> {
  return (await node?.admin.info('replication'))?.includes(`role:${role}`) === true;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50);
}

/** Servers complain of the store, of publications that are unknown, and of nothing else. */
const complaints = ({ history }: Ground): Line[] =>
  history().filter(
    ([what, , where, reason]) =>
      (what === 'error' && where !== 'store' && !/lost its last writes/.test(String(reason))) ||
      (what === 'end' && reason !== 'expired'),
  );

/** What was not told to be unknown came once; what was, came once at most. Only who was there has lost a session, and one. */
function isTold({ crew, chatter, ground, there }: Scene): void {
  const { up, down, room } = crew.verdicts();
  expect({ ...up, redelivered: 0 }).toMatchObject(EXACT);
  expect([down, room, chatter.verdict()]).toMatchObject([EXACT, EXACT, EXACT]);
  const all = [crew.verdicts('all').all, chatter.verdict('all')];
  expect(all.map(({ doubled, invented }) => [doubled, invented])).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(crew.troubles.filter((what) => !/^office: store: /.test(what))).toEqual([]);
  expect(chatter.troubles).toEqual([]);
  expect(complaints(ground)).toEqual([]);
  const losses = crew.members.map(({ name, losses }) => [name, losses]);
  expect(losses).toEqual(crew.members.map(({ name }) => [name, there.has(name) ? 1 : 0]));
  expect([there.size > 0, there.size < crew.members.length]).toEqual([true, true]);
  // The room stood there, too: all its members know that something may be missing.
  expect(chatter.told().holes).toBeGreaterThanOrEqual(crew.members.length);
}

describe.skipIf(!redisProgram || !nginxProgram)('over a Redis Cluster', () => {
  test('a master is killed and its replica takes over: its clients are told, the others go on', async (context) => {
    const scene = await during(LONG ? 60 : 6, async (scene) => {
      await masterOf(scene).server.stop();
      await takenOver(scene);
    });
    context.annotate(row('a master killed', scene.crew));
    isTold(scene);
  });

  test('a master hangs until its replica has taken over, and does what it was asked when it wakes up: that counts for nothing', async (context) => {
    const scene = await during(LONG ? 60 : 6, async (scene) => {
      const { process } = masterOf(scene).server;
      process.kill('SIGSTOP');
      await takenOver(scene);
      process.kill('SIGCONT');
      await isDemoted(scene);
    });
    context.annotate(row('a master hung', scene.crew));
    isTold(scene);
  });

  test('a master hangs for longer than servers wait: all have gone on at the replica when it wakes up', async (context) => {
    const scene = await during(
      LONG ? 60 : 8,
      async (scene) => {
        const { process } = masterOf(scene).server;
        process.kill('SIGSTOP');
        const isOver = (): boolean =>
          scene.crew.members.every(({ name, losses }) => losses > 0 || !scene.there.has(name));
        await within(until(isOver), 'all of its clients have a new session');
        process.kill('SIGCONT');
        await isDemoted(scene);
      },
      { commandTimeoutMs: 1_000 },
    );
    context.annotate(row('a master hung for longer than servers wait', scene.crew));
    isTold(scene);
  });
});
