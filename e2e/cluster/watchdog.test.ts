import { createClient } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram } from '../../test/redis-server.js';
import { Crew, pause, row, within } from './crew.js';
import { type Ground, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

const HURRY = { baseMs: 50, capMs: 1_000 };

/** How long newcomers take until they are connected, ms: one every 250 ms, for so long. */
async function newcomers({ url }: Ground, seconds: number): Promise<number[]> {
  const waits: Promise<number>[] = [];
  for (let n = 0; n < 4 * seconds; n++) {
    const client = createClient({ url, auth: `newcomer-${n}`, reconnect: HURRY });
    onTestFinished(() => client.close());
    const since = performance.now();
    waits.push(client.connect().then(() => Math.round(performance.now() - since)));
    await pause(250);
  }
  return within(Promise.all(waits), 'all newcomers are connected');
}

describe.skipIf(!redisProgram || !nginxProgram)('a server that hangs', () => {
  test('is ended by its watchdog, and started again: nobody waits for it', async (context) => {
    const ground = await startGround({ watched: 'watched' });
    const crew = await Crew.start(ground, { size: 9, client: { reconnect: HURRY } });
    const talk = crew.talk({ perSecond: 10, seconds: 12 });
    await pause(1_000);
    const [node] = ground.nodes;
    node?.stopServer();
    const again = node?.ended.then(() => node.start());
    const waits = await newcomers(ground, 10);
    await within(Promise.resolve(again), 'it is started again');
    await talk;
    await crew.settle();
    const late = waits.filter((ms) => ms > 1_000);
    const mean = Math.round(waits.reduce((sum, ms) => sum + ms, 0) / waits.length);
    const longest = Math.max(...waits);
    context.annotate(
      `${waits.length} newcomers, ${late.length} of them later than 1 s: mean ${mean}, longest ${longest} ms`,
    );
    context.annotate(row('a node stopped, with a watchdog', crew));
    const { up, down, room } = crew.verdicts();
    expect(crew.troubles).toEqual([]);
    expect(up).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, invented: 0 });
    expect(down).toMatchObject(EXACT);
    expect(room).toMatchObject(EXACT);
    // Who came when it was started again has found nothing amiss.
    expect(Math.max(...waits.slice(-10))).toBeLessThan(2_000);
    expect(longest).toBeLessThan(9_000);
  });
});
