import type { Signals } from '../../ports/signals.js';

/** Signals of a page or worker; elsewhere, as in Node, there are none. Touches no global before `listen`. */
export const pageSignals: Signals = {
  listen(listener) {
    const page = typeof document === 'undefined' ? undefined : document;
    const target = typeof addEventListener === 'function' ? globalThis : undefined;
    const online = (): void => listener('online');
    const visible = (): void => {
      if (page?.visibilityState === 'visible') listener('visible');
    };
    target?.addEventListener('online', online);
    page?.addEventListener('visibilitychange', visible);
    return () => {
      target?.removeEventListener('online', online);
      page?.removeEventListener('visibilitychange', visible);
    };
  },
};
