import { VirtualClock } from '@holdfast/testing';
import { expect, onTestFinished, test } from 'vitest';
import { StoreHealth } from '../../../src/store/store-health.js';

/** An answer that is given by hand. */
function later() {
  let settle: (error?: Error) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  return { promise, answer: () => settle(), fail: () => settle(new Error('away')) };
}

/** The health of a store that answers when it is told to; what it is asked to see whether it is there, as `probing` says. */
function patient() {
  const clock = new VirtualClock();
  /** For so long this process was asleep: its timers ring later by that. */
  const sleep = { ms: 0 };
  const told: string[] = [];
  const probing = { asked: 0, how: 'answers' as 'answers' | 'fails' | 'hangs' };
  const probed = (): Promise<void> => {
    const { promise, answer, fail } = later();
    if (probing.how === 'answers') answer();
    if (probing.how === 'fails') fail();
    return promise;
  };
  const health: StoreHealth = new StoreHealth({
    clock: {
      now: () => clock.now() + sleep.ms,
      setTimer: (run, ms) => clock.setTimer(run, ms),
      defer: (run) => clock.defer(run),
    },
    observe: {
      storeAsked: ({ operation, ms, outcome }) => told.push(`${operation} ${outcome} ${ms}`),
      storeChanged: (what) => {
        told.push(what.state === 'well' ? `well after ${what.ms}` : `${what.reason} at ${what.operation}`);
      },
    },
    failed: (error) => told.push(String(error)),
    probe: () => {
      probing.asked++;
      return health.watch('find', probed());
    },
  });
  onTestFinished(() => health.stop());
  const ask = () => {
    const { promise, answer, fail } = later();
    const seen = health.watch('accept', promise).catch(() => undefined);
    const end = (how: () => void) => () => {
      how();
      return seen;
    };
    return { answer: end(answer), fail: end(fail) };
  };
  const changes = () => told.filter((line) => !/ (answered|failed) \d+$/.test(line));
  return { clock, sleep, health, told, probing, ask, changes };
}

test('who answers in time is well, and no timer is left', async () => {
  const { clock, health, told, ask } = patient();
  const one = ask();
  await clock.advance(999);
  await one.answer();
  await clock.advance(5_000);
  expect([health.degraded, told, clock.timers]).toEqual([false, ['accept answered 999'], 0]);
});

test('a failure is told once, however many follow, and how long it took until all was well', async () => {
  const { clock, health, ask, changes } = patient();
  for (let round = 0; round < 5; round++) {
    await ask().fail();
    await ask().answer();
    await clock.advance(100);
  }
  expect([health.degraded, changes()]).toEqual([true, ['failing at accept', 'Error: away']]);
  await clock.advance(2_500);
  expect(health.degraded).toBe(true);
  await clock.advance(2_000);
  expect(changes().slice(2)).toEqual(['well after 4000']);
  await clock.advance(10_000);
  expect([health.degraded, changes().length, clock.timers]).toEqual([false, 3, 0]);
});

test('one that nobody asks any more is asked whether it is there, one question at a time', async () => {
  const { clock, health, ask, probing } = patient();
  probing.how = 'hangs';
  await ask().fail();
  await clock.advance(60_000);
  expect([health.degraded, probing.asked]).toEqual([true, 1]);
});

test('it is not well before it has answered', async () => {
  const { clock, health, ask, probing } = patient();
  probing.how = 'fails';
  await ask().fail();
  await clock.advance(60_000);
  expect([health.degraded, probing.asked > 50]).toEqual([true, true]);
  probing.how = 'answers';
  await clock.advance(5_000);
  expect(health.degraded).toBe(false);
});

test('no answer for a second is trouble, before it has come', async () => {
  const { clock, health, ask, changes } = patient();
  const one = ask();
  await clock.advance(500);
  const other = ask();
  await clock.advance(501);
  expect([health.degraded, changes()]).toEqual([true, ['slow at accept']]);
  await one.answer();
  await other.fail();
  // Worse than slow: what has failed is told.
  expect(changes()).toEqual(['slow at accept', 'Error: away']);
});

test('a process that was asleep does not blame the store', async () => {
  const { clock, sleep, health, ask } = patient();
  const [one, other] = [ask(), ask()];
  await clock.advance(600);
  sleep.ms = 30_000;
  await clock.advance(500);
  await one.answer();
  // As when its time has run out meanwhile.
  await other.fail();
  expect(health.degraded).toBe(false);
  await clock.advance(5_000);
  expect(health.degraded).toBe(false);
});

test('nor for a connection that was given up over that sleep; for what fails a second later, it does', async () => {
  const { clock, sleep, health, ask } = patient();
  const before = ask();
  await clock.advance(600);
  sleep.ms = 30_000;
  await clock.advance(500);
  await before.fail();
  await ask().fail();
  expect(health.degraded).toBe(false);
  await clock.advance(1_000);
  await ask().fail();
  expect(health.degraded).toBe(true);
});

test('whoever wants to know has it asked, unless somebody just has', async () => {
  const { clock, health, probing, ask } = patient();
  const one = ask();
  health.look();
  await one.answer();
  health.look();
  expect(probing.asked).toBe(0);
  await clock.advance(1_000);
  health.look();
  health.look();
  expect(probing.asked).toBe(1);
});

test('nothing is told when it was stopped', async () => {
  const { clock, health, ask, changes } = patient();
  const one = ask();
  health.stop();
  await clock.advance(5_000);
  await one.fail();
  expect([health.degraded, changes(), clock.timers]).toEqual([false, [], 0]);
});

test('notes that do not come and go are trouble, at once and as long as they do not, however well the store answers', async () => {
  const { clock, health, ask, changes } = patient();
  const { promise, answer } = later();
  health.away(new Error('no bus'), promise);
  for (let second = 0; second < 60; second++) {
    await ask().answer();
    await clock.advance(1_000);
  }
  expect([health.degraded, changes()]).toEqual([true, ['failing at notes', 'Error: no bus']]);
  answer();
  await clock.advance(10_000);
  expect([health.degraded, changes().length, clock.timers]).toEqual([false, 3, 0]);
});
