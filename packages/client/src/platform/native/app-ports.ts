import type { ClientPorts } from '../../ports/ports.js';

/** Throws a `TypeError` that says what to import where something is missing that React Native does not bring. */
export function checkApp(): void {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw new TypeError("there is no crypto.getRandomValues: import 'react-native-get-random-values' first");
  }
  // React Native's own adds a slash to each address.
  if (new URL('wss://host/path').href !== 'wss://host/path') {
    throw new TypeError("URL is not as the standard says: import 'react-native-url-polyfill/auto' first");
  }
}

/** React Native's `performance` need not have a `timeOrigin`. */
export function appClock(clock: ClientPorts['clock']): ClientPorts['clock'] {
  const origin = Date.now() - performance.now();
  return { ...clock, now: () => origin + performance.now() };
}
