/**
 * A test kit: the real client and the real server on a network in memory, in virtual time. Works in every test
 * runner.
 */
export {
  type Direction,
  type MemoryAnswer,
  MemoryLink,
  type MemoryListener,
  MemoryNetwork,
  type Told,
  type Weather,
} from './memory-network.js';
export { seededRandom } from './seeded-random.js';
export { createTestbed, type Testbed, type TestbedOptions } from './testbed.js';
export { VirtualClock } from './virtual-clock.js';
