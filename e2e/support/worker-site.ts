import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createHoldfastServer, type HoldfastServer, type ServerSession } from '@holdfast/server';
import { bundle } from './bundle.js';

/** A client that does as it is told: in each kind of worker the same one. `say` answers with all that it has seen. */
const CLIENT_OF_WORKER = `
  const seen = { heard: [], answers: [], troubles: [], status: '', hasWindow: typeof window !== 'undefined' };
  let client;
  const hear = async ([word, value], say) => {
    if (word === 'connect') {
      client = createClient({ url: value, reconnect: { baseMs: 20 } });
      client.on('tick', (n) => { seen.heard.push(n); });
      client.onSessionLost(() => { seen.troubles.push('session lost'); });
      client.onError(({ code }) => { seen.troubles.push(code); });
      client.connect();
    }
    if (word === 'note') for (let n = 1; n <= value; n++) client.send('note', n);
    if (word === 'ask') client.request('echo', value).then((answer) => seen.answers.push(answer));
    if (word === 'close') await client.close({ flushMs: 1000 });
    say({ ...seen, status: client?.getState().status, recovered: client?.getState().recovered });
  };`;

export interface WorkerSeen {
  readonly heard: readonly number[];
  readonly answers: readonly unknown[];
  readonly troubles: readonly string[];
  readonly status: string;
  readonly recovered?: boolean;
  readonly hasWindow: boolean;
}

const DEDICATED = `
  importScripts('/holdfast.js');
  const { createClient } = Holdfast;
  ${CLIENT_OF_WORKER}
  onmessage = ({ data }) => hear(data, (all) => postMessage(all));`;

/** As an application builds one: ES modules, of which this is one. */
const MODULE = `
  import { createClient } from '/holdfast.mjs';
  ${CLIENT_OF_WORKER}
  onmessage = ({ data }) => hear(data, (all) => postMessage(all));`;

/** A browser ends one that has nothing to do: as long as the promise of an event stands, it has. */
const SERVICE = `
  importScripts('/holdfast.js');
  const { createClient } = Holdfast;
  ${CLIENT_OF_WORKER}
  oninstall = () => skipWaiting();
  onactivate = (event) => event.waitUntil(clients.claim());
  let done;
  onmessage = (event) => {
    if (event.data[0] === 'connect') event.waitUntil(new Promise((resolve) => { done = resolve; }));
    event.waitUntil(hear(event.data, (all) => event.source.postMessage(all)));
    if (event.data[0] === 'close') done?.();
  };`;

const PAGE = `<!doctype html><title>Workers</title>
<link rel="icon" href="data:,">
<script>
  let seen;
  let post;
  const heard = ({ data }) => { seen = data; };
  const inWorker = (options) => {
    const worker = new Worker(options.type === 'module' ? '/module.mjs' : '/worker.js', options);
    worker.onmessage = heard;
    worker.onerror = ({ message }) => { seen = { troubles: [message] }; };
    post = (word) => worker.postMessage(word);
  };
  const inServiceWorker = async () => {
    navigator.serviceWorker.onmessage = heard;
    await navigator.serviceWorker.register('/service.js');
    const { active } = await navigator.serviceWorker.ready;
    post = (word) => active.postMessage(word);
  };
</script>`;

/** A server, and a page that can start workers. */
export class WorkerSite {
  readonly url: string;
  readonly server: HoldfastServer;
  readonly notes: unknown[] = [];
  readonly sessions: ServerSession[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, server: HoldfastServer, close: () => Promise<void>) {
    this.url = url;
    this.server = server;
    this.#close = close;
    server.onSession((session) => this.sessions.push(session));
    server.on('note', (payload) => this.notes.push(payload));
    server.handle('echo', (input) => input);
  }

  static async open(): Promise<WorkerSite> {
    const classic = await bundle('@holdfast/client', 'Holdfast');
    const files: { readonly [path: string]: string } = {
      '/holdfast.js': classic,
      '/holdfast.mjs': `${classic}\nexport const { createClient } = Holdfast;`,
      '/worker.js': DEDICATED,
      '/module.mjs': MODULE,
      '/service.js': SERVICE,
    };
    const http = createServer(({ url = '/' }, response) => {
      const script = files[url];
      const type = script === undefined ? 'text/html; charset=utf-8' : 'text/javascript';
      response.writeHead(200, { 'Content-Type': type }).end(script ?? PAGE);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const server = createHoldfastServer().attach(http);
    const site = new WorkerSite(url, server, async () => {
      await server.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    });
    http.on('upgrade', (_request, socket: Duplex) => {
      site.#sockets.add(socket);
      socket.on('close', () => site.#sockets.delete(socket));
    });
    return site;
  }

  get realtimeUrl(): string {
    return `${this.url}/realtime`;
  }

  tell(from: number, to: number): void {
    for (let n = from; n <= to; n++) this.sessions[0]?.send('tick', n).catch(() => undefined);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Connected, both ways, asked, cut, resumed, closed: in whatever kind of worker. `ask` gives what it has seen after a word. */
export interface WorkerLine {
  ask(word: readonly [string, unknown?]): Promise<WorkerSeen>;
}
