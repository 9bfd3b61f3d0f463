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

describe('after a wake', () => {
  const wake = (heartbeat: Heartbeat, now: number) => pinged(heartbeat, now, 'wake', patience(heartbeat));

  test('a connection has 2 s to answer, or four round trips, and any frame is an answer', () => {
    const asked = wake(start(), 1_000);
    expect(heartbeatDueAt(asked, undefined)).toBe(3_000);
    expect(heartbeatNeed(asked, 3_000, undefined)).toBe('give-up');
    expect(heartbeatNeed(heard(asked, 2_500), 3_000, undefined)).toBe('nothing');
    const slow = wake(ponged(pinged(start(), 0, 'routine'), 1_000), 10_000);
    expect(heartbeatDueAt(slow, undefined)).toBe(14_000);
  });

  test('waking again and again does not put off the end', () => {
    let heartbeat = wake(start(), 1_000);
    for (const now of [1_500, 2_000, 2_500]) heartbeat = wake(heartbeat, now);
    expect(heartbeatDueAt(heartbeat, undefined)).toBe(3_000);
    expect(heartbeatNeed(heartbeat, 3_000, undefined)).toBe('give-up');
  });

  test('waking shortens the time of a ping that is out already', () => {
    const heartbeat = wake(pinged(start(), 0, 'silence'), 1_000);
    expect(heartbeatDueAt(heartbeat, undefined)).toBe(3_000);
  });

  test('a ping is missed when its time is over, not when another one goes out', () => {
    const patient = start({ maxMissed: 2 });
    const heartbeat = wake(wake(wake(patient, 1_000), 1_100), 1_200);
    expect(heartbeatNeed(heartbeat, 3_000, undefined)).toBe('ping');
  });

  test('who slept through the deadline gets another one', () => {
    const heartbeat = wake(pinged(start(), 25_000, 'silence'), 3_600_000);
    expect(heartbeatNeed(heartbeat, 3_600_000, undefined)).toBe('nothing');
    expect(heartbeatDueAt(heartbeat, undefined)).toBe(3_602_000);
    expect(heartbeatNeed(heartbeat, 3_602_000, undefined)).toBe('give-up');
  });

  test('a pong that lay in the socket while we slept makes nobody patient for hours', () => {
    const heartbeat = ponged(pinged(start(), 0, 'routine'), 3_600_000);
    expect(patience(heartbeat)).toBeLessThanOrEqual(20_000);
  });
});

describe('a timer that comes late', () => {
  test('and finds a silence asks with a short deadline; one in time with the ordinary one', () => {
    expect(heartbeatDueAt(ask(start(), 25_000, undefined), undefined)).toBe(30_000);
    expect(heartbeatDueAt(ask(start(), 27_000, undefined), undefined)).toBe(32_000);
    expect(heartbeatDueAt(ask(start(), 27_001, undefined), undefined)).toBe(29_001);
    expect(ask(start(), 27_001, undefined).asked).toBe('wake');
    expect(ask(start(), 27_000, undefined).asked).toBe('silence');
  });

  test('and finds an ack missing wants a pong, and soon', () => {
    const asked = ask(start(), 60_000, 1_000);
    expect([asked.asked, heartbeatDueAt(asked, 1_000)]).toEqual(['ack', 62_000]);
    // Only a pong tells of the way up.
    expect(heartbeatNeed(heard(asked, 61_000), 62_000, 1_000)).toBe('give-up');
    expect(heartbeatNeed(ponged(heard(asked, 61_000), 61_000), 62_000, 1_000)).toBe('nothing');
  });

  test('however late it comes each time, it ends', () => {
    let heartbeat = ask(start(), 100_000, undefined);
    let now = 100_000;
    for (let pings = 0; heartbeatNeed(heartbeat, now, undefined) !== 'give-up'; pings++) {
      expect(pings).toBeLessThan(3);
      now += 60_000;
      if (heartbeatNeed(heartbeat, now, undefined) === 'ping') heartbeat = ask(heartbeat, now, undefined);
    }
  });
});
