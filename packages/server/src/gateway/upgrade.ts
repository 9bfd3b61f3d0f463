import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, CloseCode, type Codec, MAX_SHARED_PREFIX, SHARED_PROTOCOL } from '@holdfast/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionPlace } from '../limits/connections.js';
import type { Acceptor, Identity } from '../ports/ports.js';
import { requestedPath } from '../requested-path.js';
import type { UpgradeSource } from '../server-types.js';
import type { ServerSettings } from '../settings.js';
import type { Handshake } from '../types.js';
import { clientAddress } from './client-address.js';
import { type Negotiated, negotiate } from './negotiate.js';
import { originAllowed } from './origin.js';
import { type HttpRefusal, refuse } from './refuse.js';
import { SharedUpgrades } from './shared-upgrades.js';
import { UpgradeAuth } from './upgrade-auth.js';
import { hasCookieToken, offersOf, queryTokenOf, redactedUrl, upgradeTokenOf } from './upgrade-token.js';
import { frameMaker } from './web-socket-frame.js';
import { WebSocketTransport } from './web-socket-transport.js';

const DEFAULT_PATH = '/realtime';
/** As it stands in the first line of a request: what is not written so would never be asked for. */
const PATH = /^\/[!-~]*$/;

const ignore = (): void => undefined;

/** Of a shared socket: an opening with a long token must fit, too. */
const MIN_SHARED_BYTES = 16_384;

const DRAINING: HttpRefusal = {
  status: 503,
  text: 'this server is draining: others take its clients',
  headers: ['Retry-After: 1'],
};

/** Which path a listener of ours takes: several may share one http server. */
const pathOf = new WeakMap<object, string>();

type UpgradeSettings = Pick<
  ServerSettings,
  | 'codecs'
  | 'origins'
  | 'maxMessageBytes'
  | 'maxBufferedBytes'
  | 'auth'
  | 'tokenFrom'
  | 'authAt'
  | 'trustProxy'
  | 'observe'
>;

/** What the upgrades need of their server. */
export interface UpgradeSurroundings {
  readonly ports: { readonly clock: Clock };
  readonly accept: Acceptor;
  /** What a socket from there takes of the limits, as long as it is nobody's connection. */
  placeOf(address: string): ConnectionPlace;
  failed(error: unknown, where: { readonly name: string }): void;
}

/** An upgrade that is about to be accepted. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly token: string | undefined;
  /** The one in its URL. */
  readonly urlToken: string | undefined;
}

/** A socket that is to carry several connections, or one connection and its codec. */
type Agreed = Extract<Negotiated, { outcome: 'agreed' }> | { readonly outcome: 'shared' };

/** The WebSockets of http servers: takes their upgrades and hands the connections on. */
export class Upgrades {
  readonly #settings: UpgradeSettings;
  readonly #accept: Acceptor;
  /** Undefined: `auth` is asked when the HELLO has come. */
  readonly #auth: UpgradeAuth | undefined;
  readonly #sockets: WebSocketServer;
  /** Those that carry several connections. */
  readonly #sharedSockets: WebSocketServer;
  readonly #shared: SharedUpgrades;
  readonly #frameOf = frameMaker();
  readonly #detachers: (() => void)[] = [];
  #phase: 'open' | 'elsewhere' | 'closed' = 'open';

  constructor(settings: UpgradeSettings, { ports, accept, placeOf, failed }: UpgradeSurroundings) {
    this.#settings = settings;
    this.#accept = accept;
    if (settings.auth && settings.authAt === 'upgrade') {
      const around = { clock: ports.clock, failed: (error: unknown) => failed(error, { name: 'auth' }) };
      this.#auth = new UpgradeAuth(settings.auth, around);
    }
    const { maxMessageBytes } = settings;
    this.#sockets = webSockets(maxMessageBytes, (offered) => {
      const result = negotiate([...offered].filter(isAlone), settings.codecs);
      return result.outcome === 'none' ? false : result.protocol;
    });
    const sharedBytes = Math.max(maxMessageBytes, MIN_SHARED_BYTES) + MAX_SHARED_PREFIX;
    this.#sharedSockets = webSockets(sharedBytes, () => SHARED_PROTOCOL);
    const { clock } = ports;
    this.#shared = new SharedUpgrades({ ...settings, clock, accept, placeOf, auth: this.#auth });
  }

  attach(server: UpgradeSource, path = DEFAULT_PATH): void {
    this.#checkAttach(server, path);
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const requested = requestedPath(request.url);
      if (requested === path) return this.#upgrade(request, socket, head);
      // Others may take their upgrades beside us; one that nobody takes would hang for ever.
      const listeners = server.listeners('upgrade');
      const paths = listeners.map((listener) => pathOf.get(listener));
      const isNobodys = !paths.includes(undefined) && !paths.includes(requested);
      if (isNobodys && listeners.at(-1) === upgrade) {
        refuse(socket, { status: 404, text: `WebSockets are served on ${paths.join(', ')}` });
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

  /**
   * Takes no more, and says so in HTTP: whoever has chosen this server among others, which have the same sessions, chooses
   * another one before the client hears of it. Those that are here stay.
   */
  sendElsewhere(): void {
    if (this.#phase === 'open') this.#phase = 'elsewhere';
  }

  /** Clients that share a socket here are to dial anew for what they open from now on. */
  retire(): void {
    this.#shared.retire();
  }

  /** Takes no more and asks every client to go; resolves when they have gone. */
  close(): Promise<void> {
    this.#phase = 'closed';
    for (const detach of this.#detachers.splice(0)) detach();
    this.#auth?.close();
    for (const socket of this.#clients) socket.close(CloseCode.RESTART, 'the server is going down');
    const ended = [this.#sockets, this.#sharedSockets].map(
      (sockets) => new Promise<void>((resolve) => sockets.close(() => resolve())),
    );
    return Promise.all(ended).then(() => undefined);
  }

  /** Those whose end does not answer any more. */
  terminate(): void {
    for (const socket of this.#clients) socket.terminate();
  }

  get #clients(): WebSocket[] {
    return [...this.#sockets.clients, ...this.#sharedSockets.clients];
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
    // Who routes upgrades to us by hand may not have heard of it.
    if (this.#phase === 'closed') {
      return this.#refuse(request, socket, { status: 503, text: 'the server is going down' });
    }
    if (this.#phase === 'elsewhere') return this.#refuse(request, socket, DRAINING);
    const { codecs, origins, tokenFrom } = this.#settings;
    const { origin, host } = request.headers;
    if (!originAllowed({ origin, host }, origins)) {
      const text = `the origin ${origin} is not allowed here`;
      return this.#refuse(request, socket, { status: 403, text });
    }
    const offered = offersOf(request);
    const isShared = offered.includes(SHARED_PROTOCOL) && !hasCookieToken(request, tokenFrom);
    const result = isShared ? SHARED : negotiate(offered.filter(isAlone), codecs);
    if (result.outcome === 'none') return this.#refuse(request, socket, { status: 400, text: result.why });
    const brought = upgradeTokenOf(request, offered, tokenFrom);
    if (brought.outcome === 'refused') return this.#refuse(request, socket, brought.refusal);
    const token = brought.outcome === 'token' ? brought.token : undefined;
    const urlToken = queryTokenOf(request, tokenFrom);
    // The application is given the request, and logs it; the token it is given beside.
    if (tokenFrom.query !== undefined) request.url = redactedUrl(request.url ?? '', tokenFrom.query);
    const upgrade = { request, socket, head, token, urlToken };
    if (result.outcome !== 'other-version') return this.#authorise(upgrade, result);
    this.#open(this.#sockets, upgrade, (webSocket) => {
      webSocket.on('error', ignore);
      webSocket.send(result.farewell);
      webSocket.close(CloseCode.BAD_FRAME, 'ERR_PROTOCOL_VERSION');
    });
  }

  #handshakeOf(request: IncomingMessage): Omit<Handshake, 'resumed'> {
    return { request, address: clientAddress(request, this.#settings.trustProxy) };
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: HttpRefusal): void {
    const { address } = this.#handshakeOf(request);
    this.#settings.observe.refused({ code: `http_${refusal.status}`, address });
    refuse(socket, refusal);
  }

  #authorise(upgrade: Upgrade, agreed: Agreed): void {
    const { request, socket, token } = upgrade;
    const enter = (identity?: Identity): void => {
      if (agreed.outcome === 'shared') {
        // Whoever dialled it: its connections are asked for their own tokens.
        return this.#open(this.#sharedSockets, upgrade, (webSocket) => this.#share(webSocket, upgrade));
      }
      this.#open(this.#sockets, upgrade, (webSocket) =>
        this.#serve(webSocket, upgrade, agreed.codec, identity),
      );
    };
    if (!this.#auth) return enter();
    // Until `ws` takes over, a reset of the connection must not crash the process.
    socket.on('error', ignore);
    let cancel: (() => void) | undefined;
    const gone = (): void => cancel?.();
    socket.once('close', gone);
    cancel = this.#auth.ask(token, { ...this.#handshakeOf(request), resumed: false }, (answer) => {
      socket.off('close', gone);
      socket.off('error', ignore);
      if ('status' in answer) this.#refuse(request, socket, answer);
      else enter(answer);
    });
  }

  #open(
    sockets: WebSocketServer,
    { request, socket, head }: Upgrade,
    opened: (webSocket: WebSocket) => void,
  ): void {
    sockets.handleUpgrade(request, socket, head, opened);
  }

  #serve(
    socket: WebSocket,
    { request, socket: stream, token }: Upgrade,
    codec: Codec,
    identity?: Identity,
  ): void {
    const transport = new WebSocketTransport(socket, stream, this.#frameOf);
    hear(socket, transport, this.#accept(transport, codec, this.#handshakeOf(request), token, identity));
  }

  #share(socket: WebSocket, { request, socket: stream, urlToken }: Upgrade): void {
    const transport = new WebSocketTransport(socket, stream, this.#frameOf);
    const { address } = this.#handshakeOf(request);
    hear(socket, transport, this.#shared.serve(transport, { request, address, token: urlToken }));
  }
}

const SHARED = { outcome: 'shared' } as const;
const isAlone = (protocol: string): boolean => protocol !== SHARED_PROTOCOL;

function webSockets(
  maxPayload: number,
  handleProtocols: (offered: Set<string>) => string | false,
): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload,
    // Off: it costs memory on each connection, and mixes secrets with what an attacker chooses.
    perMessageDeflate: false,
    handleProtocols,
  });
}

function hear(socket: WebSocket, transport: WebSocketTransport, events: ReturnType<Acceptor>): void {
  transport.whenDrained(events);
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    events.message(
      isBinary ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.toString(),
    );
  });
  // `ws` closes by itself on a fault of the other end; the reason comes with `close`.
  socket.on('error', ignore);
  socket.on('close', (code, reason) => events.close({ code, reason: reason.toString() }));
}
