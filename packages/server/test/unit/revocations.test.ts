import { expect, test } from 'vitest';
import { Revocations } from '../../src/gateway/revocations.js';

test('what has had its time is forgotten, also if it is never asked about', () => {
  let now = 0;
  const clock = { now: () => now, setTimer: () => () => undefined, defer: () => undefined };
  const revocations = new Revocations({
    clock,
    sessions: new Map(),
    tellNow: () => undefined,
    end: () => undefined,
  });
  for (now = 0; now < 100_000; now += 100) {
    revocations.revoke({ tokenId: `token-${now}`, expiresAt: now + 1_000 });
    revocations.revoke({ userId: `user-${now}`, expiresAt: now + 1_000 });
  }
  expect(revocations.size).toBeLessThan(50);
});

test('a second revocation does not shorten the first', () => {
  const now = 5;
  const clock = { now: () => now, setTimer: () => () => undefined, defer: () => undefined };
  const revocations = new Revocations({
    clock,
    sessions: new Map(),
    tellNow: () => undefined,
    end: () => undefined,
  });
  for (const expiresAt of [100, 4]) revocations.revoke({ tokenId: 't', expiresAt });
  for (const expiresAt of [100, 4]) revocations.revoke({ userId: 'u', expiresAt });
  const never = Infinity;
  expect(revocations.includes({ user: { id: 'x' }, expiresAt: never, tokenId: 't' })).toBe(true);
  expect(revocations.includes({ user: { id: 'u' }, expiresAt: never })).toBe(true);
  expect(revocations.includes({ user: { id: 'x' }, expiresAt: never, tokenId: 'u' })).toBe(false);
});
