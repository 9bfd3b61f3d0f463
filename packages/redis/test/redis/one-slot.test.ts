import { describe } from 'vitest';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { redisForTests, redisProgram } from './harness.js';

// A Redis that is a whole cluster by itself refuses what a node of a larger one would: a script that touches keys of
// several slots.
describe.skipIf(!redisProgram)('over a Redis Cluster', () => {
  const { make } = redisForTests('--cluster-enabled', 'yes');
  sessionStoreSuite('RedisStore', make);
});
