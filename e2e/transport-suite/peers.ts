import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket as Socket } from 'ws';
import { WebSocketServer } from '../sockets/ws.js';
import { freePort } from '../support/examples.js';
import { shown } from './ground.js';
import { peerOf } from './peer.js';
import { suiteScript } from './scripts.js';
import type { Where } from './sockets.js';

const page = (where: Where): string => `<!doctype html><title>Transports</title>
<link rel="icon" href="data:,">
<script src="/suite.js"></script>
<script>
  let results;
  const where = ${JSON.stringify(where)};
  const inPage = () => suite.run(sockets.webSocketDialer, where).then((all) => { results = all; });
  const inWorker = () => {
    const worker = new Worker('/worker.js');
    worker.onmessage = ({ data }) => { results = data; };
    worker.onerror = ({ message }) => { results = [{ name: 'the worker', why: message }]; };
    worker.postMessage(where);
  };
</script>`;

const WORKER = `importScripts('/suite.js');
  onmessage = ({ data: where }) => suite.run(sockets.webSocketDialer, where).then(postMessage);`;

const TYPES: { readonly [path: string]: string } = {
  '/': 'text/html; charset=utf-8',
  '/told': 'application/json',
};

/** The peers on real sockets, and a page and a worker from which they are called. */
export class Peers {
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  readonly #server = new WebSocketServer({
    noServer: true,
    // Not the first one, so that "chosen" is more than "offered".
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });
  readonly #silent = new Set<Duplex>();
  readonly #told = new Map<string, string[]>();
  readonly #deaf = new Map<string, Socket>();
  #where: Where = { http: '', ws: '', nobody: '' };

  static async open(): Promise<Peers> {
    const peers = new Peers();
    const http = peers.#http;
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      peers.#upgrade(request, socket, head),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const at = `127.0.0.1:${port}`;
    peers.#where = { http: `http://${at}`, ws: `ws://${at}`, nobody: `ws://127.0.0.1:${await freePort()}/` };
    return peers;
  }

  get where(): Where {
    return this.#where;
  }

  /** Connections that the other end still holds. */
  get held(): readonly string[] {
    return [...[...this.#server.clients].map(() => 'open'), ...[...this.#silent].map(() => 'silent')];
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    for (const socket of this.#silent) socket.destroy();
    const closed = new Promise((resolve) => this.#http.close(resolve));
    this.#http.closeAllConnections();
    await closed;
  }

  async #serve({ url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', id = ''] = url.split('?');
    response.setHeader('Content-Type', TYPES[path] ?? 'text/javascript');
    if (path === '/told') this.#deaf.get(id)?.resume();
    if (path === '/told') response.end(JSON.stringify(this.#told.get(id) ?? []));
    else if (path === '/suite.js') response.end(await suiteScript('browser'));
    else if (path === '/worker.js') response.end(WORKER);
    else response.end(page(this.#where));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = '', id = ''] = (request.url ?? '').split('?');
    const kind = path.slice(1);
    if (kind === 'silent') {
      this.#silent.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#silent.delete(socket));
      socket.on('end', () => socket.destroy()).resume();
    } else if (peerOf(kind)) {
      this.#server.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted, kind, id));
    } else {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    }
  }

  #accept(socket: Socket, kind: string, id: string): void {
    const told = ['open'];
    this.#told.set(id, told);
    if (kind === 'deaf') {
      socket.pause();
      this.#deaf.set(id, socket);
    }
    socket.on('error', () => undefined);
    const hear = peerOf(kind)?.({
      send: (data) => socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      cut: () => socket.terminate(),
    });
    socket.on('message', (message: Buffer, isBinary) => {
      const data = isBinary ? new Uint8Array(message) : String(message);
      told.push(shown(data));
      hear?.(data);
    });
    socket.on('close', (code, reason) => told.push(`close ${code} ${reason}`.trimEnd()));
  }
}
