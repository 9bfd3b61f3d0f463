import { messageOf } from '@holdfast/protocol';
import type { TabChannel } from '../../ports/tabs.js';

const channelOf = (port: MessagePort): TabChannel => ({
  post: (word) => port.postMessage(word),
  close: () => port.close(),
});

/** Chrome on Android has none. */
export const hasSharedWorkers = (): boolean => 'SharedWorker' in globalThis;

/** A tab's way to the worker that `make` makes. Nothing is told before it has returned. */
export function reachWorker(
  make: () => SharedWorker,
  heard: (word: unknown) => void,
  failed: (why: string) => void,
): TabChannel {
  try {
    const worker = make();
    // The script is not there, is not allowed by the page's policy, or breaks.
    worker.onerror = (event) => failed((event as ErrorEvent).message || 'its script could not be run');
    worker.port.onmessage = ({ data }) => heard(data);
    return channelOf(worker.port);
  } catch (error) {
    setTimeout(() => failed(messageOf(error)), 0);
    return { post: () => undefined, close: () => undefined };
  }
}

/** Inside of it: `meet` is given each tab's port, and returns what is told its words. */
export function serveTabs(meet: (port: TabChannel) => (word: unknown) => void): void {
  const scope = globalThis as { onconnect?: (event: MessageEvent) => void };
  scope.onconnect = ({ ports: [port] }) => {
    if (!port) return;
    const hear = meet(channelOf(port));
    port.onmessage = ({ data }) => hear(data);
  };
}
