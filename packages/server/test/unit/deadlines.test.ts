import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines, type Due } from '../../src/deadlines.js';

/** One timer at a time. */
class OneTimer {
  at = 0;
  timer: { readonly at: number; readonly run: () => void } | undefined;

  now(): number {
    return this.at;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { at: this.at + delayMs, run };
    this.timer = timer;
    return () => {
      if (this.timer === timer) this.timer = undefined;
    };
  }

  defer(): void {
    throw new Error('not here');
  }

  goTo(at: number): void {
    while (this.timer && this.timer.at <= at) {
      const { timer } = this;
      this.at = timer.at;
      this.timer = undefined;
      timer.run();
    }
    this.at = at;
  }
}

class Waiter implements Due {
  dueAt = 0;
  heapIndex = -1;
  rungAt: number[] = [];

  constructor(readonly clock: OneTimer) {}

  ring(): void {
    this.rungAt.push(this.clock.at);
  }
}

test('each is rung once, at the earliest time that it was given since it rang last, unless it wants none any more', () => {
  const step = fc.record({
    who: fc.nat(7),
    // 0: not at all.
    inMs: fc.nat(20),
    passesMs: fc.nat(6),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new OneTimer();
      const deadlines = new Deadlines(clock);
      const waiters = Array.from({ length: 8 }, () => new Waiter(clock));
      const wanted = waiters.map(() => Infinity);
      const rungAt: number[][] = waiters.map(() => []);
      for (const { who, inMs, passesMs } of [...steps, { who: 0, inMs: 1, passesMs: 100 }]) {
        const waiter = waiters[who];
        if (!waiter) continue;
        const at = inMs === 0 ? Infinity : clock.at + inMs;
        deadlines.set(waiter, at);
        wanted[who] = inMs === 0 ? Infinity : Math.min(wanted[who] ?? Infinity, at);
        const until = clock.at + passesMs;
        wanted.forEach((due, index) => {
          if (due > until) return;
          rungAt[index]?.push(due);
          wanted[index] = Infinity;
        });
        clock.goTo(until);
      }
      expect(waiters.map((waiter) => waiter.rungAt)).toEqual(rungAt);
      // Nothing keeps the process alive.
      expect(clock.timer).toBeUndefined();
    }),
  );
});

test('one that throws keeps nobody else waiting', () => {
  const clock = new OneTimer();
  const deadlines = new Deadlines(clock);
  const [bad, good] = [new Waiter(clock), new Waiter(clock)];
  bad.ring = () => {
    throw new Error('broken');
  };
  deadlines.set(bad, 1);
  deadlines.set(good, 1);
  expect(() => clock.goTo(1)).toThrow('broken');
  clock.goTo(1);
  expect(good.rungAt).toEqual([1]);
});

test('who is due again whenever it is rung keeps nobody else waiting', () => {
  const clock = new OneTimer();
  const deadlines = new Deadlines(clock);
  const other = new Waiter(clock);
  const restless = new Waiter(clock);
  restless.ring = () => {
    if (restless.rungAt.push(clock.at) > 100) throw new Error('nobody else has a turn');
    deadlines.set(restless, clock.at);
  };
  deadlines.set(restless, 5);
  deadlines.set(other, 5);
  const { timer } = clock;
  clock.at = 5;
  clock.timer = undefined;
  timer?.run();
  // Rung again, but in another task.
  expect(restless.rungAt.length).toBeLessThan(3);
  expect(clock.timer).toMatchObject({ at: 5 });
  deadlines.set(restless, Infinity);
  clock.goTo(6);
  expect(other.rungAt).toEqual([5]);
});
