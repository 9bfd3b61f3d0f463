import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { HOST, type ServerEnd, type System } from '../system.js';
import { answering, asking, type Message, type Say, saying } from './by-hand.js';

/** Puts messages into frames: each into one of its own, or those of a tick into one. */
type Framing = (socket: { send(data: string): void }) => Say;

export const oneByOne: Framing = (socket) => (message) => socket.send(JSON.stringify(message));

/** More would be held back, not only batched. */
const MOST = 32;

const byTick: Framing = (socket) => {
  let waiting: Message[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) socket.send(JSON.stringify(batch));
  };
  return (message) => {
    if (waiting.push(message) === 1) queueMicrotask(flush);
    else if (waiting.length === MOST) flush();
  };
};

export const messagesIn = (data: unknown): readonly Message[] => {
  const value = JSON.parse(String(data)) as Message | readonly Message[];
  return Array.isArray(value) ? value : [value as Message];
};

export const serveWith =
  (framing: Framing): System['serve'] =>
  async (hear): Promise<ServerEnd> => {
    const server = new WebSocketServer({ port: 0, host: HOST, perMessageDeflate: false });
    const subscribed = new Set<WebSocket>();
    // Encoded once, as anybody would.
    const tellAll = framing({
      send(data) {
        for (const socket of subscribed) socket.send(data);
      },
    });
    server.on('connection', (socket) => {
      const take = answering(framing(socket), hear, () => subscribed.add(socket));
      socket.on('error', () => undefined);
      socket.on('close', () => subscribed.delete(socket));
      socket.on('message', (data) => {
        for (const message of messagesIn(data)) take(message);
      });
    });
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      publish: (payload) => tellAll(saying(payload)),
    };
  };

const dialWith =
  (framing: Framing): System['dial'] =>
  async (port, hear, subscribed) => {
    const socket = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
    const end = asking(framing(socket), hear);
    socket.on('message', (data) => {
      for (const message of messagesIn(data)) end.take(message);
    });
    await once(socket, 'open');
    if (subscribed) await end.subscribe();
    return end;
  };

const cannot = { recovery: 'does not come back by itself' };

export const rawWs: System = {
  key: 'ws',
  packages: ['ws'],
  how: 'JSON with an id by hand, a frame for each message',
  cannot,
  serve: serveWith(oneByOne),
  dial: dialWith(oneByOne),
};

/** The limit to come near: what a frame for each tick is worth, and nothing else. */
export const rawWsBatched: System = {
  key: 'ws, a frame a tick',
  packages: ['ws'],
  how: `the same, up to ${MOST} messages of a tick in one frame, publications too`,
  cannot,
  serve: serveWith(byTick),
  dial: dialWith(byTick),
};
