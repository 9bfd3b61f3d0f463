import { describe } from 'vitest';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { redisForTests, redisProgram } from './harness.js';

describe.skipIf(!redisProgram)('over a real Redis', () => {
  const { make } = redisForTests();
  sessionStoreSuite('RedisStore', make);
});
