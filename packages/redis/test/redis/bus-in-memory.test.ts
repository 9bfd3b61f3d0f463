import { describe } from 'vitest';
import { MemoryBus } from '../../../../test/bus-suite/memory-bus.js';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { redisProgram, redisWith } from './harness.js';

describe.skipIf(!redisProgram)('over a real Redis, with notes on a bus in memory', () => {
  const bus = new MemoryBus();
  const { make } = redisWith(() => bus);
  sessionStoreSuite('RedisStore', make);
});
