import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { type ClientEnd, HOST, type Payload, type ServerEnd, type System } from '../system.js';

export const socketIo: System = {
  key: 'socket.io',
  packages: ['socket.io', 'socket.io-client'],
  how: '`emit`, `emitWithAck`, WebSockets only, else its defaults',
  async serve(hear): Promise<ServerEnd> {
    const http = createServer();
    const server = new Server(http, { transports: ['websocket'] });
    server.on('connection', (socket) => {
      const end = { send: (payload: Payload) => void socket.emit('say', payload) };
      socket.on('say', (payload: Payload) => hear(payload, end));
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
  },
  async dial(port, hear, subscribed): Promise<ClientEnd> {
    const socket = io(`http://${HOST}:${port}`, { transports: ['websocket'], forceNew: true });
    socket.on('say', hear);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    if (subscribed) await socket.emitWithAck('subscribe');
    return {
      send: (payload) => void socket.emit('say', payload),
      request: (payload) => socket.emitWithAck('ask', payload),
    };
  },
};
