import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHoldfastServer, type HoldfastServer } from '@holdfast/server';
import type { Output } from '../output.js';
import type { ServeSettings } from './serve-options.js';

/** A terminal and npx may both pass on the one Ctrl-C. */
const SAME_KEY_MS = 300;
/** For sockets whose other end does not answer any more. */
const CLOSE_MS = 2_000;

/** Serves until a signal comes; the exit code. */
export async function serve(settings: ServeSettings, output: Output): Promise<number> {
  const server = echoServer(settings);
  const pages = server.operations();
  const http = createServer((request, response) => {
    if (pages(request, response)) return;
    response.writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' });
    response.end('WebSockets only\n');
  });
  server.attach(http, { path: settings.path });
  try {
    tellAddress(await listening(http, settings), settings, output);
  } catch (error) {
    output.error(error, `cannot listen on port ${settings.port} of ${settings.host}`);
    return 1;
  }
  await stopSignal();
  output.note('asking everybody to go', { type: 'draining', deadlineMs: settings['drain-ms'] });
  setTimeout(() => process.exit(0), settings['drain-ms'] + CLOSE_MS).unref();
  await server.drain({ deadlineMs: settings['drain-ms'] });
  http.close();
  http.closeAllConnections();
  return 0;
}

/** What it lets in, opens and answers. */
function echoServer(settings: ServeSettings): HoldfastServer {
  const server = createHoldfastServer({
    sessionTtlMs: settings['session-ttl-ms'],
    auth: settings.auth,
    // What can be done is measured against it.
    limits: { messagesPerSecond: Infinity },
    ...(settings.origin && { origins: settings.origin }),
  });
  for (const [pattern, allowed] of settings.room ?? []) {
    server.rooms(pattern, Object.fromEntries(allowed.map((permission) => [permission, true])));
  }
  server.handle('echo', (input) => input);
  server.on('echo', (payload, { session }) => {
    session.send('echo', payload);
  });
  return server;
}

function listening(http: HttpServer, { port, host }: ServeSettings): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => resolve(http.address() as AddressInfo));
  });
}

function tellAddress({ port }: AddressInfo, { host, path, room }: ServeSettings, output: Output): void {
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const reachable = isEverywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const url = `ws://${reachable}:${port}${path}`;
  const rooms = [...(room ?? [])].map(([pattern]) => pattern);
  const open = rooms.length === 0 ? 'no room is open' : `open rooms: ${rooms.join(' ')}`;
  output.result(`listening on ${url} (${open})`, { type: 'listening', url, host, port, path, rooms });
}

/** Resolves at the first; whoever sends another one does not want to wait. */
function stopSignal(): Promise<void> {
  let stoppedAt = 0;
  return new Promise((resolve) => {
    const stop = (): void => {
      if (stoppedAt > 0 && Date.now() - stoppedAt > SAME_KEY_MS) process.exit(130);
      stoppedAt ||= Date.now();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  });
}
