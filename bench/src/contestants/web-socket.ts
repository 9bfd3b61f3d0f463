import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket as PartySocket } from 'partysocket';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { WebSocket, WebSocketServer } from 'ws';
import {
  type Contestant,
  DIAL_MS,
  HOST,
  type Notes,
  RECONNECT,
  type ServerSide,
  type Side,
} from './contestant.js';

// Clients that come back and say again nothing: the server is a plain one, and has nothing to do with them.

async function serve(notes: Notes): Promise<ServerSide> {
  const server = new WebSocketServer({ port: 0, host: HOST });
  let newest: WebSocket | undefined;
  server.on('connection', (socket) => {
    newest = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => notes.heard(Number(data)));
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    send(number) {
      if (newest?.readyState !== WebSocket.OPEN) notes.told(number);
      else newest.send(String(number), (error) => error && notes.told(number));
    },
    pending: () => 0,
  };
}

const options = {
  WebSocket,
  minReconnectionDelay: RECONNECT.minMs,
  maxReconnectionDelay: RECONNECT.maxMs,
  minUptime: 0,
  connectionTimeout: DIAL_MS,
};

async function converse(socket: PartySocket | ReconnectingWebSocket, notes: Notes): Promise<Side> {
  const opened = new Promise<unknown>((resolve) => {
    socket.onopen = resolve;
  });
  socket.onmessage = ({ data }: { data: unknown }) => notes.heard(Number(data));
  await opened;
  // While it is not open, it keeps what is sent.
  return { send: (number) => socket.send(String(number)), pending: () => 0 };
}

const url = (port: number) => `ws://${HOST}:${port}`;

export const webSockets: readonly Contestant[] = [
  {
    key: 'partysocket',
    packages: ['partysocket', 'ws'],
    how: 'its `WebSocket`, before a plain `ws` server',
    quietMs: 3_000,
    serve,
    dial: (port, notes) => converse(new PartySocket(url(port), [], options), notes),
  },
  {
    key: 'reconnecting-websocket',
    packages: ['reconnecting-websocket', 'ws'],
    how: 'before a plain `ws` server',
    quietMs: 3_000,
    serve,
    dial: (port, notes) => converse(new ReconnectingWebSocket(url(port), [], options), notes),
  },
];
