import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ReconnectingWebSocket } from '@holdfast/client/plain';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import PartySocket from 'partysocket/ws';
import RWS from 'reconnecting-websocket';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from './peers.js';
import { WebSocket, WebSocketServer } from './ws.js';

/*
 * The same application on our class and on those it replaces, with the import changed and the options renamed: what
 * docs/plain-mode.md calls the same is the same.
 */

type Url = string | (() => string) | (() => Promise<string>);
/** What the three have in common. */
type Socket = ReconnectingWebSocket | PartySocket | RWS;
interface Wishes {
  readonly protocols?: string | string[];
  readonly attempts?: number;
  readonly kept?: number;
  readonly closed?: boolean;
}

const theirs = ({ attempts, kept, closed }: Wishes) => ({
  ...{ WebSocket, minReconnectionDelay: 10, maxReconnectionDelay: 30 },
  ...(attempts === undefined ? {} : { maxRetries: attempts - 1 }),
  ...(kept === undefined ? {} : { maxEnqueuedMessages: kept }),
  ...(closed === undefined ? {} : { startClosed: closed }),
});

const contestants: readonly { readonly name: string; make(url: Url, wishes: Wishes): Socket }[] = [
  {
    name: '@holdfast/client/plain',
    make: (url, { protocols, attempts, kept, closed }) =>
      new ReconnectingWebSocket(url, protocols, {
        reconnect: { baseMs: 10, capMs: 30, maxAttempts: attempts },
        outbox: { maxMessages: kept },
        autoConnect: !closed,
      }),
  },
  { name: 'partysocket/ws', make: (url, wishes) => new PartySocket(url, wishes.protocols, theirs(wishes)) },
  { name: 'reconnecting-websocket', make: (url, wishes) => new RWS(url, wishes.protocols, theirs(wishes)) },
];

async function stranger() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heard: string[] = [];
  const asked: string[] = [];
  server.on('connection', (socket, request) => {
    asked.push(`${request.url} ${request.headers['sec-websocket-protocol'] ?? ''}`.trim());
    socket.on('error', () => undefined);
    socket.on('message', (data, binary) => {
      heard.push(String(data));
      socket.send(data, { binary });
    });
  });
  await once(server, 'listening');
  const proxy = await createTcpProxy({ target: { port: (server.address() as AddressInfo).port } });
  onTestFinished(async () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    await proxy.close();
  });
  return { heard, asked, proxy, url: `ws://${proxy.host}:${proxy.port}` };
}

describe.each(contestants)('$name', ({ make }) => {
  function open(url: Url, wishes: Wishes = {}) {
    const socket = make(url, wishes);
    onTestFinished(() => socket.close());
    const log: string[] = [];
    socket.onopen = () => log.push('open');
    socket.onclose = ({ code }: { code: number }) => log.push(`close ${code}`);
    socket.onmessage = ({ data }: { data: unknown }) => log.push(String(data));
    return { socket, log };
  }

  test('connects, echoes, names url, subprotocol and state', async () => {
    const { url, asked } = await stranger();
    const { socket, log } = open(url, { protocols: ['a', 'b'] });
    expect([socket.readyState, socket.CONNECTING, socket.OPEN]).toEqual([0, 0, 1]);
    await eventually(() => log[0] === 'open', 'open');
    socket.send('hello');
    await eventually(() => log[1] === 'hello', 'an echo');
    expect(asked).toEqual(['/ a,b']);
    const { readyState, protocol, extensions, bufferedAmount, retryCount } = socket;
    expect({ readyState, protocol, extensions, bufferedAmount, retryCount }).toEqual({
      ...{ readyState: 1, protocol: 'a', extensions: expect.any(String), bufferedAmount: 0, retryCount: 0 },
    });
    expect(socket.url.replace(/\/$/, '')).toBe(url);
  });

  test('keeps what is sent before it is open, and sends it before the listeners of open do', async () => {
    const { url, heard } = await stranger();
    const { socket } = open(url);
    socket.onopen = () => socket.send('3');
    socket.send('1');
    socket.send('2');
    expect(socket.bufferedAmount).toBe(2);
    await eventually(() => heard.length === 3, 'all of it');
    expect(heard).toEqual(['1', '2', '3']);
  });

  test('comes back after a cut, with what was sent meanwhile', async () => {
    const { url, heard, proxy } = await stranger();
    const { socket, log } = open(url);
    await eventually(() => log.length === 1, 'open');
    await proxy.cut();
    await eventually(() => log.length > 1, 'close');
    socket.send('meanwhile');
    await eventually(() => heard.length === 1, 'it arrives');
    expect(log.filter((said) => said === 'open').length).toBe(2);
  });

  test('a function as url is asked for each connection', async () => {
    const { url, asked, proxy } = await stranger();
    let count = 0;
    const { log } = open(async () => `${url}/${++count}`);
    await eventually(() => log.length === 1, 'open');
    await proxy.cut();
    await eventually(() => asked.length === 2, 'open again');
    expect(asked).toEqual(['/1', '/2']);
  });

  test('reconnect() leaves the connection with 1000, and comes back, also after close()', async () => {
    const { url } = await stranger();
    const { socket, log } = open(url);
    await eventually(() => log.length === 1, 'open');
    socket.reconnect();
    await eventually(() => log.length === 3, 'close and open');
    socket.close(3_001);
    await eventually(() => log.length === 4, 'close');
    expect(socket.readyState).toBe(3);
    socket.reconnect();
    await eventually(() => log.length === 5, 'open');
    expect(log).toEqual(['open', 'close 1000', 'open', 'close 3001', 'open']);
  });

  test('starts closed if it is asked to', async () => {
    const { url, asked } = await stranger();
    const { socket, log } = open(url, { closed: true });
    socket.send('kept');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([socket.readyState, asked.length]).toEqual([3, 0]);
    socket.reconnect();
    await eventually(() => log.length === 2, 'open, and an echo');
    expect(log).toEqual(['open', 'kept']);
  });

  test('a listener that was taken out is not called', async () => {
    const { url } = await stranger();
    const { socket, log } = open(url);
    // Their types have nothing in common, but what they do has.
    const target = socket as EventTarget;
    const heard: string[] = [];
    const first = () => void heard.push('first');
    target.addEventListener('open', first);
    target.addEventListener('open', () => void heard.push('second'));
    target.removeEventListener('open', first);
    await eventually(() => log.length === 1, 'open');
    expect(heard).toEqual(['second']);
  });

  test('gives up after so many attempts', async () => {
    const { url, proxy } = await stranger();
    await proxy.close();
    let asked = 0;
    open(
      () => {
        asked++;
        return url;
      },
      { attempts: 3 },
    );
    await eventually(() => asked === 3, 'three attempts');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(asked).toBe(3);
  });
});

test('where the outbox is full, they drop the message in silence, and ours says so', () => {
  const fill = ({ make }: (typeof contestants)[number]) => {
    const socket = make('ws://127.0.0.1:9', { kept: 1, closed: true });
    socket.send('1');
    try {
      socket.send('2');
      return 'silence';
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  expect(contestants.map(fill)).toEqual(['ERR_OUTBOX_FULL', 'silence', 'silence']);
});
