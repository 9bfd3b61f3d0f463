import { describe } from 'vitest';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { redisClusterForTests, redisProgram } from './harness.js';

describe.skipIf(!redisProgram)('over a Redis Cluster of three masters', () => {
  const { make } = redisClusterForTests();
  sessionStoreSuite('RedisStore', make);
});
