import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { type ClientOptions, createClient, type HoldfastClient } from '@holdfast/client';
import { createHoldfastServer, type HoldfastServer, type ServerOptions } from '@holdfast/server';
import { expect, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from './ws.js';

export const HELLO = [0, 0, [0, { v: 1, c: 'nonce', n: 1 }]];
export const WELCOME = [
  0,
  0,
  [1, { v: 1, s: 'session', q: 0, u: 'user', h: 20_000, w: [1_000, 1_048_576], m: 1_048_576 }],
];

/** Generous: it only passes when something hangs. */
const DEADLINE_MS = 10_000;

export function soon<V>(promise: PromiseLike<V>, what: string): Promise<V> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Waits until `look` gives something else than false. */
export async function eventually<V>(look: () => V | false, what: string): Promise<V> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; ) {
    const seen = look();
    if (seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${what}: not within ${DEADLINE_MS} ms`);
}

/** A port of this machine, chosen by the system. */
export async function listening(server: HttpServer | NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export interface Served {
  readonly server: HoldfastServer;
  readonly url: string;
  /** What was told to `onError`. */
  readonly errors: unknown[];
}

/** A server that answers `echo`, hears `note` and has an open room of every name. */
export async function serve(options: ServerOptions = {}): Promise<Served> {
  const server = createHoldfastServer(options);
  const errors: unknown[] = [];
  server.onError((error) => errors.push(error));
  server.handle('echo', (input) => input);
  server.on('note', () => undefined);
  server.rooms('*', { join: true, publish: true });
  const { port } = await server.listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  return { server, url: `ws://127.0.0.1:${port}/realtime`, errors };
}

/** A client that is closed when the test is over. */
export function clientOf(url: string, options: Partial<ClientOptions> = {}): HoldfastClient {
  const client = createClient({ url, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Somebody well-behaved beside the trouble: talks all the time, and must not notice anything. */
export async function bystander(url: string, options: Partial<ClientOptions> = {}) {
  const client = clientOf(url, options);
  await soon(client.connect(), 'the bystander connects');
  const sessionId = sessionOf(client);
  const changes: string[] = [];
  client.onState(({ status }) => changes.push(status));
  client.onError(({ code }) => changes.push(code));
  let asked = 0;
  const ask = async (): Promise<void> => {
    const number = ++asked;
    expect(await soon(client.request('echo', number), 'the bystander is answered')).toBe(number);
  };
  await ask();
  const timer = setInterval(() => void ask().catch((error: Error) => changes.push(error.message)), 5);
  onTestFinished(() => clearInterval(timer));
  return {
    client,
    /** Traffic goes on, on the same connection as at the beginning. */
    async noticedNothing(): Promise<void> {
      await ask();
      expect(changes.filter((change) => change !== 'connected')).toEqual([]);
      expect(sessionOf(client)).toBe(sessionId);
    },
  };
}

const sessionOf = (client: HoldfastClient): string | undefined => {
  const state = client.getState();
  return state.status === 'connected' ? state.sessionId : undefined;
};

/** Whoever speaks to a server without our client: says what it likes. */
export interface RawPeer {
  /** Strings and bytes as they are, all else as JSON. */
  say(data: unknown): void;
  /** All items heard, without their frames. */
  readonly heard: unknown[][];
  /** The close code, when the other end has hung up. */
  readonly closed: Promise<number>;
}

export async function rawPeer(url: string, protocols = ['holdfast.v1.json']): Promise<RawPeer> {
  const socket = new WebSocket(url, protocols);
  onTestFinished(() => socket.terminate());
  const heard: unknown[][] = [];
  socket.on('message', (data) => heard.push(...(JSON.parse(String(data)) as unknown[][]).slice(2)));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await soon(new Promise((resolve) => socket.once('open', resolve)), 'the raw peer connects');
  return { say: (data) => socket.send(onWire(data)), heard, closed: soon(closed, 'the server hangs up') };
}

/** A raw peer that has a session. */
export async function greetedPeer(url: string): Promise<RawPeer> {
  const peer = await rawPeer(url);
  peer.say(HELLO);
  await eventually(() => peer.heard.length > 0, 'a WELCOME');
  return peer;
}

/** A server that says what it likes: `answer` is given each item of the client, and a way to speak. */
export async function hostileServer(
  answer: (item: readonly unknown[], say: (data: unknown) => void, dial: number) => void,
): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: ([first]) => first ?? false,
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  let dials = 0;
  server.on('connection', (socket) => {
    const dial = ++dials;
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      for (const item of (JSON.parse(String(data)) as unknown[][]).slice(2)) {
        answer(item, (reply) => socket.send(onWire(reply)), dial);
      }
    });
  });
  await soon(new Promise((resolve) => server.once('listening', resolve)), 'the hostile server listens');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const onWire = (data: unknown): string | Uint8Array =>
  typeof data === 'string' || data instanceof Uint8Array ? data : JSON.stringify(data);
