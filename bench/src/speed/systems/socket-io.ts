import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import * as msgpackParser from 'socket.io-msgpack-parser';
import { type ClientEnd, HOST, type Payload, RECONNECT, type ServerEnd, type System } from '../system.js';

const serveWith =
  (options: Partial<ServerOptions>): System['serve'] =>
  async (hear): Promise<ServerEnd> => {
    const http = createServer();
    const server = new Server(http, { transports: ['websocket'], ...options });
    server.on('connection', (socket) => {
      const end = { send: (payload: Payload) => void socket.emit('say', payload) };
      socket.on('say', (payload: Payload, acknowledge?: () => void) => {
        hear(payload, end);
        acknowledge?.();
      });
      socket.on('ask', (payload: Payload, answer: (payload: Payload) => void) => answer(payload));
      socket.on('subscribe', (done: () => void) => {
        void socket.join('all');
        done();
      });
    });
    http.listen(0, HOST);
    await once(http, 'listening');
    return {
      port: (http.address() as AddressInfo).port,
      publish: (payload) => void server.to('all').emit('say', payload),
    };
  };

const dialWith =
  (options: Partial<ManagerOptions & SocketOptions>): System['dial'] =>
  async (port, hear, subscribed): Promise<ClientEnd> => {
    const socket = io(`http://${HOST}:${port}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: RECONNECT.minMs,
      reconnectionDelayMax: RECONNECT.maxMs,
      timeout: RECONNECT.dialMs,
      ...options,
    });
    socket.on('say', hear);
    await new Promise<void>((resolve) => {
      // Whenever it has come back, unless what it was in was kept for it.
      socket.on('connect', () => {
        if (subscribed && !socket.recovered) void socket.emitWithAck('subscribe').then(() => resolve());
        else resolve();
      });
    });
    return {
      send: (payload) => void socket.emit('say', payload),
      request: (payload) => socket.emitWithAck('ask', payload),
      acknowledged: (payload) => socket.emitWithAck('ask', payload),
    };
  };

const packages = ['socket.io', 'socket.io-client'];

export const socketIo: System = {
  key: 'socket.io',
  packages,
  how: '`emit`, `emitWithAck`, WebSockets only, else its defaults',
  page: () => "export { io } from 'socket.io-client'",
  serve: serveWith({}),
  dial: dialWith({}),
};

export const socketIoMsgpack: System = {
  key: 'socket.io, msgpack',
  packages: [...packages, 'socket.io-msgpack-parser'],
  how: 'the same with the parser for MessagePack',
  page: () => "export { io } from 'socket.io-client'; export * from 'socket.io-msgpack-parser'",
  serve: serveWith({ parser: msgpackParser }),
  dial: dialWith({ parser: msgpackParser }),
};

/** Two minutes, as its documentation has it. */
const serveRecovering = serveWith({ connectionStateRecovery: { maxDisconnectionDuration: 120_000 } });

export const socketIoRecovery: System = {
  key: 'socket.io, recovery',
  packages,
  how: 'the same with `connectionStateRecovery`: what the server says to a socket that is away is kept',
  serve: serveRecovering,
  dial: dialWith({}),
};

export const socketIoRetries: System = {
  key: 'socket.io, retries',
  packages,
  how: 'with that, and `retries: 3, ackTimeout: 10_000`: the client says one after the other is acknowledged',
  serve: serveRecovering,
  dial: dialWith({ retries: 3, ackTimeout: 10_000 }),
};
