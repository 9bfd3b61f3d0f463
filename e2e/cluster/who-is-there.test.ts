import { createClient, type HoldfastClient } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram } from '../../test/redis-server.js';
import { within } from './crew.js';
import { startGround } from './ground.js';
import { nginxProgram } from './nginx.js';

/** A server that waited for another one would wait for its own deadlines, of 5 s and more. */
const AT_ONCE_MS = 2_000;

describe.skipIf(!redisProgram || !nginxProgram)('who is there', () => {
  test('is said at once, also of those whose server stands still or is dead: nobody asks it', async () => {
    const ground = await startGround();
    const clients = new Map<string, HoldfastClient>();
    for (const { name, port } of ground.nodes) {
      const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, auth: `of ${name}` });
      onTestFinished(() => client.close());
      await within(client.connect(), `${name} has its client`);
      clients.set(name, client);
    }
    const [stopped, killed, third] = ground.nodes;
    const asker = clients.get(third?.name ?? '');
    const who = async (): Promise<unknown[]> => {
      const asked = asker?.request('who') ?? Promise.reject(new Error('nobody to ask'));
      return ((await within(asked, 'it is said', AT_ONCE_MS)) as unknown[]).sort();
    };
    expect(await who()).toEqual(['of node-1', 'of node-2', 'of node-3']);
    stopped?.signal('SIGSTOP');
    await killed?.kill();
    for (let time = 0; time < 3; time++) {
      expect(await who()).toEqual(['of node-1', 'of node-2', 'of node-3']);
    }
    stopped?.signal('SIGCONT');
  });
});
