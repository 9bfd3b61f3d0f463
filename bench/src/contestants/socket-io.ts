import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import {
  type Contestant,
  DIAL_MS,
  HOST,
  type Notes,
  RECONNECT,
  type ServerSide,
  type Side,
} from './contestant.js';

/** What its documentation of the delivery guarantees takes for an example. */
const RETRIES = { retries: 3, ackTimeout: 10_000 } as const;
const ROOM = 'everybody';

async function serve(notes: Notes, recovers: boolean): Promise<ServerSide> {
  const http = createServer();
  // Two minutes, as its documentation has it.
  const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } };
  const server = new Server(http, recovers ? recovery : {});
  let newest: Socket | undefined;
  server.on('connection', (socket) => {
    newest = socket;
    // A recovered socket is still in its rooms.
    if (!socket.recovered) void socket.join(ROOM);
    socket.on('up', (number: number, acknowledge?: () => void) => {
      notes.heard(number);
      acknowledge?.();
    });
  });
  http.listen(0, HOST);
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    send(number) {
      // With recovery a room may be told while its member is away; without, the application can see that.
      if (recovers) server.to(ROOM).emit('down', number);
      else if (newest?.connected) newest.emit('down', number);
      else notes.told(number);
    },
    pending: () => 0,
  };
}

async function dial(port: number, notes: Notes, retries: boolean): Promise<Side> {
  const socket = io(`http://${HOST}:${port}`, {
    transports: ['websocket'],
    reconnectionDelay: RECONNECT.minMs,
    reconnectionDelayMax: RECONNECT.maxMs,
    timeout: DIAL_MS,
    ...(retries ? RETRIES : {}),
  });
  let pending = 0;
  socket.on('down', (number: number) => notes.heard(number));
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  if (!retries) return { send: (number) => void socket.emit('up', number), pending: () => 0 };
  return {
    send(number) {
      pending++;
      socket.emit('up', number, (error: Error | null) => {
        pending--;
        if (error) notes.told(number);
      });
    },
    pending: () => pending,
  };
}

const variant = (
  key: string,
  how: string,
  {
    recovers = false,
    retries = false,
    quietMs = 3_000,
  }: Partial<Record<'recovers' | 'retries', boolean>> & {
    quietMs?: number;
  },
): Contestant => ({
  key,
  packages: ['socket.io'],
  how,
  quietMs,
  serve: (notes) => serve(notes, recovers),
  dial: (port, notes) => dial(port, notes, retries),
});

export const socketIo: readonly Contestant[] = [
  variant('socket.io', 'default', {}),
  variant('socket.io-recovery', '`connectionStateRecovery`', { recovers: true }),
  variant('socket.io-retries', '`connectionStateRecovery`, `retries: 3`, `ackTimeout: 10_000`', {
    recovers: true,
    retries: true,
    quietMs: RETRIES.ackTimeout + 3_000,
  }),
];
