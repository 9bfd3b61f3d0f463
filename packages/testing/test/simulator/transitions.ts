import type { ConnectionState } from '@holdfast/client';

/** Where the connection of a client may go from where it is. */
export const NEXT: { readonly [from in ConnectionState['status']]: readonly ConnectionState['status'][] } = {
  idle: ['connecting', 'closed'],
  connecting: ['connecting', 'connected', 'reconnecting', 'idle', 'needs-auth', 'failed', 'closed'],
  connected: ['connected', 'reconnecting', 'connecting', 'idle', 'needs-auth', 'failed', 'closed'],
  reconnecting: ['reconnecting', 'connected', 'connecting', 'idle', 'needs-auth', 'failed', 'closed'],
  'needs-auth': ['connecting', 'idle', 'closed'],
  failed: ['connecting', 'idle', 'closed'],
  closed: [],
};
