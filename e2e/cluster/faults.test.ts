import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram } from '../../test/redis-server.js';
import { Crew, pause, row, within } from './crew.js';
import { type Ground, type Line, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

// Three processes of a server behind a real nginx and over a real Redis. The nodes write down what they handle, clients what
// they hear, and a judge that knows nothing of the code compares.

const LONG = process.env['HOLDFAST_LONG'] === '1';
const HURRY = { baseMs: 50, capMs: 1_000 };

/** Once each and in order, and nobody was told of any trouble. */
function exact(crew: Crew, ground: Ground): void {
  expect(crew.verdicts().all).toEqual({ messages: expect.any(Number), ...EXACT });
  expect(crew.troubles).toEqual([]);
  expect(complaints(ground)).toEqual([]);
}

/** Errors of servers, and sessions that have ended by anything but their clients. */
function complaints(ground: Ground): Line[] {
  return ground
    .history()
    .filter(([what, , , reason]) => what === 'error' || (what === 'end' && reason !== 'closed'));
}

/** How often a client has come to another node than before. */
function moves(ground: Ground): number {
  const changes = (nodes: readonly string[]) =>
    nodes.filter((node, index) => index > 0 && node !== nodes[index - 1]);
  return [...ground.served().values()].reduce((sum, nodes) => sum + changes(nodes).length, 0);
}

/** Cuts whatever goes through, every half second, until the work is done; how often. */
async function cutDuring(ground: Ground, crewSize: number, seconds: number) {
  const proxy = await createTcpProxy({ target: { port: ground.nginx.port } });
  onTestFinished(() => proxy.close());
  const url = `ws://127.0.0.1:${proxy.port}/realtime`;
  const crew = await Crew.start(ground, { size: crewSize, url, client: { reconnect: HURRY } });
  const talk = crew.talk({ perSecond: 20, seconds });
  let cuts = 0;
  const timer = setInterval(() => {
    cuts += 1;
    void proxy.cut({ how: cuts % 2 === 0 ? 'end' : 'reset', within: 2_000 });
  }, 500);
  onTestFinished(() => clearInterval(timer));
  await talk;
  clearInterval(timer);
  await crew.settle();
  return { crew, cuts };
}

describe.skipIf(!redisProgram || !nginxProgram)('three servers behind nginx, over one Redis', () => {
  test('round robin: cut again and again, each goes on wherever it comes to', async (context) => {
    const ground = await startGround();
    const { crew, cuts } = await cutDuring(ground, 7, LONG ? 60 : 6);
    context.annotate(row(`${cuts} cuts, round robin, ${moves(ground)} moves`, crew));
    exact(crew, ground);
    expect(moves(ground)).toBeGreaterThan(7);
  });

  test('ip_hash: each address has its server, and the next one when that dies', async (context) => {
    const ground = await startGround({ balance: 'ip_hash' });
    const { crew, cuts } = await cutDuring(ground, 4, 3);
    const [home] = new Set([...ground.served().values()].flat());
    expect([moves(ground), cuts > 2]).toEqual([0, true]);
    const talk = crew.talk({ perSecond: 20, seconds: 5 });
    await pause(1_000);
    await ground.nodes.find(({ name }) => name === home)?.kill();
    await talk;
    await crew.settle();
    context.annotate(row('its server dies, ip_hash', crew));
    expect(crew.verdicts().down).toMatchObject(EXACT);
    expect(crew.verdicts().up).toMatchObject({ lost: 0, doubled: 0, invented: 0 });
    expect(crew.troubles).toEqual([]);
    expect(moves(ground)).toBe(4);
  });

  test('kill -9 of one after the other, in the middle of handlers', async (context) => {
    const ground = await startGround();
    const crew = await Crew.start(ground, { size: 12, client: { reconnect: HURRY } });
    const talk = crew.talk({ perSecond: 10, seconds: LONG ? 90 : 15, workEvery: 3 });
    let over: 'talking' | 'over' = 'talking';
    void talk.then(() => {
      over = 'over';
    });
    const isOver = (): boolean => over === 'over';
    let kills = 0;
    while (!isOver()) {
      await pause(1_500);
      const node = ground.nodes[kills % 3];
      if (isOver() || !node) break;
      await node.kill();
      kills += 1;
      await pause(1_000);
      await node.start();
    }
    await talk;
    await crew.settle();
    const { up, down, room } = crew.verdicts();
    context.annotate(row(`kill -9 of ${kills} nodes`, crew));
    expect(crew.troubles).toEqual([]);
    // A handler that was running when its process died may run again, and is told so.
    expect(up).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, invented: 0 });
    expect(down).toMatchObject(EXACT);
    expect(room).toMatchObject(EXACT);
    expect(complaints(ground)).toEqual([]);
    expect([kills > 2, up.redelivered > 0]).toEqual([true, true]);
  });

  test('stopped for a while: the others go on, and it does no harm when it wakes up', async (context) => {
    const ground = await startGround();
    // An attempt that comes to the stopped one hangs until its client gives it up, after 10 s.
    const crew = await Crew.start(ground, { size: 9, client: { reconnect: HURRY } });
    const talk = crew.talk({ perSecond: 10, seconds: LONG ? 60 : 30 });
    await pause(1_000);
    ground.nodes[0]?.signal('SIGSTOP');
    await pause(LONG ? 40_000 : 22_000);
    ground.nodes[0]?.signal('SIGCONT');
    await talk;
    await crew.settle();
    context.annotate(row('a node stopped', crew));
    const { up, down, room } = crew.verdicts();
    expect(crew.troubles).toEqual([]);
    expect(up).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, invented: 0 });
    expect(down).toMatchObject(EXACT);
    expect(room).toMatchObject(EXACT);
    expect(complaints(ground)).toEqual([]);
  });

  test('rolling restart of all three under load', { timeout: 300_000 }, async (context) => {
    const size = LONG ? 50 : 15;
    const ground = await startGround();
    const control = await Crew.start(ground, { size });
    await control.talk({ perSecond: 10, seconds: LONG ? 30 : 4 });
    await control.settle();
    context.annotate(row(`${size} clients, no restart`, control));
    exact(control, ground);
    await control.close();

    const crew = await Crew.start(ground, { size, from: size });
    const talk = crew.talk({ perSecond: 10, seconds: LONG ? 60 : 15 });
    for (const node of ground.nodes) {
      await pause(LONG ? 5_000 : 1_000);
      await within(node.drain(), `${node.name} has drained`);
      await node.start();
    }
    await talk;
    await crew.settle();
    context.annotate(row(`${size} clients, rolling restart, ${moves(ground)} moves`, crew));
    exact(crew, ground);
    expect(crew.statuses).toEqual(['connected']);
    // Who came to one that drains was given to the next before it noticed.
    expect(ground.nginx.upstreams().some((asked) => asked.includes(', '))).toBe(true);
    expect(moves(ground)).toBeGreaterThanOrEqual(size);
  });
});
