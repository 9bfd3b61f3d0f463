/**
 * Plain mode, for servers that do not speak Holdfast: a `WebSocket` that comes back, on the same connection machine as
 * `createClient` (backoff, deadlines, signals, a heartbeat of your own), and with less promised: no acknowledgements,
 * so that a message may be lost with its connection.
 */

import type { PlainOptions, PlainProtocols, PlainUrl } from './plain/plain-options.js';
import { PlainSocket } from './plain/plain-socket.js';
import { systemPorts } from './platform/common/ports.js';

/**
 * In the place of `WebSocket` and of reconnecting-websocket. Throws a `SyntaxError` (a `DOMException`) for an address
 * that is none and for wrong subprotocols, a `TypeError` for a bad option. See docs/plain-mode.md for what is different.
 */
export class ReconnectingWebSocket extends PlainSocket {
  constructor(url: PlainUrl, protocols: PlainProtocols = [], options: PlainOptions = {}) {
    super(systemPorts(), url, protocols, options);
  }
}

export type { PlainOptions, PlainProtocols, PlainUrl };
