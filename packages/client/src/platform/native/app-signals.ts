import type { Signals } from '../../ports/signals.js';

/** `AppState` of `react-native`, as much of it as is used. */
export interface AppStateLike {
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** `NetInfo` of `@react-native-community/netinfo`, as much of it as is used. */
export interface NetInfoLike {
  addEventListener(
    listener: (state: { readonly type: string; readonly isConnected: boolean | null }) => void,
  ): () => void;
}

const NONE = 'none';

/**
 * Signals of an app. Only that it is in front again counts: an app in the background may go on (Android) or stand still with a
 * socket that looks open and is deaf (iOS), and is told neither which nor when. NetInfo tells the present state first, and
 * the same one several times.
 */
export function appSignals(app: AppStateLike, network: NetInfoLike | undefined): Signals {
  return {
    listen(tell) {
      const states = app.addEventListener('change', (state) => {
        if (state === 'active') tell('visible');
      });
      let last: string | undefined;
      const stop = network?.addEventListener(({ type, isConnected }) => {
        // Not found out yet.
        if (isConnected === null) return;
        const before = last;
        last = isConnected ? type : NONE;
        if (last === before) return;
        if (last === NONE) tell('offline');
        else if (before !== undefined) tell('online');
      });
      return () => {
        states.remove();
        stop?.();
      };
    },
  };
}
