import http from 'node:http';
import { createClient, type HoldfastClient } from '@holdfast/client';
import { createHoldfastServer, RejectError } from '@holdfast/server';
import { type Chat, chat } from './chat-contract.js';

// A small app of Socket.IO, line by line. The contract is optional: without one, payloads are `unknown`.

const USERS: Record<string, { id: string; name: string }> = { 't-ada': { id: 'u1', name: 'Ada' } };

function verifyToken(token: string | undefined): { id: string; name: string } {
  const user = USERS[token ?? ''];
  if (!user) throw new Error('no such token');
  return user;
}

export function migratedServer() {
  const log: string[] = [];
  const httpServer = http.createServer();
  // const io = new Server(httpServer, { cors: { origin }, pingInterval })
  const io = createHoldfastServer({
    contract: chat,
    origins: ['http://localhost:3000'],
    heartbeat: { intervalMs: 25_000 },
    // io.use((socket, next) => { socket.data.user = verifyToken(socket.handshake.auth.token); next(); })
    auth: (token) => {
      try {
        return { user: verifyToken(token) };
      } catch {
        throw new RejectError('invalid-token');
      }
    },
  }).attach(httpServer);
  // socket.on('join_room', …) falls away
  io.rooms('*', { join: true });
  // io.on('connection')
  io.onSession((session) => log.push(`connected ${session.user.name}`));
  // socket.on('disconnect'): when the client is gone for good, and when it is for the moment
  io.onSessionEnd((session, { reason }) => log.push(`gone ${session.user.name} ${reason}`));
  io.onDetach((session, { code }) => log.push(`link lost ${session.user.name} ${code}`));
  // socket.on(…) and socket.to(room).emit(…)
  io.on('message', ({ text }, { session }) => {
    io.to('chat:lobby').except(session).send('message', { text });
  });
  // the callback of an emit is a request
  io.handle('me', (_input, { session }) => ({ id: session.user.id, role: 'user' as const }));
  return { httpServer, io, log };
}

/** What is said from outside of handlers. */
export async function tellAll({ io }: Pick<ReturnType<typeof migratedServer>, 'io'>): Promise<number> {
  // io.emit
  io.toAll().send('announcement', { text: 'hello' });
  // io.to().to().emit
  io.to('room1').to('room2').send('message', { text: 'x' });
  // io.in().fetchSockets(), socketsJoin(), disconnectSockets()
  const members = await io.to('room1').sessions();
  await io.to('room1').join('room2');
  await io.to('room1').end('kick');
  return members.length;
}

export function migratedClient(url: string, token: string, log: string[]): HoldfastClient<Chat> {
  const socket = createClient({
    url,
    contract: chat,
    auth: token,
    reconnect: { maxAttempts: 10, baseMs: 1000, capMs: 5000 },
  });
  socket.onState((state, previous) => {
    // 'connect', 'reconnect'
    const isNew = previous.status !== 'connected';
    if (state.status === 'connected' && isNew) log.push(`connect, recovered: ${state.recovered}`);
    // 'reconnect_attempt', 'connect_error', 'disconnect'
    if (state.status === 'reconnecting') log.push(`attempt ${state.attempt}: ${state.lastError.code}`);
    // 'reconnect_failed'
    if (state.status === 'failed') log.push(`failed: ${state.error.code}`);
  });
  socket.on('message', ({ text }) => log.push(`message ${text}`));
  socket.on('announcement', ({ text, level }) => log.push(`${level}: ${text}`));
  return socket;
}
