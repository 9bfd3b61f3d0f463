import { describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram } from '../../test/redis-server.js';
import { Crew, pause, row } from './crew.js';
import { type Ground, type GroundOptions, type Line, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';
import type { RedisPlace } from './redis-place.js';

// What becomes of three servers and their clients, which talk all the time, when it is Redis that is in trouble.

const LONG = process.env['HOLDFAST_LONG'] === '1';
const HURRY = { baseMs: 50, capMs: 1_000 };
const MB = 1_048_576;
/** More than what a node takes up by itself while it works; what piles up for each message would be more in no time. */
const MAY_GROW_MB = 40;

interface Scene {
  readonly ground: Ground;
  readonly place: RedisPlace;
  readonly crew: Crew;
}

/** A crew that talks for so long, with Redis in trouble meanwhile; everybody has what is promised when it is over. */
async function during(
  seconds: number,
  options: GroundOptions & { readonly trouble: 'node' | 'disk' },
  trouble: (scene: Scene) => Promise<void>,
): Promise<Scene> {
  const ground = await startGround({ commandTimeoutMs: 1_500, ...options });
  const { place } = ground;
  if (!place) throw new Error('there is no place for a Redis in trouble');
  // What waits for Redis at the one that sends to all of them must not come to its bound of 5,000.
  const size = LONG ? 6 : 9;
  const loss = options.trouble === 'node' ? { loss: 'told' as const } : {};
  const crew = await Crew.start(ground, { size, client: { reconnect: HURRY }, ...loss });
  const scene = { ground, place, crew };
  const watch = memoryOf(ground);
  const talk = crew.talk({ perSecond: 20, seconds });
  await pause(1_000);
  await trouble(scene);
  await talk;
  await crew.settle();
  const grown = await watch();
  expect(grown.filter((mb) => mb > MAY_GROW_MB)).toEqual([]);
  return scene;
}

/** By how much each node has grown at most, in MB, until it is asked. It has an answer only from nodes that live. */
function memoryOf(ground: Ground): () => Promise<readonly number[]> {
  const heaps = ground.nodes.map((): number[] => []);
  const look = async (): Promise<void> => {
    const states = await Promise.all(ground.nodes.map((node) => node.state()));
    for (const [index, { heap }] of states.entries()) heaps[index]?.push(heap);
  };
  const failures: unknown[] = [];
  const timer = setInterval(() => void look().catch((error: unknown) => failures.push(error)), 500);
  onTestFinished(() => clearInterval(timer));
  return async () => {
    clearInterval(timer);
    await look();
    expect(failures).toEqual([]);
    return heaps.map((all) => Math.round((Math.max(...all) - (all[0] ?? 0)) / MB));
  };
}

/** Errors that servers have told of, other than that the store is away, and sessions that ended by themselves. */
function complaints(ground: Ground, { isLost }: { readonly isLost: boolean }): Line[] {
  return ground.history().filter(([what, , where, reason]) => {
    if (what === 'error') return where !== 'store';
    return what === 'end' && reason !== 'closed' && !isLost;
  });
}

const storeErrors = (ground: Ground): number =>
  ground.history().filter(([what, , where]) => what === 'error' && where === 'store').length;

/** What each node says of itself: is it alive, may newcomers be sent to it, and does its store do what it should. */
const pagesOf = ({ nodes }: Ground) =>
  Promise.all(
    nodes.map(async (node) => {
      const { stats } = await node.state();
      return [await node.page('/health'), await node.page('/ready'), stats.degraded];
    }),
  );

/** What each node has told of its store, in order. */
const tellings = (ground: Ground): string[][] =>
  ground.nodes.map(({ name }) =>
    ground
      .history()
      .filter(([what, node]) => what === 'store' && node === name)
      .map(([, , state, reason]) => [state, reason].filter(Boolean).join(' ')),
  );

function goesOn({ ground, crew }: Scene): void {
  const { up, down, room } = crew.verdicts();
  expect({ ...up, redelivered: 0 }).toMatchObject(EXACT);
  expect(down).toMatchObject(EXACT);
  expect(room).toMatchObject(EXACT);
  expect(crew.troubles.filter((what) => !/^office: store: /.test(what))).toEqual([]);
  expect(crew.told()).toEqual({ losses: 0, up: 0, down: 0 });
  expect(complaints(ground, { isLost: false })).toEqual([]);
}

function isTold({ ground, crew }: Scene): void {
  const { up, down, room } = crew.verdicts();
  expect({ ...up, redelivered: 0 }).toMatchObject(EXACT);
  expect(down).toMatchObject(EXACT);
  expect(room).toMatchObject(EXACT);
  expect(crew.troubles.filter((what) => !/^office: store: /.test(what))).toEqual([]);
  expect(crew.told().losses).toBeGreaterThanOrEqual(crew.members.length);
  expect(complaints(ground, { isLost: true })).toEqual([]);
}

describe.skipIf(!redisProgram || !nginxProgram)('Redis in trouble', () => {
  test('class disk: stopped, killed, and started again', async (context) => {
    const scene = await during(LONG ? 60 : 9, { trouble: 'disk' }, async ({ place }) => {
      await place.stop('SIGTERM');
      await pause(1_500);
      await place.startAgain();
      await pause(2_000);
      await place.stop('SIGKILL');
      await pause(1_500);
      await place.startAgain();
    });
    context.annotate(row(`disk: SIGTERM, kill -9, ${storeErrors(scene.ground)} store errors`, scene.crew));
    goesOn(scene);
  });

  test('slow, then stopped: it goes on', { timeout: 300_000 }, async (context) => {
    const pauseMs = LONG ? 20_000 : 4_000;
    const scene = await during(LONG ? 60 : 11, { trouble: 'node' }, async ({ place, ground }) => {
      place.slow(1_000);
      await pause(LONG ? 10_000 : 3_000);
      place.slow(0);
      await pause(1_000);
      place.signal('SIGSTOP');
      await pause(pauseMs);
      // Alive, and nobody to send newcomers to.
      expect(await pagesOf(ground)).toEqual(ground.nodes.map(() => [200, 503, true]));
      place.signal('SIGCONT');
    });
    await expect
      .poll(() => pagesOf(scene.ground), { timeout: 10_000 })
      .toEqual(scene.ground.nodes.map(() => [200, 200, false]));
    // Once for each change, whatever has failed meanwhile.
    for (const told of tellings(scene.ground)) {
      expect(told.slice(0, 2)).toEqual(['degraded slow', 'well']);
      expect(told.length).toBeLessThanOrEqual(4);
    }
    expect(storeErrors(scene.ground)).toBeLessThanOrEqual(2 * scene.ground.nodes.length);
    context.annotate(
      row(`slow, paused for ${pauseMs} ms, ${storeErrors(scene.ground)} store errors`, scene.crew),
    );
    goesOn(scene);
  });

  test('class node: begins anew, then is emptied: clients are told', async (context) => {
    const scene = await during(LONG ? 60 : 8, { trouble: 'node' }, async ({ place }) => {
      await place.stop('SIGKILL');
      await pause(1_500);
      await place.startAgain();
      await pause(2_000);
      await place.flush();
    });
    context.annotate(row(`node: kill -9, FLUSHALL, ${storeErrors(scene.ground)} store errors`, scene.crew));
    isTold(scene);
  });

  test('class node: a replica without the last writes takes over: clients are told', async (context) => {
    const scene = await during(LONG ? 60 : 7, { trouble: 'node' }, async ({ place }) => {
      await place.startReplica();
      await pause(1_000);
      await place.part();
      await pause(700);
      await place.failOver();
    });
    context.annotate(row(`node: failed over, ${storeErrors(scene.ground)} store errors`, scene.crew));
    isTold(scene);
  });
});
