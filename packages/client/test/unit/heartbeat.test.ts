import { describe, expect, test } from 'vitest';
import {
  ask,
  type Heartbeat,
  heard,
  heartbeatDueAt,
  heartbeatNeed,
  patience,
  pinged,
  ponged,
  startHeartbeat,
} from '../../src/core/heartbeat.js';

const start = (settings: Partial<Heartbeat> = {}): Heartbeat =>
  startHeartbeat({ intervalMs: 20_000, timeoutMs: 5_000, maxMissed: 1, ...settings }, 0);

describe('an idle link', () => {
  test('is asked after 1.25 intervals of silence, and given up 5 s later: within 33 s of the last sign', () => {
    const silent = start();
    expect(heartbeatDueAt(silent, undefined)).toBe(25_000);
    expect(heartbeatNeed(silent, 24_999, undefined)).toBe('nothing');
    expect(heartbeatNeed(silent, 25_000, undefined)).toBe('ping');
    const asked = pinged(silent, 25_000, 'silence');
    expect(heartbeatNeed(asked, 29_999, undefined)).toBe('nothing');
    expect(heartbeatNeed(asked, 30_000, undefined)).toBe('give-up');
  });

  test('lives by any frame, not only by a pong', () => {
    const asked = pinged(start(), 25_000, 'silence');
    const alive = heard(asked, 29_000);
    expect(heartbeatNeed(alive, 30_000, undefined)).toBe('nothing');
    expect(heartbeatDueAt(alive, undefined)).toBe(54_000);
  });

  test('may miss as many pings as it is allowed to', () => {
    let heartbeat = pinged(start({ maxMissed: 3 }), 0, 'silence');
    expect(heartbeatNeed(heartbeat, 5_000, undefined)).toBe('ping');
    heartbeat = pinged(heartbeat, 5_000, 'silence');
    expect(heartbeatNeed(heartbeat, 10_000, undefined)).toBe('ping');
    heartbeat = pinged(heartbeat, 10_000, 'silence');
    expect(heartbeatNeed(heartbeat, 15_000, undefined)).toBe('give-up');
    expect(heartbeatNeed(heard(heartbeat, 14_000), 15_000, undefined)).toBe('nothing');
  });
});

describe('a link that owes an ack', () => {
  test('is asked after 2 s, and given up within 8', () => {
    const silent = start();
    expect(heartbeatDueAt(silent, 1_000)).toBe(3_000);
    expect(heartbeatNeed(silent, 3_000, 1_000)).toBe('ping');
    expect(heartbeatNeed(pinged(silent, 3_000, 'silence'), 8_000, 1_000)).toBe('give-up');
  });

  test('gets four round trips where those are longer; what comes down says nothing of the way up, a pong does', () => {
    const slow = ponged(pinged(start(), 0, 'silence'), 1_500);
    expect(patience(slow)).toBe(6_000);
    expect(heartbeatDueAt(heard(slow, 1_500), 1_500)).toBe(7_500);
    expect(heartbeatDueAt(heard(slow, 4_000), 1_500)).toBe(7_500);
    const asked = ask(slow, 7_500, 1_500);
    expect(heartbeatNeed(heard(asked, 12_000), 12_500, 1_500)).toBe('give-up');
    expect(heartbeatNeed(ponged(asked, 12_000), 12_500, 1_500)).toBe('nothing');
  });
});

test('a timer that comes late proves nothing: once more is asked, and then no more', () => {
  const asked = pinged(start(), 25_000, 'silence');
  expect(heartbeatNeed(asked, 32_001, undefined)).toBe('ping');
  const again = pinged(asked, 90_000, 'silence');
  expect(heartbeatNeed(again, 95_000, undefined)).toBe('give-up');
  expect(heartbeatNeed(again, 200_000, undefined)).toBe('give-up');
});

test('the round-trip time is that of the last ping; a pong that nobody asked for tells nothing', () => {
  expect(ponged(start(), 10).rttMs).toBeUndefined();
  const measured = ponged(pinged(start(), 100, 'silence'), 142);
  expect(measured.rttMs).toBe(42);
  expect(ponged(measured, 500).rttMs).toBe(42);
});
