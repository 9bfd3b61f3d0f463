import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, type Codec, type Transport } from '@holdfast/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Acceptor } from '../ports/ports.js';
import type { ServerSettings } from '../settings.js';
import type { UpgradeSource } from '../types.js';
import { bearerOf } from './bearer.js';
import { negotiate } from './negotiate.js';
import { originAllowed } from './origin.js';

const DEFAULT_PATH = '/realtime';
/** As it stands in the first line of a request: what is not written so would never be asked for. */
const PATH = /^\/[!-~]*$/;

/** Which path a listener of ours takes: several may share one http server. */
const pathOf = new WeakMap<object, string>();

type UpgradeSettings = Pick<ServerSettings, 'codecs' | 'origins' | 'maxMessageBytes' | 'observe'>;

/** The WebSockets of http servers: takes their upgrades and hands the connections on. */
export class Upgrades {
  readonly #settings: UpgradeSettings;
  readonly #accept: Acceptor;
  readonly #sockets: WebSocketServer;
  readonly #detachers: (() => void)[] = [];
  #phase: 'open' | 'closed' = 'open';

  constructor(settings: UpgradeSettings, accept: Acceptor) {
    this.#settings = settings;
    this.#accept = accept;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: settings.maxMessageBytes,
      // Off: it costs memory on each connection, and mixes secrets with what an attacker chooses.
      perMessageDeflate: false,
      handleProtocols: (offered) => {
        const result = negotiate([...offered], settings.codecs);
        return result.outcome === 'none' ? false : result.protocol;
      },
    });
  }

  attach(server: UpgradeSource, path = DEFAULT_PATH): void {
    this.#checkAttach(server, path);
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const [requested] = (request.url ?? '').split('?');
      if (requested === path) return this.#upgrade(request, socket, head);
      // Others may take their upgrades beside us; one that nobody takes would hang for ever.
      const listeners = server.listeners('upgrade');
      const paths = listeners.map((listener) => pathOf.get(listener));
      const isNobodys = !paths.includes(undefined) && !paths.includes(requested);
      if (isNobodys && listeners.at(-1) === upgrade) {
        refuse(socket, 404, `WebSockets are served on ${paths.join(', ')}`);
      }
    };
    pathOf.set(upgrade, path);
    server.on('upgrade', upgrade);
    this.#detachers.push(() => server.off('upgrade', upgrade));
  }

  /** The upgrade of a request that somebody else has found to be for us. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isUpgrade =
      typeof request?.headers === 'object' && typeof socket?.write === 'function' && Buffer.isBuffer(head);
    if (!isUpgrade) {
      throw new TypeError(
        "handleUpgrade(request, socket, head): what an http server emits as 'upgrade' is needed",
      );
    }
    this.#upgrade(request, socket, head);
  }

  /** Takes no more and asks every client to go; resolves when they have gone. */
  close(): Promise<void> {
    this.#phase = 'closed';
    for (const detach of this.#detachers.splice(0)) detach();
    for (const socket of this.#sockets.clients) socket.close(CloseCode.RESTART, 'the server is going down');
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  /** Those whose end does not answer any more. */
  terminate(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #checkAttach(server: UpgradeSource, path: string): void {
    if (typeof path !== 'string' || !PATH.test(path) || /[?#]/.test(path)) {
      throw new TypeError(
        `attach(server, { path }): a path as it stands in a request is needed, such as '/realtime', not '${path}'`,
      );
    }
    if (typeof server?.on !== 'function' || typeof server.listeners !== 'function') {
      throw new TypeError('attach(server): an http.Server is needed');
    }
    if (this.#phase === 'closed') throw new TypeError('attach(server): this Holdfast server has been closed');
    if (server.listeners('upgrade').some((listener) => pathOf.get(listener) === path)) {
      throw new TypeError(`attach(server, { path }): '${path}' of this http server is taken already`);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until `ws` takes over, a reset of the connection must not crash the process.
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    const refused = (status: 400 | 403 | 503, text: string): void => {
      const address = request.socket.remoteAddress ?? '';
      this.#settings.observe.refused({ code: `http_${status}`, address });
      refuse(socket, status, text);
    };
    // Who routes upgrades to us by hand may not have heard of it.
    if (this.#phase === 'closed') return refused(503, 'the server is going down');
    const { origin, host } = request.headers;
    if (!originAllowed({ origin, host }, this.#settings.origins)) {
      return refused(403, `the origin ${origin} is not allowed here`);
    }
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const result = negotiate(offered.filter(Boolean), this.#settings.codecs);
    if (result.outcome === 'none') return refused(400, result.why);
    const bearer = bearerOf(offered);
    if (bearer.outcome === 'malformed') return refused(400, bearer.why);
    const token = bearer.outcome === 'token' ? bearer.token : undefined;
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('error', ignore);
      if (result.outcome === 'agreed') return this.#serve(webSocket, request, result.codec, token);
      webSocket.on('error', ignore);
      webSocket.send(result.farewell);
      webSocket.close(CloseCode.BAD_FRAME, 'ERR_PROTOCOL_VERSION');
    });
  }

  #serve(socket: WebSocket, request: IncomingMessage, codec: Codec, token: string | undefined): void {
    const transport: Transport = {
      send(data) {
        if (socket.readyState === socket.OPEN) socket.send(data);
      },
      close(code, reason) {
        socket.close(code, reason.slice(0, 40));
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
    };
    const handshake = { request, address: request.socket.remoteAddress ?? '' };
    const events = this.#accept(transport, codec, handshake, token);
    socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      events.message(
        isBinary ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.toString(),
      );
    });
    // The stream below says when it takes more; `ws` itself does not.
    request.socket.on('drain', () => events.drain?.());
    // `ws` closes by itself on a fault of the other end; the reason comes with `close`.
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => events.close({ code, reason: reason.toString() }));
  }
}

const STATUS = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' };

function refuse(socket: Duplex, status: keyof typeof STATUS, text: string): void {
  // Whoever was refused may reset the connection, which must not crash the process.
  socket.on('error', () => undefined);
  // What came in the request's headers must not make lines of its own in the answer.
  const body = `${text.replace(/[^\x20-\x7e]/g, '?')}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // Not only our half of it: whoever was refused might never close the other.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
