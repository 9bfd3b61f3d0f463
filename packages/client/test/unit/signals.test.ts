import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Host, signalsOf } from '../../src/platform/common/signals.js';

/** An event target that counts its listeners. */
class Place extends EventTarget {
  listeners = 0;
  visibilityState = 'visible';

  override addEventListener(...all: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...all);
  }

  override removeEventListener(...all: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...all);
  }
}

function page() {
  const [self, document, connection] = [new Place(), new Place(), new Place()];
  const host = Object.assign(self, { document, navigator: { connection } }) as unknown as Host;
  const told: string[] = [];
  const stop = signalsOf(() => host).listen((signal) => told.push(signal));
  const fire = (place: EventTarget, name: string, more: object = {}): void => {
    place.dispatchEvent(Object.assign(new Event(name), more));
  };
  return { self, document, connection, told, stop, fire };
}

// The only place that reads the platform's clocks and timers by itself.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a page', () => {
  test.each([
    ['online', 'self', {}, ['online']],
    ['offline', 'self', {}, ['offline']],
    ['change', 'connection', {}, ['online']],
    ['freeze', 'document', {}, ['asleep']],
    ['resume', 'document', {}, ['awake']],
    ['pagehide', 'self', { persisted: true }, ['asleep']],
    ['pagehide', 'self', { persisted: false }, ['gone']],
    ['pageshow', 'self', { persisted: true }, ['awake']],
    ['pageshow', 'self', { persisted: false }, []],
  ] as const)('%s of %s %o: %o', (name, place, more, expected) => {
    const { fire, told, ...places } = page();
    fire(places[place], name, more);
    expect(told).toEqual(expected);
  });

  test('only that it is looked at again counts', () => {
    const { document, fire, told } = page();
    document.visibilityState = 'hidden';
    fire(document, 'visibilitychange');
    expect(told).toEqual([]);
    document.visibilityState = 'visible';
    fire(document, 'visibilitychange');
    expect(told).toEqual(['visible']);
  });

  test('nothing is left of it afterwards', () => {
    const { self, document, connection, told, stop, fire } = page();
    expect(self.listeners + document.listeners + connection.listeners).toBeGreaterThan(5);
    stop();
    expect([self.listeners, document.listeners, connection.listeners]).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
    fire(self, 'online');
    expect(told).toEqual([]);
  });

  test('a hidden one whose timers are throttled has not slept', () => {
    const { document, told } = page();
    document.visibilityState = 'hidden';
    vi.setSystemTime(Date.now() + 55_000);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual([]);
  });
});

describe('a process, which has none of these', () => {
  test('hears nothing and needs nothing', () => {
    const told: string[] = [];
    const stop = signalsOf(() => ({})).listen((signal) => told.push(signal));
    vi.advanceTimersByTime(60_000);
    stop();
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('notices that it slept: the wall clock went on, its own did not', () => {
    const told: string[] = [];
    signalsOf(() => ({})).listen((signal) => told.push(signal));
    vi.advanceTimersByTime(5_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(['awake']);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual(['awake']);
  });

  test('notices that it was stopped: its timer is late', () => {
    const told: string[] = [];
    signalsOf(() => ({})).listen((signal) => told.push(signal));
    const before = performance.now();
    vi.setSystemTime(Date.now() + 30_000);
    vi.spyOn(performance, 'now').mockReturnValue(before + 35_000);
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(['awake']);
  });
});
