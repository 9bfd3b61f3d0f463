import { systemPorts } from './platform/common/ports.js';
import { appClock, checkApp } from './platform/native/app-ports.js';
import { type AppStateLike, appSignals, type NetInfoLike } from './platform/native/app-signals.js';
import type { ClientPorts } from './ports/ports.js';

export type { AppStateLike, NetInfoLike };

/** What a React Native app hands over, so that nothing of it has to be installed for other platforms. */
export interface ReactNative {
  /** Of `react-native`: an app that comes to the front asks at once whether its connection is there. */
  readonly AppState: AppStateLike;
  /** The default export of `@react-native-community/netinfo`; without it, the heartbeat finds out what the network does. */
  readonly NetInfo?: NetInfoLike | undefined;
}

/**
 * The ports of a React Native app, for `createClientOn` of `@holdfast/client/ports`: see docs/runtimes.md. Throws a `TypeError`
 * that says what to import where something is missing that React Native does not bring.
 */
export function reactNativePorts({ AppState, NetInfo }: ReactNative): ClientPorts {
  checkApp();
  const ports = systemPorts();
  return { ...ports, clock: appClock(ports.clock), signals: appSignals(AppState, NetInfo) };
}
