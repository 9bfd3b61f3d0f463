import { describe, expect, test } from 'vitest';
import { type HerdOptions, idealSeconds, type Outcome, playHerd } from '../herd/herd.js';
import { STRATEGIES, strategy } from '../herd/strategies.js';

// A hundred thousand clients lose their server in one moment. A million: npm run herd, and docs/herd.md.

const HERD = { clients: 100_000, rate: 1_000, hasAdmission: true, seed: 1 } as const;

const played = new Map<string, Outcome>();

/** Each run is made once, whoever asks. */
function play(name: string, more: Partial<HerdOptions> = {}): Outcome {
  const options = { ...HERD, ...more, strategy: strategy(name) };
  const key = `${name}, ${options.seed}, ${options.hasAdmission}`;
  const outcome = played.get(key) ?? playHerd(options);
  played.set(key, outcome);
  return outcome;
}

const ideal = (name: string): number => idealSeconds({ ...HERD, strategy: strategy(name) });

describe('ours', () => {
  test.each([1, 2, 3])(
    'all are back in hardly more than the ideal time, and the peak is low (seed %i)',
    (seed) => {
      const outcome = play('first attempt spread', { seed });
      expect(outcome.end).toBe('all back');
      expect(outcome.seconds).toBeLessThanOrEqual(1.25 * ideal('first attempt spread'));
      expect(outcome.peak).toBeLessThanOrEqual(7);
    },
  );

  test('whoever keeps to its slot is not refused again, and slots were needed', () => {
    const { refused, refusedAgain } = play('first attempt spread');
    expect(refused).toBeGreaterThan(10_000);
    expect(refusedAgain).toBe(0);
  });

  test('a server that does not know its clients again brings them back as fast', () => {
    const { end, seconds, peak } = play('the same');
    expect(end).toBe('all back');
    expect(seconds).toBeLessThanOrEqual(1.25 * ideal('the same'));
    expect(peak).toBeLessThanOrEqual(7);
  });

  test('spread alone does it where there is no admission control', () => {
    const { end, seconds } = play('first attempt spread', { hasAdmission: false });
    expect(end).toBe('all back');
    expect(seconds).toBeLessThanOrEqual(1.25 * ideal('first attempt spread'));
  });

  test.each([true, false])(
    'a drain cuts nobody, and meets no peak (admission control: %s)',
    (hasAdmission) => {
      const outcome = play('drain', { hasAdmission });
      expect(outcome).toMatchObject({ end: 'all back', cut: 0, refusedAgain: 0 });
      expect(outcome.seconds).toBeLessThanOrEqual(1.25 * ideal('drain'));
      expect(outcome.peak).toBeLessThanOrEqual(1.1);
    },
  );
});

describe('others', () => {
  const others = STRATEGIES.slice(0, 7).map(({ name }) => name);

  test.each(others)('%s: a higher peak, and not back sooner', (name) => {
    const mine = play('first attempt spread');
    const outcome = play(name);
    expect(outcome.peak).toBeGreaterThan(3 * mine.peak);
    if (outcome.end === 'all back') expect(outcome.seconds).toBeGreaterThan(mine.seconds);
  });

  test('a fixed second, even with admission control: the server works for nobody', () => {
    expect(play('fixed 1 s').end).toBe('livelock');
  });

  test.each(['Phoenix', 'full jitter'])(
    '%s without admission control: the server works for nobody',
    (name) => {
      expect(play(name, { hasAdmission: false }).end).toBe('livelock');
    },
  );

  test('SignalR gives up', () => {
    const { end, gaveUp } = play('SignalR');
    expect(end).toBe('some gave up');
    expect(gaveUp).toBeGreaterThan(0.8);
  });
});

test('the same seed is the same run, another one is another', () => {
  const run = (seed: number): Outcome =>
    playHerd({ clients: 5_000, rate: 100, hasAdmission: true, seed, strategy: strategy('Socket.IO') });
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});
