import { CloseCode, type Transport } from '@holdfast/protocol';
import WebSocket from 'isomorphic-ws';
import type { Dialer } from '../../ports/transport.js';

const CLOSE_TIMEOUT_MS = 2_000;

/** Hears nothing more of it. */
function deafen(socket: WebSocket): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  // Without a listener an error would crash the process in Node.
  socket.onerror = () => undefined;
}

/** `ws` says why (refused, unexpected status); a browser never does. */
function causeOf(event: object): { readonly cause?: unknown } {
  const { error } = event as { error?: unknown };
  return error === undefined ? {} : { cause: error };
}

/** In Node a deaf server would keep the process for half a minute; browsers see to it themselves. */
function letGo(socket: WebSocket): void {
  // Of one that is closed no `close` is to come, and the timer would keep the process for nothing.
  if (typeof socket.terminate !== 'function' || socket.readyState === WebSocket.CLOSED) return;
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
  socket.onclose = () => clearTimeout(timer);
}

/** WebSockets of the platform: `ws` in Node, the global one elsewhere. */
export const webSocketDialer: Dialer = {
  dial(url, protocols, events) {
    // Of a bundle for browsers, which looked for the global one when it was imported.
    if (!WebSocket)
      throw new Error('no WebSocket here: bundle for Node, or set globalThis.WebSocket before the import');
    const socket = new WebSocket(url, [...protocols]);
    // Blobs, which are the default in browsers, could only be read asynchronously: messages would change their order.
    socket.binaryType = 'arraybuffer';
    let cause: ReturnType<typeof causeOf> = {};
    socket.onopen = () => {
      // Comes before `close`.
      socket.onerror = (event) => {
        cause = causeOf(event);
      };
      events.open(socket.protocol);
    };
    socket.onmessage = ({ data }) => {
      events.message(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
    };
    // A dial that fails ends here already: the WebSocket of Node 20 lets no `close` follow, against the standard.
    socket.onerror = (event) => {
      deafen(socket);
      events.close({ code: 1006, reason: '', ...causeOf(event) });
    };
    socket.onclose = ({ code, reason }) => events.close({ code, reason, ...cause });

    const transport: Transport = {
      send(data) {
        if (socket.readyState === WebSocket.OPEN) socket.send(data as string);
      },
      close(code, reason) {
        deafen(socket);
        // Browsers take only these codes and 123 bytes of reason; 40 characters are never more.
        const allowed = code >= 3000 && code <= 4999;
        const isShort = new TextEncoder().encode(reason).length <= 123;
        socket.close(allowed ? code : CloseCode.NORMAL, isShort ? reason : reason.slice(0, 40));
        letGo(socket);
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
    };
    return transport;
  },
};
