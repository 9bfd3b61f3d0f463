import { seededRandom } from '@holdfast/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Admission, type Admittance } from '../../../src/limits/admission.js';

/** When the handshake begins; undefined if there is none. */
function startOf(now: number, answer: Admittance): number | undefined {
  if (answer.admit === 'no') return undefined;
  return answer.admit === 'now' ? now : now + answer.inMs;
}

/** So many knock in one moment. */
function herd(admission: Admission<number>, now: number, count: number, from = 0): Admittance[] {
  return Array.from({ length: count }, (_, index) => admission.ask(now, from + index));
}

const count = (answers: readonly Admittance[], admit: Admittance['admit']): number =>
  answers.filter((answer) => answer.admit === admit).length;

const retries = (answers: readonly Admittance[]): number[] =>
  answers.flatMap((answer) => (answer.admit === 'no' ? [answer.retryAfterMs] : []));

describe('a herd in one moment', () => {
  test('some go in at once, a second of work waits, everybody else gets a slot, one after the other', () => {
    const answers = herd(new Admission(100), 0, 300);
    expect(count(answers, 'now')).toBe(11);
    expect(count(answers, 'later')).toBe(99);
    expect(count(answers, 'no')).toBe(190);
    const slots = retries(answers);
    // Behind the queue, at the rate of the handshakes; a refusal is work as well.
    expect(slots.slice(0, 3)).toEqual([1_011, 1_021, 1_031]);
    expect(slots.at(-1)).toBe(1_000 + Math.ceil(0.2 + 190 * 10.2));
  });

  test('a server that does less than one in a second lets one in at a time', () => {
    const admission = new Admission(0.5);
    expect(admission.ask(0)).toEqual({ admit: 'now' });
    expect(admission.ask(0).admit).toBe('no');
    expect(admission.ask(1_800).admit).toBe('no');
    expect(admission.ask(5_000)).toEqual({ admit: 'now' });
  });

  test('refusals are work: so many that there would be no time for handshakes leave none', () => {
    const admission = new Admission<number>(100);
    herd(admission, 0, 200);
    const answers: Admittance[] = [];
    // 60 handshakes' worth of refusals in each second.
    for (let now = 1; now < 10_000; now++) answers.push(...herd(admission, now, 3, 1_000 + 3 * now));
    const admitted = answers.length - count(answers, 'no');
    // 40 a second are left, of which the queue of the beginning was a hundred; a quarter of it still stands.
    expect(admitted).toBeGreaterThan(300);
    expect(admitted).toBeLessThan(350);
  });
});

test('refusals that come in waves leave no more time than others', () => {
  const admission = new Admission<number>(100);
  let admitted = 0;
  // 90 handshakes' worth of refusals in one moment of each second: ten a second are left.
  for (let second = 0; second < 60; second++) {
    const answers = [herd(admission, second * 1_000, 4_500, second * 10_000)];
    for (let now = 10; now < 1_000; now += 10) answers.push(herd(admission, second * 1_000 + now, 1, -now));
    admitted += answers.flat().filter(({ admit }) => admit !== 'no').length;
  }
  expect(admitted).toBeGreaterThan(60 * 7);
  expect(admitted).toBeLessThan(60 * 10 + 110);
});

describe('who comes back', () => {
  test('in its slot is let in, though newcomers come all the time and would fill every place', () => {
    const rate = 200;
    const admission = new Admission<number>(rate);
    const { fraction } = seededRandom(3);
    const back: number[][] = Array.from({ length: 40_000 }, () => []);
    const refused = new Map<number, number>();
    let admitted = 0;
    const knock = (now: number, who: number): void => {
      const answer = admission.ask(now, who);
      if (answer.admit !== 'no') {
        admitted++;
        return;
      }
      refused.set(who, (refused.get(who) ?? 0) + 1);
      const at = now + Math.round(answer.retryAfterMs * (0.95 + 0.1 * fraction())) + 30;
      back[at]?.push(who);
    };
    for (let who = 0; who < 2_000; who++) knock(0, who);
    for (let now = 1; now < 20_000; now++) {
      for (const who of back[now] ?? []) knock(now, who);
      if (now % 5 === 0) knock(now, 10_000 + now);
    }
    expect(refused.size).toBeGreaterThan(4_000);
    expect(Math.max(...refused.values())).toBe(1);
    // And nothing of what the server can do was left lying: 2 % of each refusal is work, too.
    expect(admitted).toBeGreaterThan(20 * rate * 0.96);
  });

  test('before its time is told the rest of it, and gets no second slot', () => {
    const admission = new Admission<string>(10);
    for (let n = 0; n < 40; n++) admission.ask(0, `other ${n}`);
    const [first] = retries([admission.ask(0, 'ada')]);
    for (let now = 100; now < 800; now += 100) {
      expect(retries([admission.ask(now, 'ada')])).toEqual([(first ?? 0) - now]);
    }
    const [next] = retries([admission.ask(700, 'grace')]);
    expect(next).toBe((first ?? 0) - 700 + 102);
  });

  test('has a slot no longer once it was let in', () => {
    const admission = new Admission<number>(10);
    const slots = retries(herd(admission, 0, 12));
    expect(admission.remembered).toBe(1);
    expect(admission.ask(slots[0] ?? 0, 11)).toEqual({ admit: 'now' });
    expect(admission.remembered).toBe(0);
  });

  test('a minute too late counts as a newcomer, and is not remembered meanwhile', () => {
    const admission = new Admission<number>(10);
    herd(admission, 0, 1_000);
    expect(admission.remembered).toBe(989);
    admission.ask(180_000, -1);
    expect(admission.remembered).toBe(0);
  });
});

test('slots that nobody takes hold no newcomer back', () => {
  const admission = new Admission<number>(100);
  herd(admission, 0, 2_000);
  let admitted = 0;
  for (let now = 2_000; now < 12_000; now += 20) {
    const pair = herd(admission, now, 2, 100_000 + now);
    admitted += 2 - count(pair, 'no');
  }
  expect(admitted).toBe(1_000);
});

describe('bounds', () => {
  test('a flood of strangers sends nobody away for longer than ten minutes, and is not remembered', () => {
    const admission = new Admission<number>(100);
    for (let now = 0; now < 10; now++) herd(admission, now, 100_000, now * 100_000);
    expect(admission.remembered).toBe(100_000);
    expect(retries([admission.ask(10, -1)])).toEqual([600_000]);
    expect(retries([admission.ask(11_000, -2)])).toEqual([]);
  });

  const herds = fc.array(
    fc.record({
      afterMs: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(3_000)),
      clients: fc.nat(150),
      keepsToSlots: fc.boolean(),
    }),
    { maxLength: 60 },
  );

  test('whatever comes: the rate, the queue and the order of slots', () => {
    const holds = (rate: number, arrivals: typeof herds extends fc.Arbitrary<infer V> ? V : never): void => {
      const admission = new Admission<number>(rate);
      const burst = Math.max(1, rate / 10);
      const starts: number[] = [];
      let [now, who, lastSlot] = [0, 0, 0];
      for (const { afterMs, clients, keepsToSlots } of arrivals) {
        now += afterMs;
        for (let n = 0; n < clients; n++) {
          // Half of them have been here before, and come when they like.
          const isNew = keepsToSlots || n % 2 === 0;
          const answer = admission.ask(now, isNew ? who++ : -1 - n);
          const start = startOf(now, answer);
          if (start !== undefined) starts.push(start);
          if (answer.admit === 'later') expect(answer.inMs).toBeLessThanOrEqual(1_000);
          if (answer.admit !== 'no') continue;
          expect(answer.retryAfterMs).toBeGreaterThanOrEqual(1);
          if (!isNew) continue;
          expect(now + answer.retryAfterMs).toBeGreaterThanOrEqual(lastSlot);
          lastSlot = now + answer.retryAfterMs;
        }
      }
      expect(admission.remembered).toBeLessThanOrEqual(100_000);
      for (let from = 0, to = 0; to < starts.length; to++) {
        while ((starts[from] ?? 0) <= (starts[to] ?? 0) - 1_000) from++;
        expect(to - from + 1).toBeLessThanOrEqual(Math.floor(rate + burst + 1));
      }
    };
    fc.assert(fc.property(fc.constantFrom(0.7, 3, 10, 100, 1_000), herds, holds), { numRuns: 200 });
  });
});
