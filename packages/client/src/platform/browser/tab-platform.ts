import type { TabLocks, TabPlatform } from '../../ports/tabs.js';

/** Web Locks, which stand for a page or worker only as long as it lives. */
export const webLocks: TabLocks = {
  hold(name, how, held, lost) {
    const ended = new AbortController();
    const isOver = (): boolean => ended.signal.aborted;
    const given = (): Promise<void> | undefined => {
      if (isOver()) return undefined;
      held();
      return new Promise((release) => ended.signal.addEventListener('abort', () => release()));
    };
    const failed = (error: unknown): void => {
      if (isOver()) return;
      if ((error as Error).name === 'AbortError') lost();
      else lost(error);
    };
    // A wait may be given up, a theft is done at once.
    const options = how === 'steal' ? { steal: true } : { signal: ended.signal };
    navigator.locks.request(name, options, given).catch(failed);
    return () => ended.abort();
  },
  async held() {
    const { held = [] } = await navigator.locks.query();
    return new Set(held.map(({ name = '' }) => name));
  },
};

/**
 * By Web Locks and BroadcastChannel; or what this place lacks for that, and what to do about it. Undefined: no browser, as in
 * Node, where a page may be rendered.
 */
export function tabPlatform(): TabPlatform | string | undefined {
  const isBrowser = 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
  if (!isBrowser) return undefined;
  if (!globalThis.isSecureContext) {
    return 'this needs a secure context: serve the page by https, or from localhost';
  }
  if (!globalThis.navigator?.locks || !('BroadcastChannel' in globalThis)) {
    return 'this browser has no Web Locks or no BroadcastChannel: it is older than Chromium 69, Firefox 96 or Safari 15.4';
  }
  return {
    locks: webLocks,
    channel(name, heard) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => heard(data);
      return { post: (word) => channel.postMessage(word), close: () => channel.close() };
    },
  };
}
