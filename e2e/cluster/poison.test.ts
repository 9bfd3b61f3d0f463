import { createClient } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram } from '../../test/redis-server.js';
import { Crew, pause, row, within } from './crew.js';
import { type Ground, startGround } from './ground.js';
import { EXACT } from './histories.js';
import { nginxProgram } from './nginx.js';

const LEASE_MS = 1_000;
const HURRY = { baseMs: 50, capMs: 1_000 };

/** Starts each node again that ends, until the test is over. */
function supervise(ground: Ground): { stop(): void } {
  let stage: 'watching' | 'over' = 'watching';
  const isOver = (): boolean => stage === 'over';
  for (const node of ground.nodes) {
    void (async () => {
      for (;;) {
        await node.ended;
        await pause(200);
        if (isOver()) return;
        await node.start();
      }
    })();
  }
  const stop = (): void => {
    stage = 'over';
  };
  onTestFinished(stop);
  return { stop };
}

describe.skipIf(!redisProgram || !nginxProgram)(
  'a message that ends the process of whoever handles it',
  () => {
    test('is set aside after three deaths; its sender is told, and everybody else goes on', async (context) => {
      const ground = await startGround({ leaseMs: LEASE_MS });
      const crew = await Crew.start(ground, { size: 9, client: { reconnect: HURRY } });
      const supervisor = supervise(ground);
      const talk = crew.talk({ perSecond: 10, seconds: 12 });
      for (const how of ['exit', 'kill']) {
        const client = createClient({ url: ground.url, auth: `poisoner-${how}`, reconnect: HURRY });
        onTestFinished(() => client.close());
        await client.connect();
        const before = client.send('note', 1);
        // Perhaps it counts as accepted before: the word for what comes of it then is this one.
        const told = new Promise((resolve) => {
          client.onUndelivered(({ event, payload }, { code }) => resolve([event, payload, code]));
        });
        client.send('fatal', how).catch(() => undefined);
        const after = client.send('note', 2);
        expect(await within(told, `${how}: its sender is told`)).toEqual([
          'fatal',
          how,
          'ERR_HANDLER_FAILED',
        ]);
        // What stands before and behind it in its own session, too.
        await within(Promise.all([before, after]), `${how}: its session goes on`);
      }
      await talk;
      await crew.settle();
      supervisor.stop();

      const { up, down, room } = crew.verdicts();
      context.annotate(row('poison: six deaths', crew));
      expect(up).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, invented: 0 });
      expect(down).toMatchObject(EXACT);
      expect(room).toMatchObject(EXACT);
      expect(crew.troubles).toEqual([]);
      const history = ground.history();
      for (const how of ['exit', 'kill']) {
        const deaths = history.filter(([what, , , which]) => what === 'fatal' && which === how);
        expect(deaths.map(([, , , , redelivered]) => redelivered)).toEqual([false, true, true]);
        const notes = history.filter(([what, , user]) => what === 'handled' && user === `poisoner-${how}`);
        expect(new Set(notes.map(([, , , n]) => n))).toEqual(new Set([1, 2]));
      }
      const told = history.filter(([what]) => what === 'error').map(([, , where, text]) => [where, text]);
      expect(told).toEqual(
        ['exit', 'kill'].map(() => ['fatal', expect.stringContaining("'fatal' is set aside: 3 times")]),
      );
    });
  },
);
