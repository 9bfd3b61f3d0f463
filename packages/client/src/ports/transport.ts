import type { Transport, TransportEvents } from '@holdfast/protocol';

/** Opens WebSocket connections. Must not throw for what the network does: that is told by `close`. */
export interface Dialer {
  /** Nothing may be told before `dial` has returned. Throws only for an address that no socket can have. */
  dial(url: string, protocols: readonly string[], events: TransportEvents): Transport;
}
