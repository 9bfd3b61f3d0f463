import { describe, expect, test } from 'vitest';
import { Talk } from '../../../../test/session-store/harness.js';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { redisForTests, redisProgram } from './harness.js';

// A Redis that is a whole cluster by itself refuses what a node of a larger one would: a script that touches keys of
// several slots.
describe.skipIf(!redisProgram)('over a Redis Cluster', () => {
  const { make } = redisForTests('--cluster-enabled', 'yes');
  sessionStoreSuite('RedisStore', make);

  test('ids that clients make up break nothing', async () => {
    const { store } = await make();
    for (const sid of ['', '.', '}', '{', '{}.x', 'a}b.{c}', 'ü.\n', 'x'.repeat(8_000)]) {
      expect(await new Talk(store, sid).attach({ key: 'some' })).toEqual({ status: 'lost' });
      expect(await store.find({ sids: [sid] })).toEqual([]);
    }
  });
});
