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

/** What a tick says, in one frame: `encode` when it is said, `frame` at the end of the tick. */
const batched =
  <Kept>(encode: (message: Message) => Kept, frame: (batch: Kept[]) => string): Framing =>
  (socket) => {
    let waiting: Kept[] = [];
    const flush = (): void => {
      const batch = waiting;
      waiting = [];
      if (batch.length > 0) socket.send(frame(batch));
    };
    return (message) => {
      if (waiting.push(encode(message)) === 1) queueMicrotask(flush);
      else if (waiting.length === MOST) flush();
    };
  };

const byTick = batched((message) => message, JSON.stringify);

let keys = 0;

/** With what it would be known again by, and its time. */
const textOf = (message: Message): string => {
  const { kind, id } = message;
  const payload = 'payload' in message ? message.payload : undefined;
  return JSON.stringify({ kind, id, payload, key: `abcdefghijklmnop-${++keys}`, at: Date.now() });
};

const asText = batched(textOf, (batch) => `[${batch.join()}]`);

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

/**
 * The limit for whoever keeps what was said until it is acknowledged: what may have to be written again is text from the
 * beginning, so that what the application changes in its objects later changes nothing. Nothing is kept, numbered or
 * acknowledged here.
 */
export const rawWsAsText: System = {
  key: 'ws, text at once',
  packages: ['ws'],
  how: 'the same, each message text as soon as it is said, with a key and its time',
  cannot,
  serve: serveWith(asText),
  dial: dialWith(asText),
};
