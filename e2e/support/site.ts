import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer, type HoldfastServer, type ServerSession } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { WebSocketServer } from '../sockets/ws.js';
import { eventually } from './pages.js';

const bundle = fileURLToPath(new URL('../../packages/client/dist/holdfast.global.js', import.meta.url));

/** All that the page's client is told, where a test can look at it. `policy`: how long it waits before an attempt. */
const page = (url: string, policy: string) => `<!doctype html><title>A page with a client</title>
<link rel="icon" href="data:,">
<script src="/holdfast.js"></script>
<script>
  const seen = { heard: [], states: [], errors: [], shows: [], hides: [], born: Math.random() };
  const client = Holdfast.createClient({ url: '${url}', reconnect: { baseMs: 50${policy} } });
  client.on('tick', (n) => { seen.heard.push(n); });
  client.onState((state) => { seen.states.push(state.lastError ? state.status + ' ' + state.lastError.code : state.status); });
  client.onError((error) => { seen.errors.push(error.code); });
  client.onSessionLost(() => { seen.errors.push('session lost'); });
  client.onGap(() => { seen.errors.push('gap'); });
  client.onUndelivered((message, error) => { seen.errors.push(error.code); });
  addEventListener('error', (event) => { seen.errors.push(String(event.message)); });
  addEventListener('unhandledrejection', (event) => { seen.errors.push(String(event.reason)); });
  addEventListener('pageshow', (event) => { seen.shows.push(event.persisted); });
  addEventListener('pagehide', (event) => { seen.hides.push(event.persisted); });
  document.addEventListener('freeze', () => { client.send('note', 'while it freezes'); });
  client.connect();
</script>`;

const elsewhere = () => '<!doctype html><title>Elsewhere</title>';
const pages: { readonly [path: string]: (url: string) => string } = {
  '/': (url) => page(url, ''),
  '/calm': (url) => page(url, ', policy: () => 600_000'),
  '/stripped': (url) => page(url.replace('/realtime', '/no-subprotocol'), ''),
};

/** What a page has seen; `born` tells one load of it from another. */
export interface Seen {
  readonly heard: readonly number[];
  readonly states: readonly string[];
  readonly errors: readonly string[];
  readonly shows: readonly boolean[];
  readonly hides: readonly boolean[];
  readonly born: number;
  readonly state: { readonly status: string; readonly sessionId?: string; readonly recovered?: boolean };
}

/** In a page: what it has seen, as one value. */
export const SEEN = '({ ...seen, state: client.getState() })';

/**
 * A server in this process with its pages: `/` has a client, `/calm` one that waits for ten minutes before it dials
 * anew, `/stripped` one that is given no subprotocol, `/elsewhere` none. The clients come through a TCP proxy; the
 * pages do not.
 */
export class Site {
  readonly server: HoldfastServer;
  readonly proxy: TcpProxy;
  readonly url: string;
  readonly sessions: ServerSession[] = [];
  /** What became of sessions and connections, in order: `attached`, `recovered`, `detached 1000`, `closed`, … */
  readonly events: string[] = [];
  /** Events of clients, in order. */
  readonly notes: unknown[] = [];
  /** How often somebody has dialled and was given no subprotocol. */
  stripped = 0;
  readonly #close: () => Promise<void>;

  private constructor(server: HoldfastServer, proxy: TcpProxy, url: string, close: () => Promise<void>) {
    this.server = server;
    this.proxy = proxy;
    this.url = url;
    this.#close = close;
    server.onSession((session) => this.sessions.push(session));
    server.onAttach((_session, { recovered }) => this.events.push(recovered ? 'recovered' : 'attached'));
    server.onDetach((_session, { code }) => this.events.push(`detached ${code}`));
    server.onSessionEnd((_session, { reason }) => this.events.push(reason));
    server.onError((error) => this.events.push(String(error)));
    server.on('note', (payload) => this.notes.push(payload));
  }

  static async open(): Promise<Site> {
    let realtime = '';
    const http = createServer((request, response) => {
      const isScript = request.url === '/holdfast.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(isScript ? readFileSync(bundle) : (pages[request.url ?? ''] ?? elsewhere)(realtime));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const server = createHoldfastServer({ origins: [url] }).attach(http);
    const stripping = new WebSocketServer({ noServer: true, handleProtocols: () => false });
    const proxy = await createTcpProxy({ target: { port } });
    realtime = `ws://127.0.0.1:${proxy.port}/realtime`;
    const site = new Site(server, proxy, url, async () => {
      for (const socket of stripping.clients) socket.terminate();
      await server.close();
      await proxy.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    });
    http.on('upgrade', (request, socket, head) => {
      if (request.url !== '/no-subprotocol') return;
      site.stripped++;
      stripping.handleUpgrade(request, socket, head, () => undefined);
    });
    return site;
  }

  /** The session of the page that came last. */
  get session(): ServerSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('no page has connected');
    return session;
  }

  /** Tells the page numbers, whether it is there or not. */
  tell(from: number, to: number): void {
    for (let n = from; n <= to; n++) this.session.send('tick', n).catch(() => undefined);
  }

  async has(event: string): Promise<void> {
    await eventually(() => this.events).toContain(event);
  }

  close(): Promise<void> {
    return this.#close();
  }
}
