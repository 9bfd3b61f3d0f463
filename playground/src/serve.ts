import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.js';
import { Limpet } from './limpet.js';
import { reachableHost, readSettings, type Settings } from './settings.js';

const CLOSE_MS = 800;
/** For clients to move away; well below the 10 s after which most supervisors kill. */
const DRAIN_MS = 5_000;
/** A terminal and npm may both pass on the one Ctrl-C. */
const SAME_KEY_MS = 300;

function fail(message: string): never {
  console.error(`Holdfast playground: ${message}`);
  process.exit(1);
}

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    return fail((error as Error).message);
  }
}

function listen(http: HttpServer, { port, host }: Settings): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => resolve(http.address() as AddressInfo));
  });
}

function explain(error: NodeJS.ErrnoException, { port, host }: Settings): string {
  const other = port < 65_535 ? port + 1 : 3000;
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program. Take another one: PORT=${other} npm start`;
    case 'EACCES':
      return `this user may not listen on port ${port}. Take another one: PORT=3000 npm start`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST '${host}' is no address of this machine. For example: HOST=0.0.0.0 npm start`;
    default:
      return error.message;
  }
}

const settings = settingsOrExit();
const { http, realtime } = await createApp(settings.cluster).catch((error: Error) => fail(error.message));
const { port } = await listen(http, settings).catch((error: Error) => fail(explain(error, settings)));

const host = reachableHost(settings.host);
const { cluster } = settings;
// One is enough for all: beside several servers it is a program of its own.
const limpet = cluster
  ? undefined
  : new Limpet(`ws://${host === 'localhost' ? '127.0.0.1' : host}:${port}/realtime`);
limpet?.start().catch((error: unknown) => console.error('Limpet could not come to the lobby:', error));

const elsewhere = port === 3000 ? '' : ` --url ws://${host}:${port}/realtime`;
if (cluster) console.log(`${cluster.node} listens on http://${host}:${port}`);
else
  console.log(`
  Holdfast playground:  http://${host}:${port}

  Try next
    1. Open it in two tabs, the second with another name: http://${host}:${port}/?name=Grace
    2. In another terminal: npm run bot -- --room lobby${elsewhere}
    3. Stop this with Ctrl-C, write in the tabs, and start it again: what you wrote arrives once.
${settings.host === '127.0.0.1' ? '\n  Only this machine can reach it. HOST=0.0.0.0 npm start lets in whoever can reach this machine.\n' : ''}`);

let stoppedAt = 0;
async function stop(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  if (stoppedAt > 0) {
    if (Date.now() - stoppedAt > SAME_KEY_MS) process.exit(130);
    return;
  }
  stoppedAt = Date.now();
  // Whoever presses Ctrl-C is waiting; a supervisor has another one running, or starts it soon.
  const drains = signal === 'SIGTERM';
  console.log(drains ? '\nAsking everybody to go.' : '\nClosing.');
  // Somebody's sleeping laptop must not keep us.
  setTimeout(() => process.exit(0), CLOSE_MS + (drains ? DRAIN_MS : 0)).unref();
  await limpet?.close();
  await (drains ? realtime.drain({ deadlineMs: DRAIN_MS }) : realtime.close());
  http.closeAllConnections();
  http.close();
  process.exitCode = 0;
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal));
