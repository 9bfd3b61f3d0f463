import { Alarm, type Clock, Listeners, numberOption, sizeOf } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';

function make() {
  const reports: unknown[] = [];
  return { reports, listeners: new Listeners((error, name) => reports.push([name, error])) };
}

describe('Listeners', () => {
  test('calls each, in order, and says whether there was one', () => {
    const { listeners } = make();
    const calls: string[] = [];
    listeners.on('x', (value: string) => calls.push(`a${value}`));
    listeners.on('x', (value: string) => calls.push(`b${value}`));
    expect(listeners.emit('x', '1')).toBe(true);
    expect(listeners.emit('y', '1')).toBe(false);
    expect(calls).toEqual(['a1', 'b1']);
  });

  test('a listener that throws, now or later, is reported and stops nobody', async () => {
    const { listeners, reports } = make();
    const calls: string[] = [];
    const now = new Error('now');
    const later = new Error('later');
    listeners.on('x', () => {
      throw now;
    });
    listeners.on('x', async () => {
      throw later;
    });
    listeners.on('x', () => calls.push('still called'));
    listeners.emit('x');
    await Promise.resolve();
    expect(calls).toEqual(['still called']);
    expect(reports).toEqual([
      ['x', now],
      ['x', later],
    ]);
  });

  test('once, signal and the returned function end a subscription; twice is safe', () => {
    const { listeners } = make();
    const calls: string[] = [];
    const aborter = new AbortController();
    const off = listeners.on('x', () => calls.push('plain'));
    listeners.on('x', () => calls.push('once'), { once: true });
    listeners.on('x', () => calls.push('signal'), { signal: aborter.signal });
    listeners.on('x', () => calls.push('never'), { signal: AbortSignal.abort() });
    listeners.emit('x');
    aborter.abort();
    off();
    off();
    listeners.emit('x');
    expect(calls).toEqual(['plain', 'once', 'signal']);
    expect(listeners.has('x')).toBe(false);
  });

  test('names that objects inherit are names like any other', () => {
    const { listeners } = make();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(listeners.emit(name)).toBe(false);
      listeners.on(name, () => undefined);
      expect(listeners.emit(name)).toBe(true);
    }
  });

  test('takes functions only', () => {
    const { listeners } = make();
    expect(() => listeners.on('x', 'y' as never)).toThrow(
      "on('x', listener): listener must be a function, not string",
    );
  });
});

describe('Alarm', () => {
  function fakeClock() {
    const timers: { at: number; run: () => void }[] = [];
    const clock: Clock = {
      now: () => 1_000,
      setTimer(run, delayMs) {
        const timer = { at: 1_000 + delayMs, run };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), 1);
      },
      defer: (run) => run(),
    };
    return { clock, timers };
  }

  test('sets one timer, and moves it only forward', () => {
    const { clock, timers } = fakeClock();
    const alarm = new Alarm(clock, () => undefined);
    alarm.set(2_000);
    alarm.set(3_000);
    expect(timers.map(({ at }) => at)).toEqual([2_000]);
    alarm.set(1_500);
    expect(timers.map(({ at }) => at)).toEqual([1_500]);
    alarm.set(0);
    expect(timers.map(({ at }) => at)).toEqual([1_000]);
    alarm.set(Infinity);
    expect(timers).toEqual([]);
  });

  test('can be set again when it has rung', () => {
    const { clock, timers } = fakeClock();
    let rung = 0;
    const alarm = new Alarm(clock, () => rung++);
    alarm.set(2_000);
    timers.pop()?.run();
    alarm.set(3_000);
    expect(rung).toBe(1);
    expect(timers.map(({ at }) => at)).toEqual([3_000]);
  });
});

test('sizeOf counts bytes as they stand on the wire', () => {
  for (const text of ['', 'abc', 'äöü', '€uro', '🌊 wave']) {
    expect(sizeOf(text)).toBe(new TextEncoder().encode(text).length);
  }
  expect(sizeOf(new Uint8Array(7))).toBe(7);
});

test('numberOption names the option, the rule and the value', () => {
  expect(numberOption(undefined, 'a.bMs', 5)).toBe(5);
  expect(numberOption(0, 'a.bMs', 5)).toBe(0);
  expect(() => numberOption('5', 'a.bMs', 5)).toThrow("a.bMs must be a number of at least 0, not '5'");
  expect(() => numberOption(NaN, 'a.bMs', 5)).toThrow('a.bMs must be a number of at least 0, not NaN');
  expect(() => numberOption(0, 'a.b', 5, { min: 1, max: 9, whole: true })).toThrow(
    'a.b must be a whole number from 1 to 9, not 0',
  );
  expect(() => numberOption(1.5, 'a.b', 5, { whole: true })).toThrow(
    'a.b must be a whole number of at least 0, not 1.5',
  );
});

test('listeners that are cleared are heard of no more by their signals', () => {
  const { signal } = new AbortController();
  const heard = new Set<unknown>();
  signal.addEventListener = (_: string, listener: unknown) => void heard.add(listener);
  signal.removeEventListener = (_: string, listener: unknown) => void heard.delete(listener);
  const listeners = new Listeners(() => undefined);
  for (const name of ['a', 'a', 'b']) listeners.on(name, () => undefined, { signal });
  expect(heard.size).toBe(3);
  listeners.clear();
  expect([heard.size, listeners.has('a'), listeners.has('b')]).toEqual([0, false, false]);
});
