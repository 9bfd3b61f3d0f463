import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createHoldfastServer, type HoldfastServer, type ServerSession } from '@holdfast/server';
import { bundle } from './bundle.js';

/** What is there instead of some part of the platform, and how tabs are to share. */
const PREPARED: { readonly [path: string]: { readonly first: string; readonly tabs: string } } = {
  '/': { first: '', tabs: '{}' },
  '/worker': { first: '', tabs: `{ worker: () => new SharedWorker('/worker.js') }` },
  '/no-worker': { first: '', tabs: `{ worker: () => new SharedWorker('/nothing.js') }` },
  '/without-locks': {
    first: `Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });`,
    tabs: '{}',
  },
};

/** `?name` is its user. `seen.sockets` counts what this tab itself has dialled. */
const page = (url: string, { first, tabs }: { first: string; tabs: string }) => `<!doctype html>
<title>One of several tabs</title>
<link rel="icon" href="data:,">
<script>
  const TAB = 'here';
  const seen = { heard: [], sockets: 0, warnings: [], troubles: [], sent: 0 };
  ${first}
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) { super(...args); seen.sockets++; }
  };
  let kept = false;
  addEventListener('pageshow', (event) => { kept = event.persisted; });
  addEventListener('error', (event) => { seen.troubles.push(String(event.message)); });
  addEventListener('unhandledrejection', (event) => { seen.troubles.push(String(event.reason)); });
</script>
<script src="/tabs.js"></script>
<script>
  const quiet = () => undefined;
  const client = Holdfast.createClient({
    url: '${url}',
    auth: location.search.slice(1),
    reconnect: { baseMs: 50 },
    logger: { debug: quiet, info: quiet, warn: (text) => seen.warnings.push(text), error: (text) => seen.troubles.push(text) },
    tabs: ${tabs},
  });
  client.on('tick', (n) => { seen.heard.push(n); });
  client.onSessionLost(() => { seen.troubles.push('session lost'); });
  client.onGap(() => { seen.troubles.push('gap'); });
  client.onUndelivered((message, error) => { seen.troubles.push(error.code); });
  // Not by a timer, of which a tab that nobody looks at gets one in a second: one is said for each that is heard.
  const say = (upTo) => {
    const more = () => {
      while (seen.sent < Math.min(upTo, seen.heard.length + 5)) client.send('note', ++seen.sent);
    };
    client.on('tick', more);
    more();
  };
  client.connect();
</script>`;

export interface TabSeen {
  readonly heard: readonly number[];
  readonly sockets: number;
  readonly warnings: readonly string[];
  readonly troubles: readonly string[];
  readonly status: string;
  readonly kept: number;
}
export const TAB_SEEN =
  '({ ...seen, status: client.getState().status, kept: sessionStorage.length + localStorage.length })';

let scripts: Promise<{ readonly [path: string]: string }> | undefined;
const bundled = async () => {
  const [tabs, worker] = await Promise.all([
    bundle('@holdfast/client/tabs', 'Holdfast'),
    bundle('@holdfast/client/tabs-worker', 'worker'),
  ]);
  return { '/tabs.js': tabs, '/worker.js': worker };
};

/** A server, its pages, and how many sockets it really has. */
export class TabsSite {
  readonly url: string;
  readonly server: HoldfastServer;
  readonly sockets = new Set<Duplex>();
  readonly sessions = new Map<string, ServerSession[]>();
  readonly notes = new Map<string, unknown[]>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, server: HoldfastServer, close: () => Promise<void>) {
    this.url = url;
    this.server = server;
    this.#close = close;
    server.onSession((session) => {
      const { id } = session.user;
      this.sessions.set(id, [...(this.sessions.get(id) ?? []), session]);
    });
    server.on('note', (payload, { session }) => {
      const { id } = session.user;
      this.notes.set(id, [...(this.notes.get(id) ?? []), payload]);
    });
  }

  static async open(): Promise<TabsSite> {
    scripts ??= bundled();
    const files = await scripts;
    let realtime = '';
    const http = createServer(({ url = '/' }, response) => {
      const [path = '/'] = url.split('?');
      const script = files[path];
      const prepared = PREPARED[path];
      if (path === '/elsewhere') return void response.end('elsewhere');
      const type = script === undefined ? 'text/html; charset=utf-8' : 'text/javascript';
      response.writeHead(script || prepared ? 200 : 404, { 'Content-Type': type });
      response.end(script ?? (prepared ? page(realtime, prepared) : ''));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    realtime = `${url}/realtime`;
    const auth = (token?: string) => ({ user: { id: token ?? 'nobody' } });
    const server = createHoldfastServer({ auth }).attach(http);
    const site = new TabsSite(url, server, async () => {
      await server.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    });
    http.on('upgrade', (_request, socket: Duplex) => {
      site.sockets.add(socket);
      socket.on('close', () => site.sockets.delete(socket));
    });
    return site;
  }

  /** Tells everybody numbers, in small portions. */
  async tell(upTo: number): Promise<void> {
    for (let n = 1; n <= upTo; n++) {
      for (const [session] of this.sessions.values()) session?.send('tick', n).catch(() => undefined);
      if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** All sockets are gone, without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    return this.#close();
  }
}
