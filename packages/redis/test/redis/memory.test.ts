import { describe, expect, test } from 'vitest';
import { begin } from '../../../../test/session-store/harness.js';
import { redisForTests, redisProgram } from './harness.js';

// The figures of the package's README, a fifth of room for another Redis.

describe.skipIf(!redisProgram)('what a session takes in Redis', () => {
  const { make, admin } = redisForTests();
  const node = 'n'.repeat(22);
  const data = '[2,"message",{"text":"hello"},{"i":"0123456789012345678901","t":1700000000000}]';
  const setUp = async (user = { id: 'user-1234567890' }) => {
    const { store, prefix } = await make();
    const talk = await begin(store, 'AbCdEf12.0123456789abcdef012345', {
      user,
      newKey: 'x'.repeat(43),
      node,
    });
    const bytes = async (): Promise<number> => {
      const keys = await admin().keys(`${prefix}*`);
      const each = keys.map(async (key) =>
        Number(await admin().call('MEMORY', 'USAGE', key, 'SAMPLES', '0')),
      );
      return (await Promise.all(each)).reduce((sum, one) => sum + one, 0);
    };
    return { store, talk, bytes };
  };

  test('is less than a kilobyte, more with its first message and with what is said of it', async () => {
    const { talk, store, bytes } = await setUp();
    expect(await bytes()).toBeLessThan(1.2 * 776);
    await talk.append(data, { writer: node });
    await talk.read();
    await talk.accept([], 1);
    expect(await bytes()).toBeLessThan(1.2 * 992);
    await store.describe({ sid: talk.sid, data: JSON.stringify({ about: 'x'.repeat(100) }) });
    expect(await bytes()).toBeLessThan(1.2 * 2_368);
  });

  test('grows by some 225 bytes for each message that waits or is not acknowledged, and shrinks again', async () => {
    const { talk, bytes } = await setUp();
    await talk.append(data, { writer: node });
    const before = await bytes();
    for (let n = 0; n < 200; n++) await talk.append(data, { writer: node });
    expect((await bytes()) - before).toBeLessThan(1.2 * 200 * 225);
    await talk.read();
    expect((await bytes()) - before).toBeLessThan(1.2 * 200 * 227);
    await talk.accept([], 201);
    expect(await bytes()).toBeLessThan(before);
  });

  test('of one that has ended is its tombstone', async () => {
    const { talk, store, bytes } = await setUp();
    await talk.append(data, { writer: node });
    await store.end({ sid: talk.sid, why: 'ended' });
    // And its entry among all sessions, until somebody looks for idle ones.
    expect(await bytes()).toBeLessThan(1.2 * (424 + 136));
  });
});
