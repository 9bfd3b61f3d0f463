import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type ClientEnd, type End, HOST, type Payload, type ServerEnd, type System } from '../system.js';

// What one writes by hand: JSON with an id, and the answer with the same one. Nothing is numbered, kept or limited.

type Message =
  | { readonly kind: 'say' | 'answer' | 'ask'; readonly id: number; readonly payload: Payload }
  | { readonly kind: 'subscribe'; readonly id: number };

/** Puts messages into frames: each into one of its own, or those of a tick into one. */
type Framing = (socket: WebSocket) => (message: Message) => void;

const oneByOne: Framing = (socket) => (message) => socket.send(JSON.stringify(message));

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

const messagesIn = (data: unknown): readonly Message[] => {
  const value = JSON.parse(String(data)) as Message | readonly Message[];
  return Array.isArray(value) ? value : [value as Message];
};

const withFraming = (framing: Framing): Pick<System, 'serve' | 'dial'> => ({
  async serve(hear): Promise<ServerEnd> {
    const server = new WebSocketServer({ port: 0, host: HOST, perMessageDeflate: false });
    const subscribed = new Set<WebSocket>();
    server.on('connection', (socket) => {
      const say = framing(socket);
      const end: End = { send: (payload) => say({ kind: 'say', id: 0, payload }) };
      socket.on('error', () => undefined);
      socket.on('close', () => subscribed.delete(socket));
      socket.on('message', (data) => {
        for (const message of messagesIn(data)) {
          if (message.kind === 'subscribe') {
            subscribed.add(socket);
            say({ kind: 'answer', id: message.id, payload: { n: 0, text: '' } });
          } else if (message.kind === 'ask') say({ ...message, kind: 'answer' });
          else hear(message.payload, end);
        }
      });
    });
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      publish(payload) {
        // Encoded once, as anybody would.
        const data = JSON.stringify({ kind: 'say', id: 0, payload } satisfies Message);
        for (const socket of subscribed) socket.send(data);
      },
    };
  },
  async dial(port, hear, subscribed): Promise<ClientEnd> {
    const socket = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
    const say = framing(socket);
    const asked = new Map<number, (payload: Payload) => void>();
    let ids = 0;
    socket.on('message', (data) => {
      for (const message of messagesIn(data)) {
        if (message.kind === 'say') hear(message.payload);
        else if (message.kind === 'answer') {
          asked.get(message.id)?.(message.payload);
          asked.delete(message.id);
        }
      }
    });
    await once(socket, 'open');
    const ask = (message: (id: number) => Message): Promise<unknown> =>
      new Promise((resolve) => {
        const id = ++ids;
        asked.set(id, resolve);
        say(message(id));
      });
    if (subscribed) await ask((id) => ({ kind: 'subscribe', id }));
    return {
      send: (payload) => say({ kind: 'say', id: 0, payload }),
      request: (payload) => ask((id) => ({ kind: 'ask', id, payload })),
    };
  },
});

export const rawWs: System = {
  key: 'ws',
  packages: ['ws'],
  how: 'JSON with an id by hand, a frame for each message',
  ...withFraming(oneByOne),
};

/** The limit to come near: what a frame for each tick is worth, and nothing else. */
export const rawWsBatched: System = {
  key: 'ws, a frame a tick',
  packages: ['ws'],
  how: `the same, up to ${MOST} messages of a tick in one frame`,
  ...withFraming(byTick),
};
