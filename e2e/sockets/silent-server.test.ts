import { createHash } from 'node:crypto';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { ConnectionState } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientOf, eventually, hostileServer, listening, serve, soon } from './peers.js';

// Servers that take a connection and make nothing of it. That the deadlines are kept is shown in virtual time; here,
// that the real sockets obey, and are gone afterwards.

/** The deadline of each phase, and what a busy machine may add. */
const DEADLINE_MS = 10_000;
const MARGIN_MS = 5_000;

/** A TCP server that counts who comes, and is gone when the test is over. */
async function tcpServer(serve: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const seen = { dials: 0, open, url: '' };
  const server = createTcpServer((socket) => {
    seen.dials++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    serve(socket);
  });
  seen.url = `ws://127.0.0.1:${await listening(server)}/realtime`;
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return seen;
}

/** The first loss of a client: its error, when it came, and what state it led to. */
async function lossOf(url: string) {
  const client = clientOf(url, { reconnect: { baseMs: 600_000, capMs: 600_000 } });
  const since = performance.now();
  const lost = new Promise<ConnectionState>((resolve) => {
    client.onState((state) => {
      if (state.status === 'reconnecting' || state.status === 'failed') resolve(state);
    });
  });
  client.connect().catch(() => undefined);
  const state = await lost;
  const afterMs = performance.now() - since;
  const code = 'lastError' in state ? state.lastError?.code : 'error' in state ? state.error.code : undefined;
  return { client, afterMs, status: state.status, code };
}

describe('a server that never answers', () => {
  test('neither the upgrade nor the HELLO: an error of its own for each, then a wait', {
    timeout: 60_000,
  }, async () => {
    const silent = await tcpServer((socket) => socket.resume());
    const mute = await hostileServer(() => undefined);
    const [dial, welcome] = await Promise.all([lossOf(silent.url), lossOf(mute)]);
    for (const { afterMs, status } of [dial, welcome]) {
      expect(status).toBe('reconnecting');
      // A timer of Node's may be early by a millisecond.
      expect(afterMs).toBeGreaterThan(DEADLINE_MS - 10);
      expect(afterMs).toBeLessThan(DEADLINE_MS + MARGIN_MS);
    }
    expect([dial.code, welcome.code]).toEqual(['ERR_DIAL_TIMEOUT', 'ERR_WELCOME_TIMEOUT']);
    // The socket that was given up is closed, not left to the system.
    await eventually(() => silent.open.size === 0, 'the socket is gone');
    expect(silent.dials).toBe(1);
    const before = dial.client.getState();
    expect(before).toMatchObject({ status: 'reconnecting', waitingFor: 'timer' });
  });
});

/** Completes the upgrade, choosing `protocol` or none, and then does what `next` does. */
const upgraded = (protocol: string | undefined, next: (socket: Socket) => unknown) => (socket: Socket) =>
  void socket.once('data', (request) => {
    const [, key] = /sec-websocket-key: (.*)\r\n/i.exec(String(request)) ?? [];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const head = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`, () => next(socket));
  });

describe('a server that accepts and closes', () => {
  test.each([
    ['the TCP connection', (socket: Socket) => void socket.end()],
    ['the TCP connection, with a reset', (socket: Socket) => void socket.resetAndDestroy()],
    ['behind the upgrade', upgraded('holdfast.v1.json', (socket) => socket.end())],
  ])('%s: no tight loop', async (_what, serve) => {
    const server = await tcpServer(serve);
    const client = clientOf(server.url);
    client.connect().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    // Steps of up to 1, 2, 4 s and more, none below a tenth of a second.
    expect(server.dials).toBeGreaterThanOrEqual(1);
    expect(server.dials).toBeLessThanOrEqual(10);
    expect(client.getState()).toMatchObject({ status: 'reconnecting' });
  });
});

describe('something in between', () => {
  test('that strips the subprotocol: a dial that failed, and another one later', async () => {
    const server = await tcpServer(upgraded(undefined, (socket) => socket.resume()));
    expect(await lossOf(server.url)).toMatchObject({ status: 'reconnecting', code: 'ERR_DIAL_FAILED' });
    await eventually(() => server.open.size === 0, 'the socket is gone');
  });

  test('that puts in another one: the same', async () => {
    const server = await tcpServer(upgraded('chat', (socket) => socket.resume()));
    expect(await lossOf(server.url)).toMatchObject({ status: 'reconnecting', code: 'ERR_DIAL_FAILED' });
  });

  test('that shows its page until somebody has agreed to it: then all goes on, and nothing was lost', async () => {
    const page = '<!doctype html><title>Welcome to our Wi-Fi</title>';
    const portal = await tcpServer((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${page}`));
    });
    const { url, server } = await serve();
    const notes: unknown[] = [];
    server.on('told', (payload) => notes.push(payload));
    const client = clientOf('', {
      url: () => (portal.dials < 3 ? portal.url : url),
      reconnect: { baseMs: 20, capMs: 100 },
    });
    const codes = new Set<string | undefined>();
    client.onState((state) => {
      if (state.status === 'reconnecting') codes.add(state.lastError.code);
    });
    const told = [1, 2, 3].map((n) => client.send('told', n));
    await soon(client.connect(), 'connected');
    await soon(Promise.all(told), 'acknowledged');
    expect([portal.dials, [...codes], notes]).toEqual([3, ['ERR_DIAL_FAILED'], [1, 2, 3]]);
  });
});
