import { afterEach, expect, test, vi } from 'vitest';
import { reactNativePorts } from '../../src/react-native.js';

/** React Native's two, by which an app tells what becomes of it. */
function app() {
  const states = new Set<(state: string) => void>();
  const networks = new Set<(state: { type: string; isConnected: boolean | null }) => void>();
  return {
    AppState: {
      addEventListener(type: 'change', listener: (state: string) => void) {
        expect(type).toBe('change');
        states.add(listener);
        return { remove: () => void states.delete(listener) };
      },
    },
    NetInfo: {
      addEventListener(listener: (state: { type: string; isConnected: boolean | null }) => void) {
        networks.add(listener);
        return () => void networks.delete(listener);
      },
    },
    becomes: (state: string) => states.forEach((tell) => void tell(state)),
    isOn: (type: string, isConnected: boolean | null = true) =>
      networks.forEach((tell) => void tell({ type, isConnected })),
    listeners: () => [states.size, networks.size],
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test('an app that comes to the front is looked at again; nothing else of its states counts', () => {
  const { AppState, becomes, listeners } = app();
  const told: string[] = [];
  const stop = reactNativePorts({ AppState }).signals.listen((signal) => told.push(signal));
  for (const state of ['inactive', 'background', 'unknown', 'extension']) becomes(state);
  expect(told).toEqual([]);
  becomes('active');
  expect(told).toEqual(['visible']);
  stop();
  becomes('active');
  expect([told, listeners()]).toEqual([['visible'], [0, 0]]);
});

test('a network that goes, comes or is another one is told of once; the first that is told of is no news', () => {
  const { AppState, NetInfo, isOn, listeners } = app();
  const told: string[] = [];
  const stop = reactNativePorts({ AppState, NetInfo }).signals.listen((signal) => told.push(signal));
  isOn('unknown', null);
  isOn('wifi');
  isOn('wifi');
  expect(told).toEqual([]);
  isOn('cellular');
  isOn('none', false);
  isOn('unknown', false);
  isOn('wifi');
  expect(told).toEqual(['online', 'offline', 'online']);
  stop();
  isOn('cellular');
  expect([told.length, listeners()]).toEqual([3, [0, 0]]);
});

test('an app that starts without a network knows', () => {
  const { AppState, NetInfo, isOn } = app();
  const told: string[] = [];
  reactNativePorts({ AppState, NetInfo }).signals.listen((signal) => told.push(signal));
  isOn('none', false);
  expect(told).toEqual(['offline']);
});

test('the clock does without performance.timeOrigin', () => {
  const { now } = performance;
  vi.stubGlobal('performance', { now: () => now.call(performanceHere) });
  const before = Date.now();
  expect(reactNativePorts(app()).clock.now()).toBeGreaterThanOrEqual(before - 1);
});
const performanceHere = performance;

test('what React Native does not bring is named, with what brings it', () => {
  vi.stubGlobal('crypto', undefined);
  expect(() => reactNativePorts(app())).toThrow(
    new TypeError("there is no crypto.getRandomValues: import 'react-native-get-random-values' first"),
  );
  vi.unstubAllGlobals();
  const Standard = URL;
  // As in React Native's Libraries/Blob/URL.js.
  vi.stubGlobal(
    'URL',
    class extends Standard {
      override get href(): string {
        return `${super.href}/`;
      }
    },
  );
  expect(() => reactNativePorts(app())).toThrow(
    new TypeError("URL is not as the standard says: import 'react-native-url-polyfill/auto' first"),
  );
});
